//! Populations: tables by age and sex made dense, rates monthly, correlations factored.

use super::request::*;
use super::{CHARACTERISTICS, Distribution, MENOPAUSE_AGE, Normalizers, PRIOR_FRACTURE, Population};
use crate::biology::mortality;
use crate::error::Problems;
use crate::numeric::normal;
use crate::parameters::SEXES;
use crate::table::{Between, ByAgeAndSex, interpolate};
use crate::units::PerYear;

/// Checks knots: same lengths, ascending, values within bounds.
pub(super) fn knots_are_good(ages: &[f64], values: &[f64], place: &str, low: f64, high: f64, problems: &mut Problems) -> bool {
    let before = problems.0.len();
    if ages.is_empty() || ages.len() != values.len() {
        problems.add(place, format!("{} knots and {} values", ages.len(), values.len()), "at least one knot and a value for each");
        return false;
    }
    if !ages.windows(2).all(|w| w[0] < w[1]) {
        problems.add(place, "knots out of order", "ascending knots");
    }
    for value in values {
        problems.require_within(place, *value, low, high);
    }
    problems.0.len() == before
}

fn table_of_knots(knots: [&Knots; 2], place: &str, high: f64, between: Between, problems: &mut Problems) -> ByAgeAndSex {
    let low = if between == Between::LogLinear { f64::MIN_POSITIVE } else { 0.0 };
    let good = knots.iter().zip(SEXES).all(|(k, sex)| knots_are_good(&k.ages, &k.values, &format!("{place}.{sex}"), low, high, problems));
    if !good {
        return ByAgeAndSex::from_fn(|_, _| 0.0);
    }
    // A person of n completed years is n + 1/2 years old on average.
    ByAgeAndSex::from_fn(|sex, age| interpolate(&knots[sex].ages, &knots[sex].values, age as f64 + 0.5, between))
}

fn table_of_years(table: &YearTable, place: &str, high: f64, keep_last: bool, problems: &mut Problems) -> ByAgeAndSex {
    if table.women.is_empty() || table.women.len() != table.men.len() {
        problems.add(place, format!("{} women and {} men", table.women.len(), table.men.len()), "the same number of ages, at least one");
        return ByAgeAndSex::from_fn(|_, _| 0.0);
    }
    for value in table.women.iter().chain(&table.men) {
        problems.require_within(place, *value, 0.0, high);
    }
    let values = [&table.women, &table.men];
    let last = table.women.len() - 1;
    ByAgeAndSex::from_fn(|sex, age| match age.checked_sub(table.first_age) {
        Some(k) if k <= last => values[sex][k],
        Some(_) if keep_last => values[sex][last],
        _ => 0.0,
    })
}

fn per_month(table: ByAgeAndSex) -> ByAgeAndSex {
    ByAgeAndSex::from_fn(|sex, age| PerYear(table.at(sex, age)).per_month().0)
}

pub(super) fn population(
    p: &PopulationRequest,
    place: &str,
    site_ids: &[&str],
    factor_ids: &[&str],
    problems: &mut Problems,
) -> Option<Population> {
    let before = problems.0.len();
    let people = table_of_years(&p.age_structure, &format!("{place}.age_structure"), 1e12, false, problems);
    let q = table_of_years(&p.life_table, &format!("{place}.life_table"), 1.0, true, problems);
    let characteristics = characteristics(p, place, problems);
    let factor = factors(p, place, CHARACTERISTICS.len() + 1 + factor_ids.len(), problems);
    let binary: Vec<&str> = std::iter::once(PRIOR_FRACTURE).chain(factor_ids.iter().copied()).collect();
    let prevalence = binary
        .iter()
        .map(|id| match p.prevalence.iter().find(|t| t.id == *id) {
            Some(t) => table_of_knots([&t.women, &t.men], &format!("{place}.prevalence.{id}"), 1.0, Between::Linear, problems),
            None => {
                problems.add(format!("{place}.prevalence"), format!("no table of {id:?}"), "a prevalence by age and sex");
                ByAgeAndSex::from_fn(|_, _| 0.0)
            }
        })
        .collect();
    let fracture = site_ids
        .iter()
        .map(|id| match p.fracture_incidence.iter().find(|t| t.site == *id) {
            Some(t) => per_month(table_of_knots(
                [&t.women, &t.men],
                &format!("{place}.fracture_incidence.{id}"),
                1.0,
                Between::LogLinear,
                problems,
            )),
            None => {
                problems.add(format!("{place}.fracture_incidence"), format!("no table of {id:?}"), "an incidence by age and sex");
                ByAgeAndSex::from_fn(|_, _| 0.0)
            }
        })
        .collect();
    let fall = per_month(table_of_knots(p.falls.both(), &format!("{place}.falls"), 100.0, Between::LogLinear, problems));
    let one = || ByAgeAndSex::from_fn(|_, _| 1.0);
    (problems.0.len() == before).then(|| Population {
        id: p.id.clone(),
        people,
        death: ByAgeAndSex::from_fn(|sex, age| mortality::monthly_hazard(q.at(sex, age)).0),
        last_age: p.life_table.first_age + p.life_table.women.len() - 1,
        characteristics,
        factor,
        prevalence,
        fracture,
        fall,
        mean: Normalizers { fall: one(), fracture: site_ids.iter().map(|_| one()).collect(), death: one() },
    })
}

fn characteristics(p: &PopulationRequest, place: &str, problems: &mut Problems) -> Vec<Distribution> {
    let mut all = Vec::new();
    for (id, _) in CHARACTERISTICS {
        let place = format!("{place}.characteristics.{id}");
        let Some(c) = p.characteristics.iter().find(|c| c.id == id) else {
            problems.add(place, "no distribution", "location, spread and quantiles by age and sex");
            continue;
        };
        let men = match &c.men {
            Some(men) => men,
            None if id == CHARACTERISTICS[MENOPAUSE_AGE].0 => &c.women, // drawn for everybody, read for women only
            None => {
                problems.add(format!("{place}.men"), "no distribution", "location, spread and quantiles");
                continue;
            }
        };
        for (m, sex) in [&c.women, men].into_iter().zip(SEXES) {
            knots_are_good(&m.ages, &m.location, &format!("{place}.{sex}.location"), -1e6, 1e6, problems);
            knots_are_good(&m.ages, &m.spread, &format!("{place}.{sex}.spread"), 0.0, 1e6, problems);
            knots_are_good(&m.z, &m.q, &format!("{place}.{sex}.quantiles"), -100.0, 100.0, problems);
            if !m.q.windows(2).all(|w| w[0] <= w[1]) {
                problems.add(format!("{place}.{sex}.quantiles"), "a fall", "quantiles that never fall");
            }
        }
        all.push(Distribution { transform: c.transform, marginal: [c.women.clone(), men.clone()] });
    }
    all
}

fn factors(p: &PopulationRequest, place: &str, n: usize, problems: &mut Problems) -> [Vec<Vec<f64>>; 2] {
    let mut both = [Vec::new(), Vec::new()];
    for (k, matrix) in p.correlation.both().into_iter().enumerate() {
        let place = format!("{place}.correlation.{}", SEXES[k]);
        if matrix.len() != n || matrix.iter().any(|row| row.len() != n) {
            problems.add(place, format!("{} rows", matrix.len()), format!("a {n} by {n} matrix"));
            continue;
        }
        match normal::cholesky(matrix) {
            Some(factor) => both[k] = factor,
            None => problems.add(place, "a matrix that is not positive definite", "a correlation matrix"),
        }
    }
    both
}
