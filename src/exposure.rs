//! Exposures: what acts on a person from outside, from when to when, on which target, how strongly.
//!
//! A medicine, a hormone or activity profile and a risk factor are all exposures. This closed set of targets is all that the core knows; which medicine
//! acts on which target is data.

use crate::numeric::Scalar;

/// What an exposure can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Target {
    /// Bisphosphonate reaching the bone surface.
    BisphosphonateUptake = 0,
    /// Hormone therapy.
    EstrogenReplacement = 1,
    /// Androgen deprivation.
    AndrogenDeprivation = 2,
    /// Loss of the estrogen that remains: aromatase inhibition, removal of the ovaries.
    EstrogenSuppression = 3,
    /// Glucocorticoids.
    Glucocorticoid = 4,
    /// Load added to the habitual load.
    Load = 5,
    /// Calcium intake added.
    CalciumIntake = 6,
    /// Serum 25-hydroxyvitamin D added.
    Serum25Ohd = 7,
    /// Share of the RANKL drive of resorption that is blocked.
    RanklInhibition = 8,
    /// Stimulus of modelling-based formation.
    ModellingStimulus = 9,
}

/// Name, unit, meaning, lowest and highest amount of one exposure.
pub struct TargetSpec {
    /// The target.
    pub target: Target,
    /// Its name in data files.
    pub name: &'static str,
    /// Unit of an amount.
    pub unit: &'static str,
    /// What an amount means.
    pub meaning: &'static str,
    /// Lowest amount allowed.
    pub low: f64,
    /// Highest amount allowed.
    pub high: f64,
}

impl Target {
    /// Number of targets.
    pub const COUNT: usize = 10;

    /// All targets in their order.
    pub const ALL: [TargetSpec; Target::COUNT] = [
        spec(
            Target::BisphosphonateUptake,
            "bisphosphonate_uptake",
            "/a",
            "Bisphosphonate reaching the bone surface, in units of the half-effect amount",
            0.0,
            1000.0,
        ),
        spec(Target::EstrogenReplacement, "estrogen_replacement", "1", "Dose of hormone therapy, 1 = standard", 0.0, 1.0),
        spec(Target::AndrogenDeprivation, "androgen_deprivation", "1", "Degree of androgen deprivation, 1 = complete", 0.0, 1.0),
        spec(Target::EstrogenSuppression, "estrogen_suppression", "1", "Degree of loss of residual estrogen, 1 = complete", 0.0, 1.0),
        spec(Target::Glucocorticoid, "glucocorticoid", "1", "Glucocorticoid dose, 1 = 10 mg/d prednisone equivalent", 0.0, 6.0),
        spec(Target::Load, "load", "1", "Load added to the habitual load, -1 = complete unloading", -1.0, 1.0),
        spec(Target::CalciumIntake, "calcium_intake", "mg/d", "Calcium added to the intake from food", 0.0, 3000.0),
        spec(Target::Serum25Ohd, "serum_25ohd", "nmol/L", "25-hydroxyvitamin D added", 0.0, 200.0),
        spec(Target::RanklInhibition, "rankl_inhibition", "1", "Share of the RANKL drive of resorption that is blocked", 0.0, 1.0),
        spec(Target::ModellingStimulus, "modelling_stimulus", "1", "Added modelling-based formation, 1 = doubled", 0.0, 30.0),
    ];

    /// The target of a name.
    pub fn named(name: &str) -> Option<Target> {
        Target::ALL.iter().find(|t| t.name == name).map(|t| t.target)
    }

    /// Its specification.
    pub fn spec(self) -> &'static TargetSpec {
        &Target::ALL[self as usize]
    }
}

const fn spec(target: Target, name: &'static str, unit: &'static str, meaning: &'static str, low: f64, high: f64) -> TargetSpec {
    TargetSpec { target, name, unit, meaning, low, high }
}

/// When one exposure acts on the people of a block, in months from index: it acts while start <= time < stop.
#[derive(Clone, Debug)]
pub struct ExposureRows<S, const L: usize> {
    /// First month of exposure; [`crate::block::NEVER`] for who is not exposed.
    pub start: [S; L],
    /// First month without it any more.
    pub stop: [S; L],
    /// Target and amount while it lasts.
    pub effects: Vec<(Target, S)>,
}

/// Adds up the exposures that act at the given times (months from index, per person) into one row per target.
#[inline(always)]
pub fn add_up<S: Scalar, const L: usize>(exposures: &[ExposureRows<S, L>], months: &[S; L], target: &mut [[S; L]; Target::COUNT]) {
    *target = [[S::ZERO; L]; Target::COUNT];
    for exposure in exposures {
        for (which, amount) in &exposure.effects {
            let row = &mut target[*which as usize];
            for lane in 0..L {
                let time = months[lane];
                let started = if time < exposure.start[lane] { S::ZERO } else { *amount };
                let acting = if time < exposure.stop[lane] { started } else { S::ZERO };
                row[lane] += acting;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_stand_at_their_own_numbers() {
        for (k, t) in Target::ALL.iter().enumerate() {
            assert_eq!(t.target as usize, k);
            assert_eq!(Target::named(t.name), Some(t.target));
        }
    }

    #[test]
    fn an_exposure_acts_from_its_start_until_before_its_stop() {
        let e = ExposureRows { start: [0.0_f64; 4], stop: [12.0; 4], effects: vec![(Target::Load, -0.5)] };
        let mut target = [[0.0; 4]; Target::COUNT];
        add_up(&[e.clone(), e], &[-1.0, 0.0, 11.0, 12.0], &mut target);
        assert_eq!(target[Target::Load as usize], [0.0, -1.0, -1.0, 0.0]);
    }
}
