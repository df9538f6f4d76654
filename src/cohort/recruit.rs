//! Recruiting: who a person is at index, from the joint description of the population.
//!
//! A vector of correlated standard normal numbers is drawn (one address each, Cholesky factor of the population's correlation), and each
//! is put through its own distribution at the person's age and sex. Binary characteristics are present where the normal number lies above
//! the quantile of 1 - prevalence. Cohort profiles then replace what they set, and entry rules say who of the candidates is recruited.

use crate::biology::spine::back::logit;
use crate::biology::spine::{Curve, Spine};
use crate::biology::{falls, loading};
use crate::cohort::{entry, spine_at_index};
use crate::model::{self, CHARACTERISTICS, Distribution, Model, Population, TScores, Transform};
use crate::numeric::normal;
use crate::parameters::Parameters;
use crate::random::Recruiting;
use crate::table::{Between, interpolate};

/// A person at index.
#[derive(Clone, Debug)]
pub struct Recruit {
    /// Number of the person.
    pub person: u64,
    /// Which of the candidates screened for this person, from 0; part of the address of everything that was drawn before index.
    pub attempt: u32,
    /// Cohort, by position; [`NO_COHORT`] for people of a reference sample.
    pub cohort: usize,
    /// 0 women, 1 men.
    pub sex: usize,
    /// Age at index, months.
    pub age_months: u32,
    /// Continuous characteristics in the order of [`CHARACTERISTICS`].
    pub values: [f64; CHARACTERISTICS.len()],
    /// Fragility fracture before index.
    pub prior_fracture: bool,
    /// Bit k: k-th risk factor.
    pub risk_factors: u32,
    /// Individual constants of the balance.
    pub individual: Individual,
    /// Habitual load.
    pub habitual_load: f64,
    /// What stays of the individual ratio of falls, before the population's mean is taken out.
    pub fall_ratio: f64,
    /// How the curve of the back is made.
    pub curve: Curve,
    /// Logistic luck of complaints of the back.
    pub back_luck: f64,
    /// Vertebrae at index; known of people of a study.
    pub spine: Spine,
    /// Row of the file of persons, from 0; [`DRAWN`] for people who were drawn.
    pub source_row: i64,
}

/// The cohort of people who belong to a population, not to a study: no profile or medicine of any cohort reaches them.
pub const NO_COHORT: usize = usize::MAX;

/// The row of people who come from no file.
pub const DRAWN: i64 = -1;

/// Largest |z| that a normal number may have; keeps characteristics inside what was measured.
pub(super) const WIDEST: f64 = 5.0;

/// Number of individual constants of the balance.
pub const SPREADS: usize = 7;

/// Their decisions, in the order in which [`Individual::of`] takes the normal numbers.
const INDIVIDUAL: [Recruiting; SPREADS] = [
    Recruiting::Turnover,
    Recruiting::EstrogenSensitivity,
    Recruiting::FormationAgeing,
    Recruiting::Modelling,
    Recruiting::AnabolicResponse,
    Recruiting::DrugSensitivity,
    Recruiting::LoadAgeing,
];

/// Constants of the balance that differ between people.
#[derive(Clone, Copy, Debug)]
pub struct Individual {
    /// Bone turnover relative to the parameter.
    pub turnover: f64,
    /// Estrogen half-effect constant.
    pub estrogen_half_effect: f64,
    /// Decline of formation with age relative to the parameter.
    pub formation_ageing: f64,
    /// Share of modelling relative to the parameter.
    pub modelling: f64,
    /// Response to stimuli of formation relative to the parameter.
    pub anabolic_response: f64,
    /// Sensitivity to antiresorptive medicines relative to the parameter.
    pub drug_sensitivity: f64,
    /// Decline of the mechanical signal with age relative to the parameter.
    pub load_ageing: f64,
}

impl Individual {
    /// Of normal numbers: each constant is lognormal with mean 1 and its coefficient of variation.
    pub fn of(p: &Parameters, normals: &[f64; SPREADS]) -> Self {
        let spread = |k: usize, cv: f64| {
            let variance = libm::log1p(cv * cv);
            libm::exp(libm::sqrt(variance) * normals[k] - 0.5 * variance)
        };
        let c = &p.cohort;
        Individual {
            turnover: spread(0, c.turnover_cv),
            estrogen_half_effect: p.remodeling.estrogen_half_effect * spread(1, c.estrogen_sensitivity_cv),
            formation_ageing: spread(2, c.formation_ageing_cv),
            modelling: spread(3, c.modelling_cv),
            anabolic_response: spread(4, c.anabolic_response_cv),
            drug_sensitivity: spread(5, c.drug_sensitivity_cv),
            load_ageing: spread(6, c.load_decline_cv),
        }
    }
}

impl Recruit {
    /// Completed years of age at index.
    pub fn age_completed(&self) -> usize {
        self.age_months as usize / 12
    }

    /// Has the k-th risk factor.
    pub fn has(&self, factor: usize) -> bool {
        self.risk_factors >> factor & 1 == 1
    }
}

/// The person of this number in the scenario's cohorts: the first candidate who meets the cohort's entry rules.
pub fn recruit(model: &Model, person: u64) -> Recruit {
    // The cohort is drawn once, not once per candidate: its share of the people does not depend on who is eligible.
    let u = model.luck.once(person, 0, Recruiting::Cohort as u32);
    let cohort = model.cohorts.iter().position(|c| u < c.cumulative_share).unwrap_or(model.cohorts.len() - 1);
    let mut recruit = entry::first_eligible(model, cohort, person);
    complete(model, &mut recruit, None);
    recruit.spine = spine_at_index::spine(model, &model.populations[model.cohorts[cohort].population], &recruit);
    recruit
}

/// One candidate for a place in a cohort: what can be known of them when they are screened.
pub fn candidate(model: &Model, cohort_index: usize, person: u64, attempt: u32) -> Recruit {
    let cohort = &model.cohorts[cohort_index];
    let population = &model.populations[cohort.population];
    let mut recruit = match &cohort.persons {
        Some(persons) => {
            let found = persons.find(population, model.luck, model.people, person, attempt);
            let source_row = found.row as i64;
            Recruit { source_row, ..incomplete(model, (person, attempt), found.sex, found.age_months, found.values, &found.present) }
        }
        None => {
            let once = |decision: Recruiting| model.luck.once(person, attempt, decision as u32);
            let u = once(Recruiting::SexAndAge);
            let cell = cohort.cells.partition_point(|cell| cell.2 <= u).min(cohort.cells.len() - 1);
            let (sex, age, _) = cohort.cells[cell];
            let month = (once(Recruiting::BirthMonth) * 12.0) as u32;
            measured(model, population, (person, attempt), sex, age as u32 * 12 + month, None)
        }
    };
    recruit.cohort = cohort_index;
    for (position, value, sexes) in &cohort.set {
        if sexes[recruit.sex] {
            recruit.values[*position] = *value;
        }
    }
    recruit
}

/// People of a sample that is spread evenly.
pub const EVEN_PEOPLE: u64 = 4096;
/// Generator of the lattice on which they stand (Korobov's form): odd, so that every coordinate takes every place once.
const EVEN_STEP: u64 = 1457;
/// Shift of the lattice from one coordinate to the next (its golden section): without it person 0 would have the lowest place in every coordinate at once,
/// somebody who does not exist and breaks more than a hundred others.
const EVEN_SHIFT: u64 = 2531;

/// The j-th independent normal number of the k-th person of an even sample: one point of a lattice, so that a mean over the sample has an
/// error several times smaller than over as many people who are drawn.
fn even_normal(k: u64, j: usize) -> f64 {
    let step = (0..j).fold(1, |step, _| step * EVEN_STEP % EVEN_PEOPLE);
    let place = (k * step + (j as u64 + 1) * EVEN_SHIFT) % EVEN_PEOPLE;
    normal::quantile((place as f64 + 0.5) / EVEN_PEOPLE as f64)
}

/// The k-th person of an even sample of a population, at a given sex and age. What is measured of them and their proneness to falls stand
/// on the lattice, all else is the luck of the number `person`.
pub fn even_person(model: &Model, population: &Population, person: u64, k: u64, sex: usize, age_months: u32) -> Recruit {
    let mut recruit = measured(model, population, (person, 0), sex, age_months, Some(k));
    complete(model, &mut recruit, Some(even_normal(k, population.factor[sex].len())));
    recruit
}

/// What a survey would find of a person; what follows from it is still to come.
pub(super) fn measured(
    model: &Model,
    population: &Population,
    (person, attempt): (u64, u32),
    sex: usize,
    age_months: u32,
    even: Option<u64>,
) -> Recruit {
    let luck = model.luck;
    let n = population.factor[sex].len();
    let independent: Vec<f64> = (0..n)
        .map(|j| match even {
            Some(k) => even_normal(k, j),
            None => normal::quantile(luck.once(person, attempt, Recruiting::Characteristic as u32 + j as u32)),
        })
        .collect();
    let correlated: Vec<f64> = population.factor[sex]
        .iter()
        .map(|row| row.iter().zip(&independent).map(|(l, z)| l * z).sum::<f64>().clamp(-WIDEST, WIDEST))
        .collect();
    let age = f64::from(age_months) / 12.0;
    let mut values = [0.0; CHARACTERISTICS.len()];
    for (k, d) in population.characteristics.iter().enumerate() {
        values[k] = value(d, sex, age, correlated[k]);
    }
    let has = |k: usize| is_present(population, k, sex, age_months, correlated[CHARACTERISTICS.len() + k]);
    let present: Vec<bool> = (0..=model.risk_factors.len()).map(has).collect();
    incomplete(model, (person, attempt), sex, age_months, values, &present)
}

/// A person with what is measured; `present` is the prior fracture, then the risk factors. What follows from it is still to come.
fn incomplete(
    model: &Model,
    (person, attempt): (u64, u32),
    sex: usize,
    age_months: u32,
    values: [f64; CHARACTERISTICS.len()],
    present: &[bool],
) -> Recruit {
    let luck = model.luck;
    let normal_of = |decision: Recruiting| normal::quantile(luck.once(person, attempt, decision as u32)).clamp(-WIDEST, WIDEST);
    Recruit {
        person,
        attempt,
        cohort: NO_COHORT,
        sex,
        age_months,
        values,
        prior_fracture: present[0],
        risk_factors: present[1..].iter().enumerate().filter(|(_, has)| **has).fold(0, |bits, (k, _)| bits | 1 << k),
        individual: Individual::of(&model.parameters, &[0.0; SPREADS]),
        habitual_load: 1.0,
        fall_ratio: 1.0,
        curve: model.spine.posture.curve(normal_of(Recruiting::KyphosisYoung), normal_of(Recruiting::KyphosisAgeing)),
        back_luck: logit(luck.once(person, attempt, Recruiting::BackPain as u32)),
        spine: Spine::INTACT,
        source_row: DRAWN,
    }
}

/// Everything that follows from the characteristics; `proneness` replaces the normal number of falls.
fn complete(model: &Model, recruit: &mut Recruit, proneness: Option<f64>) {
    let p = &model.parameters;
    let normal_of =
        |decision: Recruiting| normal::quantile(model.luck.once(recruit.person, recruit.attempt, decision as u32)).clamp(-WIDEST, WIDEST);
    let individual = Individual::of(p, &INDIVIDUAL.map(normal_of));
    let z = proneness.unwrap_or_else(|| normal_of(Recruiting::FallProneness));
    recruit.individual = individual;
    let activity = recruit.values[model::ACTIVITY];
    recruit.habitual_load = loading::habitual_load(p, recruit.sex, activity, recruit.values[model::BODY_WEIGHT]);
    let factors: f64 = model.risk_factors.iter().enumerate().filter(|(k, _)| recruit.has(*k)).map(|(_, f)| f.falls_ratio).product();
    recruit.fall_ratio = falls::lasting_ratio(p, z, activity) * factors;
}

/// Whether the k-th binary characteristic is there at a normal number.
pub(super) fn is_present(population: &Population, k: usize, sex: usize, age_months: u32, z: f64) -> bool {
    normal::distribution(z) > 1.0 - population.prevalence[k].at(sex, age_months as usize / 12)
}

fn location_and_spread(d: &Distribution, sex: usize, age: f64) -> (f64, f64) {
    let m = &d.marginal[sex];
    let at_age = |values: &[f64]| interpolate(&m.ages, values, age, Between::Linear);
    (at_age(&m.location), at_age(&m.spread))
}

/// A characteristic's value at a normal number.
pub(super) fn value(d: &Distribution, sex: usize, age: f64, z: f64) -> f64 {
    let (location, spread) = location_and_spread(d, sex, age);
    let x = location + spread * quantile(&d.marginal[sex].z, &d.marginal[sex].q, z);
    match d.transform {
        Transform::Identity => x.max(0.0),
        Transform::Signed => x,
        Transform::Log => libm::exp(x),
        Transform::Log1p => libm::expm1(x).max(0.0),
    }
}

/// The normal number at which a characteristic has a value: [`value`] inverted. Where many numbers have the same value, the one in their
/// middle.
pub(super) fn latent(d: &Distribution, sex: usize, age: f64, value: f64) -> f64 {
    let (location, spread) = location_and_spread(d, sex, age);
    let x = match d.transform {
        Transform::Identity | Transform::Signed => value,
        Transform::Log => libm::log(value.max(f64::MIN_POSITIVE)),
        Transform::Log1p => libm::log1p(value.max(0.0)),
    };
    let m = &d.marginal[sex];
    if spread > 0.0 { inverse(&m.z, &m.q, (x - location) / spread) } else { 0.0 }
}

/// Piecewise linear, going on with the last slope outside the knots.
fn quantile(zs: &[f64], qs: &[f64], z: f64) -> f64 {
    let n = zs.len();
    if n == 1 {
        return qs[0];
    }
    let upper = zs.partition_point(|x| *x <= z).clamp(1, n - 1);
    let (a, b) = (zs[upper - 1], zs[upper]);
    let (x, y) = (qs[upper - 1], qs[upper]);
    x + (y - x) * (z - a) / (b - a)
}

/// The inverse of [`quantile`]; `qs` never fall. Beyond a flat end it has no limit.
fn inverse(zs: &[f64], qs: &[f64], q: f64) -> f64 {
    let n = zs.len();
    if n == 1 {
        return 0.0; // one value for everybody tells nothing
    }
    let (below, upto) = (qs.partition_point(|x| *x < q), qs.partition_point(|x| *x <= q));
    if upto > below + 1 {
        return 0.5 * (zs[below] + zs[upto - 1]);
    }
    let upper = upto.clamp(1, n - 1);
    let (a, b) = (zs[upper - 1], zs[upper]);
    let (x, y) = (qs[upper - 1], qs[upper]);
    if x == y {
        return f64::INFINITY.copysign(q - x); // beyond a flat end
    }
    a + (b - a) * (q - x) / (y - x)
}

/// T-score at index.
pub fn t_score(model: &Model, recruit: &Recruit, site: usize) -> f64 {
    let d = &model.parameters.density;
    (recruit.values[model::ABMD_OF_SITE[site]] - d.reference_mean[site]) / d.reference_sd[site]
}

/// Whether a person's T-score at index lies in a range.
pub fn has_t_score(model: &Model, recruit: &Recruit, range: &TScores) -> bool {
    (range.at_least..=range.at_most).contains(&t_score(model, recruit, range.site))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_sample_takes_every_place_once_in_every_coordinate() {
        for j in [0, 1, 5, 18] {
            let mut places: Vec<f64> = (0..EVEN_PEOPLE).map(|k| even_normal(k, j)).collect();
            places.sort_unstable_by(f64::total_cmp);
            let expected = |k: u64| normal::quantile((k as f64 + 0.5) / EVEN_PEOPLE as f64);
            assert!(places.iter().zip(0..).all(|(z, k)| *z == expected(k)));
        }
        // Two coordinates of it together have no correlation to speak of.
        let product = (0..EVEN_PEOPLE).map(|k| even_normal(k, 2) * even_normal(k, 10)).sum::<f64>() / EVEN_PEOPLE as f64;
        assert!(product.abs() < 0.02, "{product}");
    }

    #[test]
    fn quantiles_go_on_with_their_last_slope() {
        let (z, q) = ([-1.0, 0.0, 1.0], [-2.0, 0.0, 1.0]);
        assert_eq!(quantile(&z, &q, -2.0), -4.0);
        assert_eq!(quantile(&z, &q, 0.5), 0.5);
        assert_eq!(quantile(&z, &q, 3.0), 3.0);
    }

    #[test]
    fn inverses_give_back_what_quantiles_took() {
        let (z, q) = ([-1.0, 0.0, 0.5, 1.0, 2.0], [-2.0, 0.0, 1.0, 1.0, 5.0]);
        for x in [-4.0, -1.5, -1.0, -0.3, 0.0, 0.2, 1.5, 2.0, 7.0] {
            assert!((inverse(&z, &q, quantile(&z, &q, x)) - x).abs() < 1e-14, "{x}");
        }
        assert_eq!(inverse(&z, &q, 1.0), 0.75); // anything from 0.5 to 1
        assert_eq!(inverse(&[0.0, 1.0], &[0.0, 0.0], 2.0), f64::INFINITY);
        assert_eq!(inverse(&[0.0, 1.0], &[0.0, 0.0], -2.0), f64::NEG_INFINITY);
    }

    #[test]
    fn latent_numbers_give_back_values_and_values_latent_numbers() {
        let model = Model::from_json(model::FIXTURE).unwrap();
        for d in &model.populations[0].characteristics {
            for (sex, age, z) in [(0, 55.3, -2.1), (1, 71.0, 0.4), (0, 90.2, 3.3), (1, 50.0, -0.7)] {
                let x = value(d, sex, age, z);
                let again = value(d, sex, age, latent(d, sex, age, x));
                assert!((again - x).abs() <= 1e-9 * (1.0 + x.abs()), "{x} {again}");
            }
        }
    }
}
