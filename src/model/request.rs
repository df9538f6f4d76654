//! A request as it crosses the border: plain data, one JSON text. Nothing here is checked beyond its form; `compile` does that.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The form of request that this core understands.
pub const FORMAT: u32 = 3;

/// Arithmetic of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits, for populations.
    F32,
    /// 64 bits, as a check.
    F64,
}

/// One simulation, complete.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // the form is documented in python/cohortsim/request.py, which writes it
pub struct Request {
    pub format: u32,
    pub seed: u64,
    pub people: u64,
    pub months: u32,
    /// Whether life tables and fracture incidence move on with the calendar.
    pub secular_trend: bool,
    pub precision: Precision,
    pub class_site: String,
    pub record_persons: bool,
    /// Months from index at which change from index is tallied, ascending.
    pub visits: Vec<u32>,
    pub parameters: BTreeMap<String, f64>,
    pub populations: Vec<PopulationRequest>,
    pub risk_factors: Vec<RiskFactorRequest>,
    pub fracture_sites: Vec<FractureSiteRequest>,
    pub cohorts: Vec<CohortRequest>,
    pub arms: Vec<ArmRequest>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct PopulationRequest {
    pub id: String,
    pub age_structure: YearTable,
    pub life_table: LifeTables,
    /// Calendar year of index.
    pub calendar_year: i32,
    /// Calendar year of the fracture incidence.
    pub incidence_year: i32,
    pub trend: Vec<TrendRequest>,
    pub characteristics: Vec<CharacteristicRequest>,
    pub correlation: BySex<Vec<Vec<f64>>>,
    pub prevalence: Vec<NamedTable>,
    pub fracture_incidence: Vec<SiteTable>,
    /// New or worse vertebral deformities, seen or not, per year.
    pub vertebral_deformity: BySex<Knots>,
    pub falls: BySex<Knots>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct YearTable {
    pub first_age: usize,
    pub women: Vec<f64>,
    pub men: Vec<f64>,
}

/// Yearly probabilities of death by calendar year and single year of age.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct LifeTables {
    pub first_age: usize,
    pub years: Vec<i32>,
    pub women: Vec<Vec<f64>>,
    pub men: Vec<Vec<f64>>,
}

/// Change of the natural logarithm of an incidence per calendar year.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct TrendRequest {
    /// A fracture site, or `vertebral_deformity`.
    pub site: String,
    pub women: f64,
    pub men: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct BySex<T> {
    pub women: T,
    pub men: T,
}

impl<T> BySex<T> {
    /// The two, in the order of sex codes.
    pub fn both(&self) -> [&T; 2] {
        [&self.women, &self.men]
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Knots {
    pub ages: Vec<f64>,
    pub values: Vec<f64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct NamedTable {
    pub id: String,
    pub women: Knots,
    pub men: Knots,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct SiteTable {
    pub site: String,
    pub women: Knots,
    pub men: Knots,
}

/// How a characteristic's location + spread x quantile becomes its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Transform {
    Identity,
    Log,
    Log1p,
    /// As it is, also below zero.
    Signed,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct CharacteristicRequest {
    pub id: String,
    pub transform: Transform,
    pub women: Marginal,
    /// Null for what men do not have.
    pub men: Option<Marginal>,
}

/// One characteristic's distribution by age: value = location(age) + spread(age) x quantile(z), z standard normal.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Marginal {
    pub ages: Vec<f64>,
    pub location: Vec<f64>,
    pub spread: Vec<f64>,
    pub z: Vec<f64>,
    pub q: Vec<f64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct EffectRequest {
    pub target: String,
    pub amount: f64,
    /// Null: acts as long as the course lasts; else months from dose to dose.
    pub every_months: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct RiskFactorRequest {
    pub id: String,
    pub hazard_ratios: BTreeMap<String, f64>,
    pub falls_ratio: f64,
    pub mortality_ratio: f64,
    pub effects: Vec<EffectRequest>,
    pub start_month: Option<f64>,
    pub stop_month: Option<f64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct MortalityStepRequest {
    pub from_month: f64,
    pub women: f64,
    pub men: f64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct FractureSiteRequest {
    pub id: String,
    pub decision: u32,
    /// Whether it is a bone of the spine, which breaks level by level.
    pub of_the_spine: bool,
    pub density_site: String,
    pub strength_exponent: f64,
    pub change_exponent: f64,
    pub spread: f64,
    pub turnover_exponent: f64,
    pub microdamage_exponent: f64,
    pub weight_exponent: f64,
    pub height_exponent: f64,
    pub frailty_exponent: f64,
    pub share_from_falls: f64,
    pub prior_fracture_ratio: f64,
    pub healing_draw: f64,
    pub instability: f64,
    pub mobility_loss: f64,
    pub mortality_after: Vec<MortalityStepRequest>,
    pub mortality_until_month: Option<f64>,
    /// Change of ln of that excess per decade of age, by sex; null where it is the same at all ages.
    pub mortality_age_slope: Option<BySex<f64>>,
    /// Probability of entering a nursing home by age; null where nobody does.
    pub nursing_home: Option<BySex<Knots>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct SetRequest {
    pub characteristic: String,
    pub value: f64,
    pub sexes: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct CohortRequest {
    pub name: String,
    pub population: String,
    pub share: f64,
    pub sexes: Vec<String>,
    pub age_from: usize,
    pub age_to: usize,
    pub set: Vec<SetRequest>,
    pub exposures: Vec<ExposureRequest>,
    pub entry: Option<EntryRequest>,
    /// Ratio of its death rates to those of the population.
    pub mortality_ratio: f64,
    /// People whom the user has; their columns come beside the request.
    pub persons: Option<PersonsRequest>,
}

/// People whom the user has.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct PersonsRequest {
    pub rows: usize,
    /// Digest of the columns: other people are another request.
    pub sha256: String,
}

/// Who is recruited into a cohort.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct EntryRequest {
    pub t_scores: Vec<TScoreRequest>,
    /// Whether one of the T-score rules is enough.
    pub any_t_score: bool,
    pub prior_fracture: Option<bool>,
    pub years_since_menopause_from: Option<f64>,
    pub years_since_menopause_to: Option<f64>,
    pub vertebral_deformities: Option<DeformitiesRequest>,
}

/// How many vertebral deformities a recruit has at index, of this grade at least.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct DeformitiesRequest {
    pub at_least: Option<u8>,
    pub at_most: Option<u8>,
    pub grade_at_least: Option<u8>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct TScoreRequest {
    pub site: String,
    pub at_least: Option<f64>,
    pub at_most: Option<f64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct ArmRequest {
    pub name: String,
    pub exposures: Vec<ExposureRequest>,
}

/// From when an exposure's start counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Anchor {
    Index,
    Menopause,
}

/// Share of starters still taking it by months since start.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Persistence {
    pub months: Vec<f64>,
    pub share: Vec<f64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct ExposureRequest {
    pub name: String,
    pub cohort: Option<String>,
    pub sexes: Vec<String>,
    pub age_from: Option<f64>,
    pub age_to: Option<f64>,
    pub site: Option<String>,
    pub t_score_at_most: Option<f64>,
    pub t_score_at_least: Option<f64>,
    pub prior_fracture: Option<bool>,
    pub anchor: Anchor,
    /// Position, in the same list, of the course that this one follows; `start_month` then counts from that one's end.
    pub after: Option<usize>,
    pub start_month: f64,
    pub months: Option<f64>,
    pub uptake: f64,
    pub persistence: Option<Persistence>,
    pub luck: String,
    pub medicine: bool,
    pub effects: Vec<EffectRequest>,
    pub stop: Option<StopRequest>,
}

/// When a course ends before its time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct StopRequest {
    pub every_months: u32,
    pub site: Option<String>,
    pub t_score_at_least: Option<f64>,
    pub at_fracture: bool,
}
