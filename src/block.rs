//! A block of people: one array per variable, as wide as a few vectors, so that all of it stays in the fastest cache while
//! the block lives all its months.
//!
//! Equations see one person (`Person`, `State`, `Inputs`); the loop over lanes loads a person, evaluates, and stores. With one lane the same code
//! is a traced person.

/// People in a block of the population simulation.
pub const LANES: usize = 64;

/// A person that no event has happened to: months since the event, a number that no life reaches.
pub const NEVER: f64 = 1.0e6;

/// An array of so many values, written out: a loop inside the loop over lanes would be the one that the compiler vectorizes, and a closure that is called many times
/// would stay a call, which keeps it from vectorizing any.
macro_rules! written_out {
    (4, $k:ident => $value:expr) => {
        written_out!(@each $k => $value; 0 1 2 3)
    };
    (5, $k:ident => $value:expr) => {
        written_out!(@each $k => $value; 0 1 2 3 4)
    };
    (17, $k:ident => $value:expr) => {
        written_out!(@each $k => $value; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    };
    (@each $k:ident => $value:expr; $($position:literal)+) => {
        [$({
            let $k: usize = $position;
            $value
        }),+]
    };
}
pub(crate) use written_out;

/// Declares a record of one person and the same record of a block of people: numbers, then arrays of numbers.
macro_rules! person_and_rows {
    ($(#[$about:meta])* $One:ident, $Rows:ident {
        $( $(#[$meaning:meta])* $field:ident, )*
        $( ; arrays { $( $(#[$array_meaning:meta])* $array:ident: $n:tt, )* } )?
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

        impl<S: Copy> $One<S> {
            /// Joins each number with its namesake.
            #[inline(always)]
            pub fn zip<T: Copy, U>(&self, other: &$One<T>, join: impl Fn(S, T) -> U) -> $One<U> {
                $One {
                    $( $field: join(self.$field, other.$field), )*
                    $($( $array: written_out!($n, k => join(self.$array[k], other.$array[k])), )*)?
                }
            }
        }

        impl<S: $crate::numeric::Scalar, const L: usize> $Rows<S, L> {
            /// Every number zero.
            pub fn zero() -> Self {
                Self { $( $field: [S::ZERO; L], )* $($( $array: [[S::ZERO; L]; $n], )*)? }
            }

            /// Made of one person for each lane.
            #[inline(always)]
            pub fn of(one: impl Fn(usize) -> $One<S>) -> Self {
                let mut rows = Self::zero();
                for lane in 0..L {
                    rows.store(lane, &one(lane));
                }
                rows
            }

            /// One person of the block.
            #[inline(always)]
            pub fn load(&self, lane: usize) -> $One<S> {
                $One {
                    $( $field: self.$field[lane], )*
                    $($( $array: written_out!($n, k => self.$array[k][lane]), )*)?
                }
            }

            /// Puts one person into the block.
            #[inline(always)]
            pub fn store(&mut self, lane: usize, one: &$One<S>) {
                $( self.$field[lane] = one.$field; )*
                $($( let _: [(); $n] = written_out!($n, k => self.$array[k][lane] = one.$array[k]); )*)?
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
        /// Individual share of modelling relative to the parameter.
        modelling,
        /// Individual response to stimuli of formation relative to the parameter.
        anabolic_response,
        /// Individual sensitivity to antiresorptive medicines relative to the parameter.
        drug_sensitivity,
        /// Individual decline of the mechanical signal with age relative to the parameter.
        load_ageing,
        /// Habitual load, 1 = reference.
        habitual_load,
        /// Usual calcium intake from food, mg/d.
        calcium_intake,
        /// Serum 25-hydroxyvitamin D, nmol/L.
        serum_25ohd,
    }
}

person_and_rows! {
    /// The balance of one person. Living states are relative to the healthy adult of 25 to 30 years, who has 1; `young` has its own steady state;
    /// what only exposures and events bring is 0 without them.
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
        /// Local refilling called up by unloading.
        unloading_memory,
        /// Microdamage in bone.
        microdamage,
        /// What a healing fracture draws from the skeleton.
        healing,
        /// Bisphosphonate at the bone surface, in half-effect amounts.
        surface_bisphosphonate,
        /// Bisphosphonate buried in bone, in half-effect amounts.
        buried_bisphosphonate,
        /// RANKL antibody, in doses of 60 mg.
        rankl_antibody,
        /// Adaptation of the skeleton to sclerostin antibody.
        sclerostin_adaptation,
        /// Rebound of resorption after sclerostin antibody.
        sclerostin_rebound,
        /// Resorption signal of PTH analogues.
        pth_resorption,
        /// Tolerance to that signal.
        pth_tolerance,
        /// Bone resorption.
        resorption,
        ; arrays {
            /// Bone volume by compartment.
            volume: 5,
            /// Share of young, not fully mineralized bone by compartment.
            young: 5,
        }
    }
}

person_and_rows! {
    /// What acts on a person from outside during one month: the sum of the exposures, by target.
    Inputs, InputRows {
        ; arrays {
            /// By exposure target, in the order of [`crate::exposure::Target::ALL`].
            target: 17,
        }
    }
}
