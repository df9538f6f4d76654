//! Exposures: what acts on a person from outside, from when to when, on which target, how strongly.
//!
//! A medicine, a hormone or activity profile and a risk factor are all exposures. This closed set of targets is all that the core knows;
//! which medicine acts on which target is data.

use crate::block::NEVER;
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
    /// Natural logarithm of bone strength added.
    Strength = 15,
    /// Natural logarithm of the fall rate added.
    Falls = 16,
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
    pub const COUNT: usize = 17;

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
        spec(Target::ProteinIntake, "protein_intake", "g/d", "Protein added to the usual diet", -100.0, 200.0),
        spec(Target::Strength, "strength", "1", "Natural logarithm of bone strength added, beyond that of density and turnover", -2.0, 1.0),
        spec(Target::Falls, "falls", "1", "Natural logarithm of the fall rate added", -3.0, 3.0),
    ];

    /// The target of a name.
    pub fn named(name: &str) -> Option<Target> {
        Target::ALL.iter().find(|t| t.name == name).map(|t| t.target)
    }

    /// Whether its amounts come with each dose of a course; all others act as long as the course lasts.
    pub fn per_dose(self) -> bool {
        matches!(self, Target::BisphosphonateDose | Target::RanklAntibody)
    }

    /// Its specification.
    pub fn spec(self) -> &'static TargetSpec {
        &Target::ALL[self as usize]
    }
}

const fn spec(target: Target, name: &'static str, unit: &'static str, meaning: &'static str, low: f64, high: f64) -> TargetSpec {
    TargetSpec { target, name, unit, meaning, low, high }
}

/// What an exposure does to one target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// The target.
    pub target: Target,
    /// Amount: as long as the course lasts, or of each dose.
    pub amount: f64,
    /// Months from dose to dose; `None` for what acts as long as the course lasts.
    pub every_months: Option<u32>,
}

/// When one exposure acts on the people of a block, in months from index: it acts while start <= time < stop.
#[derive(Clone, Debug)]
pub struct ExposureRows<S, const L: usize> {
    /// First month of exposure; [`NEVER`] for who is not exposed.
    pub start: [S; L],
    /// First month without it any more.
    pub stop: [S; L],
    /// Target and amount while it lasts.
    pub levels: Vec<(Target, S)>,
    /// Target, amount of a dose and months from dose to dose.
    pub doses: Vec<(Target, S, f64)>,
    /// Whether it is a medicine (counts in `medicine_months`).
    pub medicine: bool,
}

impl<S: Scalar, const L: usize> ExposureRows<S, L> {
    /// An exposure that nobody has yet.
    pub fn never(effects: &[Effect], medicine: bool) -> Self {
        let (mut levels, mut doses) = (Vec::new(), Vec::new());
        for effect in effects {
            match effect.every_months {
                None => levels.push((effect.target, S::of(effect.amount))),
                Some(months) => doses.push((effect.target, S::of(effect.amount), f64::from(months))),
            }
        }
        ExposureRows { start: [S::of(NEVER); L], stop: [S::of(NEVER); L], levels, doses, medicine }
    }
}

/// Adds up what acts in steps that begin at the given times and last so many months (per person) into one row per target: the amounts of
/// what is taken at the times `reading`, and the doses that fall within the steps.
#[inline(always)]
pub fn add_up<S: Scalar, const L: usize>(
    exposures: &[ExposureRows<S, L>],
    reading: &[S; L],
    begin: &[S; L],
    months: &[S; L],
    target: &mut [[S; L]; Target::COUNT],
) {
    *target = [[S::ZERO; L]; Target::COUNT];
    for exposure in exposures {
        for (which, amount) in &exposure.levels {
            let row = &mut target[*which as usize];
            for lane in 0..L {
                let time = reading[lane];
                let started = if time < exposure.start[lane] { S::ZERO } else { *amount };
                let acting = if time < exposure.stop[lane] { started } else { S::ZERO };
                row[lane] += acting;
            }
        }
        for (which, amount, every) in &exposure.doses {
            let row = &mut target[*which as usize];
            for lane in 0..L {
                let (from, until) = (begin[lane].to_f64(), (begin[lane] + months[lane]).to_f64());
                let course = (exposure.start[lane].to_f64(), exposure.stop[lane].to_f64());
                row[lane] += *amount * S::of(doses_within(course, *every, from, until));
            }
        }
    }
}

/// Doses of a course (from, until before) that fall at from <= time < until: one in its first whole month and one every so many months
/// while it lasts. Counted from the course's start on both sides, so that steps that abut never count a dose twice or lose one. Whole
/// months and their binary fractions are exact, so rounding decides nothing.
pub fn doses_within(course: (f64, f64), every: f64, from: f64, until: f64) -> f64 {
    let first = libm::ceil(course.0);
    let before = |time: f64| libm::ceil((time.min(course.1) - first) / every).max(0.0);
    before(until) - before(from)
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

    fn rows(start: [f32; 4], stop: [f32; 4], target: Target, amount: f64, every_months: Option<u32>) -> ExposureRows<f32, 4> {
        ExposureRows { start, stop, ..ExposureRows::never(&[Effect { target, amount, every_months }], true) }
    }

    #[test]
    fn an_exposure_acts_from_its_start_until_before_its_stop() {
        let e = rows([0.0; 4], [12.0; 4], Target::Load, -0.5, None);
        let times = [-1.0, 0.0, 11.0, 12.0];
        let mut target = [[0.0; 4]; Target::COUNT];
        add_up(&[e.clone(), e], &times, &times, &[1.0; 4], &mut target);
        assert_eq!(target[Target::Load as usize], [0.0, -1.0, -1.0, 0.0]);
    }

    /// Doses by month of four people, from 30 months before index to 30 months after it.
    fn doses_by_month(e: &ExposureRows<f32, 4>) -> [Vec<i32>; 4] {
        let mut all = [const { Vec::new() }; 4];
        for month in -30..30 {
            let time = [month as f32; 4];
            let mut target = [[0.0; 4]; Target::COUNT];
            add_up(std::slice::from_ref(e), &time, &time, &[1.0; 4], &mut target);
            for lane in 0..4 {
                let amount = target[Target::RanklAntibody as usize][lane];
                all[lane].extend(std::iter::repeat_n(month, (amount / 2.0) as usize));
            }
        }
        all
    }

    #[test]
    fn a_dose_comes_in_the_first_month_and_every_so_many_months_while_the_course_lasts() {
        // To the planned end; stopped in the month of a dose and just before the end of it; begun within a month; never begun.
        let never = NEVER as f32;
        let e = rows([0.0, -12.0, 3.5, never], [24.0, 0.5, 13.0, never], Target::RanklAntibody, 2.0, Some(6));
        let expected = [vec![0, 6, 12, 18], vec![-12, -6, 0], vec![4, 10], vec![]];
        assert_eq!(doses_by_month(&e), expected);
        let stopped_at_a_dose = rows([0.0; 4], [12.0; 4], Target::RanklAntibody, 2.0, Some(6));
        assert_eq!(doses_by_month(&stopped_at_a_dose)[0], [0, 6]);
    }

    #[test]
    fn steps_of_any_length_that_abut_count_every_dose_once() {
        let course = (-301.0, -3.0);
        let whole = doses_within(course, 6.0, -1000.0, 1000.0);
        assert_eq!(whole, 50.0); // at -301, -295, ... -7
        for from in [-312.0_f32, -600.0, -777.0] {
            let (mut sum, mut time) = (0.0, from);
            for step in 0..64 {
                let next = from * (1.0 - (step + 1) as f32 / 64.0);
                sum += doses_within(course, 6.0, f64::from(time), f64::from(next));
                time = next;
            }
            assert_eq!(sum, whole, "from {from}");
        }
    }
}
