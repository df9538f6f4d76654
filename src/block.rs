//! A block of people: one array per variable, as wide as a few vectors, so that all of it stays in the fastest cache while
//! the block lives all its months.
//!
//! Equations see one person (`Person`, `State`, `Inputs`); the loop over lanes loads a person, evaluates, and stores. With one lane the same code
//! is a traced person.

/// People in a block of the population simulation.
pub const LANES: usize = 64;

/// A person that no event has happened to: months since the event, a number that no life reaches.
pub const NEVER: f64 = 1.0e6;

/// Declares a record of one person and the same record of a block of people: numbers, then arrays of numbers.
macro_rules! person_and_rows {
    ($(#[$about:meta])* $One:ident, $Rows:ident {
        $( $(#[$meaning:meta])* $field:ident, )*
        $( ; arrays { $( $(#[$array_meaning:meta])* $array:ident: $n:literal, )* } )?
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug)]
        pub struct $One<S> {
            $( $(#[$meaning])* pub $field: S, )*
            $($( $(#[$array_meaning])* pub $array: [S; $n], )*)?
        }

        /// The same of a block of people: one row per variable.
        #[derive(Clone, Debug)]
        #[repr(align(64))]
        pub struct $Rows<S, const L: usize> {
            $( $(#[$meaning])* pub $field: [S; L], )*
            $($( $(#[$array_meaning])* pub $array: [[S; L]; $n], )*)?
        }

        impl<S: $crate::numeric::Scalar, const L: usize> $Rows<S, L> {
            /// Every number zero.
            pub fn zero() -> Self {
                Self { $( $field: [S::ZERO; L], )* $($( $array: [[S::ZERO; L]; $n], )*)? }
            }

            /// One person of the block.
            #[inline(always)]
            pub fn load(&self, lane: usize) -> $One<S> {
                $One {
                    $( $field: self.$field[lane], )*
                    $($( $array: {
                        let mut all = [S::ZERO; $n];
                        for k in 0..$n {
                            all[k] = self.$array[k][lane];
                        }
                        all
                    }, )*)?
                }
            }

            /// Puts one person into the block.
            #[inline(always)]
            pub fn store(&mut self, lane: usize, one: &$One<S>) {
                $( self.$field[lane] = one.$field; )*
                $($( for k in 0..$n {
                    self.$array[k][lane] = one.$array[k];
                } )*)?
            }
        }
    };
}

person_and_rows! {
    /// What stays with a person for life, as far as the balance needs it.
    Person, PersonRows {
        /// 1 for men, 0 for women.
        male,
        /// Age at index, months.
        index_age_months,
        /// Age at the final menstrual period, years.
        menopause_age,
        /// Individual bone turnover relative to the parameter.
        turnover,
        /// Individual half-effect constant of the sex-steroid signal.
        estrogen_half_effect,
        /// Individual decline of formation with age relative to the parameter.
        formation_ageing,
        /// Habitual load, 1 = reference.
        habitual_load,
        /// Usual calcium intake from food, mg/d.
        calcium_intake,
        /// Serum 25-hydroxyvitamin D, nmol/L.
        serum_25ohd,
    }
}

person_and_rows! {
    /// The balance of one person. All numbers are relative to the healthy adult of 25 to 30 years, who has 1, but for
    /// `glucocorticoid_adaptation`, the bisphosphonate pools (0) and `young` (its own steady state).
    State, StateRows {
        /// Osteoclast precursors.
        precursors,
        /// Bone-making cells that refill resorbed sites.
        refilling,
        /// Modelling-based formation.
        modelling,
        /// Progenitor reserve of stimulated modelling.
        progenitors,
        /// Adaptation to glucocorticoids.
        glucocorticoid_adaptation,
        /// Bisphosphonate at the bone surface.
        surface_bisphosphonate,
        /// Bisphosphonate buried in bone.
        buried_bisphosphonate,
        /// Bone resorption (what the marker CTX measures).
        resorption,
        ; arrays {
            /// Bone volume by density site.
            volume: 4,
            /// Share of young, not fully mineralized bone by density site.
            young: 4,
        }
    }
}

person_and_rows! {
    /// What acts on a person from outside during one month: the sum of the exposures, by target.
    Inputs, InputRows {
        ; arrays {
            /// By exposure target, in the order of [`crate::exposure::Target::ALL`].
            target: 15,
        }
    }
}
