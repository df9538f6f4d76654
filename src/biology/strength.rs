//! Strength against load: how likely a bone is to break when it is loaded.
//!
//! 1. ln strength = a (ln(aBMD at index / reference) + dX) + c (ln(aBMD / aBMD at index) - dC) - t (ln R - w ln M) - d ln D + what exposures add
//! 2. ln load = pw ln(weight / 70 kg) + ph ln(height / 165 cm) + phi zeta
//! 3. demand q = (ln load - ln strength + b) / spread; probability of breaking at one loading = share of a standard normal population
//!    below q
//!
//! dX is the change from the age at index to the age now of ln of the population's median density as it was measured, dC that of ln of the usual
//! density in the model, the mean of the population's people who have lived to each age ([`crate::model::normalize`]). So whose bone takes the usual
//! course stays with the population of the same age, whose incidence b is solved for, and what is gained or lost beyond it, by medicines above
//! all, counts by c, as strength under treatment does: size, arches and arthrosis, which differ between people, stay when bone changes.
//!
//! R is resorption, M modelling formation and D microdamage, all relative to the young adult ([`super::remodeling`]): many open resorption
//! sites weaken bone beyond its density, bone that was added without resorption relieves it (w), unrepaired damage weakens it. zeta is
//! effective frailty ([`super::frailty`]): who is frail falls with less guard. b is solved for each population, sex and age so that its
//! people break as often as was measured ([`crate::model::normalize`]); spread says how much one loading differs from another. All
//! exponents belong to the site.
//!
//! Left out: geometry of the bone beyond its areal density, cortical and trabecular strength apart, soft tissue that pads a fall, the
//! direction and the height of a fall, changes of weight and height after index.

use crate::numeric::Scalar;

/// Modelling and microdamage count as no less than this: their logarithms stay finite.
pub const LEAST: f64 = 0.01;
/// Body weight at which load is 1, kg.
pub const REFERENCE_WEIGHT: f64 = 70.0;
/// Height at which load is 1, cm.
pub const REFERENCE_HEIGHT: f64 = 165.0;

/// Constants of one site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bone {
    /// a: exponent of areal density between people.
    pub strength_exponent: f64,
    /// c: exponent of a person's own change of areal density since index.
    pub change_exponent: f64,
    /// ln of the areal density at which strength is 1 (g/cm2).
    pub ln_reference: f64,
    /// t: exponent of resorption.
    pub turnover_exponent: f64,
    /// t w: exponent of modelling formation.
    pub modelling_exponent: f64,
    /// d: exponent of microdamage.
    pub microdamage_exponent: f64,
    /// pw: exponent of body weight.
    pub weight_exponent: f64,
    /// ph: exponent of height.
    pub height_exponent: f64,
    /// phi: gain of ln load per unit of frailty.
    pub frailty_exponent: f64,
    /// Spread of ln(load / strength) between loadings.
    pub spread: f64,
}

impl Bone {
    /// Equation 2 without frailty; weight in kg, height in cm.
    pub fn ln_load_of_body(&self, weight: f64, height: f64) -> f64 {
        self.weight_exponent * libm::log(weight / REFERENCE_WEIGHT) + self.height_exponent * libm::log(height / REFERENCE_HEIGHT)
    }

    /// All of equations 1 and 2 that stays with a person: the load of the body, and by how much density at index (g/cm2) counts for less than its change.
    pub fn lasting_burden(&self, weight: f64, height: f64, abmd_at_index: f64) -> f64 {
        let less = (self.change_exponent - self.strength_exponent) * (libm::log(abmd_at_index) - self.ln_reference);
        self.ln_load_of_body(weight, height) + less
    }
}

/// What a bone is made of in one month: natural logarithms.
#[derive(Clone, Copy, Debug)]
pub struct Material<S> {
    /// Of resorption.
    pub ln_resorption: S,
    /// Of modelling formation.
    pub ln_modelling: S,
    /// Of microdamage.
    pub ln_microdamage: S,
    /// Of strength that exposures add.
    pub added: S,
}

impl<S: Scalar> Material<S> {
    /// Of the states of the balance.
    #[inline(always)]
    pub fn of(resorption: S, modelling: S, microdamage: S, added: S) -> Self {
        Material {
            ln_resorption: resorption.ln(),
            ln_modelling: modelling.at_least(S::of(LEAST)).ln(),
            ln_microdamage: microdamage.at_least(S::of(LEAST)).ln(),
            added,
        }
    }
}

/// Constants of one site in the kernel's precision.
#[derive(Clone, Copy, Debug)]
pub struct Strength<S> {
    change_exponent: S,
    ln_reference: S,
    turnover_exponent: S,
    modelling_exponent: S,
    microdamage_exponent: S,
    frailty_exponent: S,
    per_spread: S,
}

impl<S: Scalar> Strength<S> {
    /// Takes the constants of a site.
    pub fn new(bone: &Bone) -> Self {
        Strength {
            change_exponent: S::of(bone.change_exponent),
            ln_reference: S::of(bone.ln_reference),
            turnover_exponent: S::of(bone.turnover_exponent),
            modelling_exponent: S::of(bone.modelling_exponent),
            microdamage_exponent: S::of(bone.microdamage_exponent),
            frailty_exponent: S::of(bone.frailty_exponent),
            per_spread: S::of(1.0 / bone.spread),
        }
    }

    /// Equation 1 without what stays with a person.
    #[inline(always)]
    fn ln_changing_strength(&self, ln_abmd: S, m: &Material<S>) -> S {
        let weakness = self.turnover_exponent * m.ln_resorption + self.microdamage_exponent * m.ln_microdamage;
        self.change_exponent * (ln_abmd - self.ln_reference) + self.modelling_exponent * m.ln_modelling + m.added - weakness
    }

    /// Equations 1 and 2: ln(load / strength); `lasting` is [`Bone::lasting_burden`].
    #[inline(always)]
    pub fn burden(&self, lasting: S, ln_abmd: S, material: &Material<S>, frailty: S) -> S {
        lasting + self.frailty_exponent * frailty - self.ln_changing_strength(ln_abmd, material)
    }

    /// Equation 3: probability of breaking at one loading.
    #[inline(always)]
    pub fn breaking_probability(&self, burden: S, offset: S) -> S {
        ((burden + offset) * self.per_spread).normal_share()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn bone() -> Bone {
        Bone {
            strength_exponent: 1.2,
            change_exponent: 1.8,
            ln_reference: libm::log(0.858),
            turnover_exponent: 0.15,
            modelling_exponent: 0.05,
            microdamage_exponent: 0.1,
            weight_exponent: 0.5,
            height_exponent: 0.5,
            frailty_exponent: 0.05,
            spread: 0.3,
        }
    }

    fn probability(bone: &Bone, weight: f64, abmd: f64, material: &Material<f64>, frailty: f64, offset: f64) -> f64 {
        let s = Strength::<f64>::new(bone);
        s.breaking_probability(s.burden(bone.lasting_burden(weight, 165.0, abmd), abmd.natural_log(), material, frailty), offset)
    }

    trait Ln {
        fn natural_log(self) -> f64;
    }
    impl Ln for f64 {
        fn natural_log(self) -> f64 {
            libm::log(self)
        }
    }

    fn young() -> Material<f64> {
        Material::of(1.0, 1.0, 1.0, 0.0)
    }

    #[test]
    fn a_reference_body_on_reference_bone_is_loaded_to_its_strength() {
        assert!((probability(&bone(), 70.0, 0.858, &young(), 0.0, 0.0) - 0.5).abs() < 1e-10);
    }

    #[test]
    fn at_fixed_density_the_heavier_break_more_and_with_density_that_weight_brings_less() {
        let at = |weight, abmd| probability(&bone(), weight, abmd, &young(), 0.0, -0.6);
        assert!(at(90.0, 0.7) > at(55.0, 0.7));
        // Density that rises by half a power of weight more than makes up for the load: 1.2 x 0.5 > 0.5.
        let own = |weight: f64| at(weight, 0.7 * libm::pow(weight / 70.0, 0.5));
        assert!(own(90.0) < own(55.0));
    }

    #[test]
    fn a_change_of_density_counts_by_an_exponent_of_its_own() {
        let (b, s) = (bone(), Strength::<f64>::new(&bone()));
        let burden = |at_index: f64, now: f64| s.burden(b.lasting_burden(70.0, 165.0, at_index), now.natural_log(), &young(), 0.0);
        let ln = |x: f64| libm::log(x);
        assert!((burden(0.7, 0.7) + 1.2 * ln(0.7 / 0.858)).abs() < 1e-12);
        assert!((burden(0.7, 0.77) - burden(0.7, 0.7) + 1.8 * ln(1.1)).abs() < 1e-12);
    }

    #[test]
    fn turnover_damage_and_frailty_weaken_and_modelling_and_exposures_strengthen() {
        let at = |m: Material<f64>, z| probability(&bone(), 70.0, 0.7, &m, z, -0.6);
        let usual = at(young(), 0.0);
        assert!(at(Material::of(2.0, 1.0, 1.0, 0.0), 0.0) > usual);
        assert!(at(Material::of(1.0, 1.0, 2.0, 0.0), 0.0) > usual);
        assert!(at(young(), 1.0) > usual);
        assert!(at(Material::of(1.0, 2.0, 1.0, 0.0), 0.0) < usual);
        assert!(at(Material::of(1.0, 1.0, 1.0, 0.1), 0.0) < usual);
        assert!(at(Material::of(1.0, 0.0, 0.0, 0.0), 0.0).is_finite());
    }

    #[test]
    fn the_gradient_of_density_falls_as_breaking_becomes_likely() {
        let gradient = |offset: f64| {
            let at = |abmd| probability(&bone(), 70.0, abmd, &young(), 0.0, offset);
            at(0.738) / at(0.858)
        };
        let gradients: Vec<f64> = [-1.2, -0.9, -0.6, -0.3, 0.0, 0.3].into_iter().map(gradient).collect();
        assert!(gradients.windows(2).all(|g| g[1] < g[0]) && gradients[5] > 1.0, "{gradients:?}");
    }
}
