//! Populations: tables by age and sex made dense, rates monthly, correlations factored.

use super::request::*;
use super::{CHARACTERISTICS, Distribution, MENOPAUSE_AGE, Normalizers, PRIOR_FRACTURE, Population};
use crate::biology::mortality;
use crate::error::Problems;
use crate::numeric::normal;
use crate::parameters::SEXES;
use crate::table::{Between, ByAgeAndSex, ByYear, interpolate};
use crate::units::PerYear;

/// What the trend of vertebral deformities, seen or not, is called beside those of fracture sites.
const VERTEBRAL_DEFORMITY: &str = "vertebral_deformity";

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

pub(super) fn table_of_knots(knots: [&Knots; 2], place: &str, high: f64, between: Between, problems: &mut Problems) -> ByAgeAndSex {
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

fn life_tables(tables: &LifeTables, place: &str, problems: &mut Problems) -> ByYear {
    let n = tables.years.len();
    let nobody = ByYear { years: vec![0], tables: vec![ByAgeAndSex::from_fn(|_, _| 0.0)] };
    if n == 0 || tables.women.len() != n || tables.men.len() != n {
        problems.add(
            place,
            format!("{n} years, {} tables of women, {} of men", tables.women.len(), tables.men.len()),
            "a table of each for every year",
        );
        return nobody;
    }
    if !tables.years.windows(2).all(|w| w[0] < w[1]) {
        problems.add(format!("{place}.years"), format!("{:?}", tables.years), "ascending years");
    }
    if !tables.women.iter().all(|t| t.len() == tables.women[0].len()) {
        problems.add(place, "tables of different length", "the same ages in every year");
    }
    let hazards = (0..n).map(|k| {
        let q = YearTable { first_age: tables.first_age, women: tables.women[k].clone(), men: tables.men[k].clone() };
        let q = table_of_years(&q, &format!("{place}.{}", tables.years[k]), 1.0, true, problems);
        ByAgeAndSex::from_fn(|sex, age| mortality::monthly_hazard(q.at(sex, age)).0)
    });
    let tables_of_years = hazards.collect();
    ByYear { years: tables.years.clone(), tables: tables_of_years }
}

/// Trends of fracture sites, by position, and of vertebral deformities.
fn trends(requested: &[TrendRequest], site_ids: &[&str], place: &str, problems: &mut Problems) -> (Vec<[f64; 2]>, [f64; 2]) {
    let mut of_sites = vec![[0.0; 2]; site_ids.len()];
    let mut of_deformities = [0.0; 2];
    for trend in requested {
        let place = format!("{place}.{}", trend.site);
        problems.require_within(&place, trend.women, -0.2, 0.2);
        problems.require_within(&place, trend.men, -0.2, 0.2);
        let both = [trend.women, trend.men];
        match site_ids.iter().position(|id| *id == trend.site) {
            Some(site) => of_sites[site] = both,
            None if trend.site == VERTEBRAL_DEFORMITY => of_deformities = both,
            None => problems.add(place, "no such fracture site", format!("one of {}, {VERTEBRAL_DEFORMITY}", site_ids.join(", "))),
        }
    }
    (of_sites, of_deformities)
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
    let death = life_tables(&p.life_table, &format!("{place}.life_table"), problems);
    let (trend, deformity_trend) = trends(&p.trend, site_ids, &format!("{place}.trend"), problems);
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
    let deformity = per_month(table_of_knots(
        p.vertebral_deformity.both(),
        &format!("{place}.vertebral_deformity"),
        10.0,
        Between::LogLinear,
        problems,
    ));
    let fall = per_month(table_of_knots(p.falls.both(), &format!("{place}.falls"), 100.0, Between::LogLinear, problems));
    let [zero, one] = [0.0, 1.0].map(|value| ByAgeAndSex::from_fn(|_, _| value));
    let offset = vec![zero.clone(); site_ids.len()];
    (problems.0.len() == before).then(|| Population {
        id: p.id.clone(),
        people,
        death,
        calendar_year: p.calendar_year,
        incidence_year: p.incidence_year,
        trend,
        deformity_trend,
        last_age: p.life_table.first_age + p.life_table.women[0].len() - 1,
        characteristics,
        factor,
        prevalence,
        fracture,
        deformity,
        fall,
        mean: Normalizers {
            fall: one.clone(),
            fall_undated: one.clone(),
            offset: offset.clone(),
            offset_undated: offset,
            offset_history: zero,
            recorded: one.clone(),
            course: std::array::from_fn(|_| one.clone()),
            death: one,
        },
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
