//! The model of one study: plain data in (`Request`), an immutable `Model` out, checked and dense.

mod cohorts;
pub mod compile;
mod exposures;
pub mod normalize;
pub mod offset;
mod populations;
pub mod request;
pub mod spine;

use crate::biology::fracture::FractureSite;
use crate::cohort::persons::Persons;
use crate::exposure::Effect;
use crate::numeric::cpu::Cpu;
use crate::parameters::Parameters;
use crate::random::Luck;
use crate::table::{ByAgeAndSex, ByYear};
pub use request::{Anchor, Persistence, Precision, Transform};
use std::sync::Arc;

/// Continuous characteristics of a person, in the order of every array of them.
pub const CHARACTERISTICS: [(&str, &str); 11] = [
    ("abmd_femoral_neck", "g/cm2"),
    ("abmd_total_hip", "g/cm2"),
    ("abmd_lumbar_spine", "g/cm2"),
    ("abmd_distal_radius", "g/cm2"),
    ("body_weight", "kg"),
    ("height", "cm"),
    ("calcium_intake", "mg/d"),
    ("serum_25ohd", "nmol/L"),
    ("activity", "MET.min/wk"),
    ("menopause_age", "a"),
    ("frailty", "1"),
];
/// Position of a density site's aBMD in the characteristics.
pub const ABMD_OF_SITE: [usize; 4] = [2, 1, 0, 3];
/// Positions of the other characteristics that the model reads.
pub const BODY_WEIGHT: usize = 4;
/// Height.
pub const HEIGHT: usize = 5;
/// Usual calcium intake.
pub const CALCIUM_INTAKE: usize = 6;
/// Serum 25-hydroxyvitamin D.
pub const SERUM_25OHD: usize = 7;
/// Physical activity.
pub const ACTIVITY: usize = 8;
/// Age at the final menstrual period.
pub const MENOPAUSE_AGE: usize = 9;
/// Frailty.
pub const FRAILTY: usize = 10;
/// The binary characteristic that the model itself knows.
pub const PRIOR_FRACTURE: &str = "prior_fracture";

/// One characteristic's distribution, by sex.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// How location + spread x quantile becomes a value.
    pub transform: Transform,
    /// By sex.
    pub marginal: [request::Marginal; 2],
}

/// A population, compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct Population {
    /// Id of its data folder.
    pub id: String,
    /// Living people by sex and completed years of age.
    pub people: ByAgeAndSex,
    /// Monthly hazard of death of the life tables, by calendar year.
    pub death: ByYear,
    /// Calendar year of index.
    pub calendar_year: i32,
    /// Calendar year of the fracture incidence.
    pub incidence_year: i32,
    /// Change of ln incidence per calendar year, by fracture site and sex.
    pub trend: Vec<[f64; 2]>,
    /// The same of vertebral deformities, by sex.
    pub deformity_trend: [f64; 2],
    /// Last age of the life table, completed years.
    pub last_age: usize,
    /// Distributions of the continuous characteristics.
    pub characteristics: Vec<Distribution>,
    /// Cholesky factor of the latent-normal correlation, by sex: continuous, prior fracture, risk factors.
    pub factor: [Vec<Vec<f64>>; 2],
    /// Prevalence of prior fracture and of each risk factor.
    pub prevalence: Vec<ByAgeAndSex>,
    /// Monthly fracture incidence by site.
    pub fracture: Vec<ByAgeAndSex>,
    /// Monthly incidence of new or worse vertebral deformities.
    pub deformity: ByAgeAndSex,
    /// Monthly hazard of falls.
    pub fall: ByAgeAndSex,
    /// What makes the population's own people come out at its own rates.
    pub mean: Normalizers,
}

impl Population {
    /// Monthly incidence that a site's own hazard has on average: for the spine that of all deformities, noticed or not.
    pub fn breaking(&self, sites: &[FractureSite], site: usize) -> &ByAgeAndSex {
        if sites[site].of_the_spine { &self.deformity } else { &self.fracture[site] }
    }
}

/// What individual risks are related to, by age and sex, so that their mean over the population is the population's rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalizers {
    /// Mean individual fall ratio.
    pub fall: ByAgeAndSex,
    /// Mean individual fall ratio without the instability after earlier fractures.
    pub fall_undated: ByAgeAndSex,
    /// Offset of load against strength, of each fracture site.
    pub offset: Vec<ByAgeAndSex>,
    /// The same without anything that earlier fractures bring: what dates them.
    pub offset_undated: Vec<ByAgeAndSex>,
    /// Offset of load against strength of intact spines, by what is measured alone.
    pub offset_history: ByAgeAndSex,
    /// Share of the compressions that come to clinical attention that registers record.
    pub recorded: ByAgeAndSex,
    /// Mean relative hazard of death.
    pub death: ByAgeAndSex,
    /// Usual density relative to the young adult (geometric mean), by density site.
    pub course: [ByAgeAndSex; 4],
}

/// A risk factor, compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct RiskFactor {
    /// Id of its data file.
    pub id: String,
    /// ln of the hazard ratio at each fracture site.
    pub ln_ratio: Vec<f64>,
    /// Ratio of fall rates.
    pub falls_ratio: f64,
    /// Ratio of death rates.
    pub mortality_ratio: f64,
    /// What it acts on.
    pub effects: Vec<Effect>,
    /// Months from index from which it acts.
    pub start_month: f64,
    /// Months from index until which it acts.
    pub stop_month: f64,
}

/// T-scores at a density site, from and to (included).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TScores {
    /// Density site.
    pub site: usize,
    /// Lowest.
    pub at_least: f64,
    /// Highest.
    pub at_most: f64,
}

/// When a course ends before its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop {
    /// Months of the course from one judgement to the next.
    pub every_months: u32,
    /// Density site and T-score at or above which the course stops when it is judged.
    pub t_score: Option<(usize, f64)>,
    /// Whether it stops at the end of the month of a fracture.
    pub at_fracture: bool,
}

/// An exposure of an arm, a cohort profile or a risk factor, compiled.
#[derive(Clone, Debug)]
pub struct Exposure {
    /// For messages and traces.
    pub name: String,
    /// Only people of this cohort.
    pub cohort: Option<usize>,
    /// By sex.
    pub sexes: [bool; 2],
    /// Completed years at index, from and to (included).
    pub ages: (f64, f64),
    /// Only people with such a T-score at index.
    pub t_score: Option<TScores>,
    /// Only people with (or without) a fragility fracture before index.
    pub prior_fracture: Option<bool>,
    /// From when the start counts.
    pub anchor: Anchor,
    /// Position, in its own list, of the course that it follows; the start then counts from that one's end.
    pub after: Option<usize>,
    /// Months from the anchor or from the end of the course that it follows.
    pub start_month: f64,
    /// Planned length, months.
    pub months: f64,
    /// Share of the eligible who start.
    pub uptake: f64,
    /// Real-life persistence.
    pub persistence: Option<Persistence>,
    /// Address of its luck.
    pub luck: u32,
    /// Whether it is a medicine (counts in `medicine_months`).
    pub medicine: bool,
    /// What it acts on.
    pub effects: Vec<Effect>,
    /// When it ends before its time.
    pub stop: Option<Stop>,
}

/// Who is recruited into a cohort; all of it must hold.
#[derive(Clone, Debug)]
pub struct Entry {
    /// T-scores at index.
    pub t_scores: Vec<TScores>,
    /// Whether one of the T-scores is enough.
    pub any_t_score: bool,
    /// With (or without) a fragility fracture before index.
    pub prior_fracture: Option<bool>,
    /// Years since the final menstrual period, from and to (included): women only.
    pub years_since_menopause: Option<(f64, f64)>,
    /// Vertebral deformities at index.
    pub deformities: Option<Deformities>,
}

/// How many vertebral deformities a recruit has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deformities {
    /// Fewest.
    pub at_least: u8,
    /// Most.
    pub at_most: u8,
    /// Only those of this grade or worse count.
    pub grade: u8,
}

/// A cohort, compiled.
#[derive(Clone, Debug)]
pub struct Cohort {
    /// Its name in the scenario.
    pub name: String,
    /// Which population.
    pub population: usize,
    /// Cumulative share of all cohorts up to this one.
    pub cumulative_share: f64,
    /// Cells of sex and age with the cumulative share of people up to each.
    pub cells: Vec<(usize, usize, f64)>,
    /// Characteristics replaced: position, value, for which sexes.
    pub set: Vec<(usize, f64, [bool; 2])>,
    /// Profiles and medicines of this cohort, in every arm.
    pub exposures: Vec<Exposure>,
    /// Who is recruited; `None`: everybody.
    pub entry: Option<Entry>,
    /// Ratio of its death rates to those of the population.
    pub mortality_ratio: f64,
    /// People whom the user has, in place of people who are drawn.
    pub persons: Option<Arc<Persons>>,
}

/// An arm, compiled.
#[derive(Clone, Debug)]
pub struct Arm {
    /// Its name in the scenario.
    pub name: String,
    /// Its exposures.
    pub exposures: Vec<Exposure>,
}

/// A study, compiled: immutable and shared by all threads.
#[derive(Clone, Debug)]
pub struct Model {
    /// Parameters of the biology.
    pub parameters: Parameters,
    /// Populations that cohorts come from.
    pub populations: Vec<Population>,
    /// Risk factors, in the order of their bits.
    pub risk_factors: Vec<RiskFactor>,
    /// Fracture sites, in the order of event codes.
    pub fracture_sites: Vec<FractureSite>,
    /// The spine.
    pub spine: spine::SpineModel,
    /// Cohorts of the scenario.
    pub cohorts: Vec<Cohort>,
    /// Arms of the scenario.
    pub arms: Vec<Arm>,
    /// Luck of the seed.
    pub luck: Luck,
    /// People of the scenario.
    pub people: u64,
    /// Months of follow-up.
    pub months: u32,
    /// Whether life tables and fracture incidence move on with the calendar.
    pub secular_trend: bool,
    /// Months from index at which change from index is tallied, ascending.
    pub visits: Vec<u32>,
    /// Density site that classifies.
    pub class_site: usize,
    /// Whether persons and their follow-up are recorded one by one.
    pub record_persons: bool,
    /// Arithmetic.
    pub precision: Precision,
    /// Instructions that the kernel runs on; results do not depend on them.
    pub cpu: Cpu,
}

/// The request that the shipped scenario makes, kept in step by a test in Python.
#[cfg(test)]
pub const FIXTURE: &str = include_str!("../tests/fixtures/request.json");

/// The shipped parameters.
#[cfg(test)]
pub fn test_parameters() -> Parameters {
    test_parameters_scaled(&[1.0])
}

/// The shipped parameters, each times one of these factors in turn; shares stay shares.
#[cfg(test)]
pub fn test_parameters_scaled(factors: &[f64]) -> Parameters {
    let request: request::Request = serde_json::from_str(FIXTURE).expect("the fixture is a request");
    let mut problems = crate::error::Problems::default();
    let scaled = |(k, (name, value)): (usize, (String, f64))| {
        let factor = factors[k % factors.len()];
        let share = ["share", "loss", "residue", "max", "efficacy", "adaptation", "tolerance", "floor"].iter().any(|w| name.contains(w));
        let bounded = share && value > 0.0 && value <= 1.0;
        (name, if bounded && factor != 1.0 { (value * factor).min(0.98) } else { value * factor })
    };
    let parameters = Parameters::take(request.parameters.into_iter().enumerate().map(scaled).collect(), &mut problems);
    assert!(problems.0.is_empty(), "{problems:?}");
    parameters
}
