//! Exposures: what acts on a person from outside, from when to when, on which target, how strongly.
//!
//! A medicine, a hormone or activity profile and a risk factor are all exposures. This closed set of targets is all that the core knows; which medicine
//! acts on which target is data.

use crate::numeric::Scalar;

/// What an exposure can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Target {
    /// Bisphosphonate reaching the bone surface, in half-effect amounts a year.
    BisphosphonateUptake = 0,
    /// Bisphosphonate added to the bone surface by one dose, in half-effect amounts.
    BisphosphonateDose = 1,
    /// One dose of RANKL antibody, 1 = 60 mg.
    RanklAntibody = 2,
    /// Sclerostin antibody, 1 = 210 mg a month.
    SclerostinAntibody = 3,
    /// Formation stimulus of a PTH analogue, 1 = teriparatide 20 ug/d.
    PthFormation = 4,
    /// Resorption stimulus of a PTH analogue, 1 = teriparatide 20 ug/d.
    PthResorption = 5,
    /// Dose of hormone therapy, 1 = standard.
    EstrogenReplacement = 6,
    /// Selective estrogen receptor modulation, 1 = raloxifene 60 mg/d.
    EstrogenModulation = 7,
    /// Degree of loss of residual estrogen, 1 = complete.
    EstrogenSuppression = 8,
    /// Degree of androgen deprivation, 1 = complete.
    AndrogenDeprivation = 9,
    /// Glucocorticoid dose, 1 = 10 mg/d prednisone equivalent.
    Glucocorticoid = 10,
    /// Load added to the habitual load, -1 = complete unloading.
    Load = 11,
    /// Calcium added to the intake from food.
    CalciumIntake = 12,
    /// 25-hydroxyvitamin D added.
    Serum25Ohd = 13,
    /// Protein added to the usual diet.
    ProteinIntake = 14,
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
    pub const COUNT: usize = 15;

    /// All targets in their order.
    pub const ALL: [TargetSpec; Target::COUNT] = [
        spec(
            Target::BisphosphonateUptake,
            "bisphosphonate_uptake",
            "/a",
            "Bisphosphonate reaching the bone surface, in half-effect amounts a year",
            0.0,
            1000.0,
        ),
        spec(
            Target::BisphosphonateDose,
            "bisphosphonate_dose",
            "1",
            "Bisphosphonate added to the bone surface by one dose, in half-effect amounts",
            0.0,
            2000.0,
        ),
        spec(Target::RanklAntibody, "rankl_antibody", "1", "One dose of RANKL antibody, 1 = 60 mg", 0.0, 10.0),
        spec(Target::SclerostinAntibody, "sclerostin_antibody", "1", "Sclerostin antibody, 1 = 210 mg a month", 0.0, 3.0),
        spec(
            Target::PthFormation,
            "pth_analogue_formation",
            "1",
            "Formation stimulus of a PTH analogue, 1 = teriparatide 20 ug/d",
            0.0,
            5.0,
        ),
        spec(
            Target::PthResorption,
            "pth_analogue_resorption",
            "1",
            "Resorption stimulus of a PTH analogue, 1 = teriparatide 20 ug/d",
            0.0,
            5.0,
        ),
        spec(Target::EstrogenReplacement, "estrogen_replacement", "1", "Dose of hormone therapy, 1 = standard", 0.0, 1.0),
        spec(
            Target::EstrogenModulation,
            "estrogen_receptor_modulation",
            "1",
            "Selective estrogen receptor modulation, 1 = raloxifene 60 mg/d",
            0.0,
            2.0,
        ),
        spec(Target::EstrogenSuppression, "estrogen_suppression", "1", "Degree of loss of residual estrogen, 1 = complete", 0.0, 1.0),
        spec(Target::AndrogenDeprivation, "androgen_deprivation", "1", "Degree of androgen deprivation, 1 = complete", 0.0, 1.0),
        spec(Target::Glucocorticoid, "glucocorticoid", "1", "Glucocorticoid dose, 1 = 10 mg/d prednisone equivalent", 0.0, 6.0),
        spec(Target::Load, "load", "1", "Load added to the habitual load, -1 = complete unloading", -1.0, 1.0),
        spec(Target::CalciumIntake, "calcium_intake", "mg/d", "Calcium added to the intake from food", 0.0, 3000.0),
        spec(Target::Serum25Ohd, "serum_25ohd", "nmol/L", "25-hydroxyvitamin D added", 0.0, 200.0),
        spec(Target::ProteinIntake, "protein_intake", "g/d", "Protein added to the usual diet", 0.0, 200.0),
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
