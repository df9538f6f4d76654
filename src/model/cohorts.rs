//! Cohorts: who is in, who is recruited, what is set.

use super::compile::which_sexes;
use super::exposures::{Place, exposures, t_scores};
use super::request::*;
use super::{CHARACTERISTICS, Cohort, Deformities, Entry, Exposure, FRAILTY, Population};
use crate::cohort::persons::{Columns, Persons};
use crate::error::Problems;
use crate::parameters::{LEVELS, Parameters};
use crate::table::AGES;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The last age of a cohort holds everybody who is older, too.
const OLDEST: usize = 100;
/// Shares of cohorts must add up to 1 within this.
const SHARE_TOLERANCE: f64 = 1e-9;

/// What cohorts refer to.
pub(super) struct Known<'a> {
    /// Populations as they were requested.
    pub requested: &'a [PopulationRequest],
    /// Those of them without problems.
    pub populations: &'a [Population],
    /// Parameters of the biology.
    pub parameters: &'a Parameters,
    /// Ids of the risk factors.
    pub factor_ids: &'a [&'a str],
    /// Months of follow-up.
    pub months: u32,
}

pub(super) fn cohorts(
    requested: &[CohortRequest],
    known: &Known<'_>,
    persons: &BTreeMap<String, Columns>,
    problems: &mut Problems,
) -> Vec<Cohort> {
    let Known { requested: named, populations, parameters, factor_ids, months } = *known;
    let cohort_names: Vec<&str> = requested.iter().map(|c| c.name.as_str()).collect();
    let total: f64 = requested.iter().map(|c| c.share).sum();
    if requested.is_empty() || requested.len() > usize::from(u8::MAX) {
        problems.add("cohorts", requested.len().to_string(), "1 to 255 cohorts");
    } else if (total - 1.0).abs() > SHARE_TOLERANCE {
        problems.add("cohorts", format!("shares that add up to {total}"), "shares that add up to 1");
    }
    let mut cumulative_share = 0.0;
    let mut all = Vec::new();
    for (k, c) in requested.iter().enumerate() {
        let place = format!("cohorts[{k}]");
        problems.require_within(&format!("{place}.share"), c.share, f64::MIN_POSITIVE, 1.0 + SHARE_TOLERANCE);
        let Some(position) = named.iter().position(|p| p.id == c.population) else {
            problems.add(format!("{place}.population"), format!("no population {:?}", c.population), "a population of the request");
            continue;
        };
        cumulative_share += c.share;
        let sexes = which_sexes(&c.sexes, &format!("{place}.sexes"), problems);
        problems.require_within(&format!("{place}.mortality_ratio"), c.mortality_ratio, 0.05, 20.0);
        if c.age_from < parameters.cohort.youngest_age as usize {
            problems.add(format!("{place}.age_from"), c.age_from.to_string(), format!("{} years or more", parameters.cohort.youngest_age));
        }
        let set = c
            .set
            .iter()
            .enumerate()
            .filter_map(|(j, s)| {
                let place = format!("{place}.set[{j}]");
                let who = which_sexes(&s.sexes, &place, problems);
                let lowest = if s.characteristic == CHARACTERISTICS[FRAILTY].0 { -1e6 } else { 0.0 };
                problems.require_within(&format!("{place}.value"), s.value, lowest, 1e6);
                match CHARACTERISTICS.iter().position(|(id, _)| *id == s.characteristic) {
                    Some(position) => Some((position, s.value, who)),
                    None => {
                        problems.add(
                            place,
                            format!("no characteristic {:?}", s.characteristic),
                            CHARACTERISTICS.map(|(id, _)| id).join(", "),
                        );
                        None
                    }
                }
            })
            .collect();
        let mut own = None;
        // Populations are compiled only without problems; then positions agree.
        let cells = if populations.len() == named.len() {
            let population = &populations[position];
            let last_year = c.age_from + months as usize / 12;
            if last_year > population.last_age + 1 {
                problems.add(
                    format!("{place}.age_from"),
                    format!("{} years of follow-up from age {}", months / 12, c.age_from),
                    format!(
                        "at most {}: the life table ends at age {}",
                        (population.last_age + 1).saturating_sub(c.age_from),
                        population.last_age
                    ),
                );
            }
            match &c.persons {
                Some(requested) => {
                    let place = format!("{place}.persons");
                    let ages = (c.age_from, if c.age_to >= OLDEST { usize::MAX } else { c.age_to });
                    let given = columns(requested.rows, persons.get(&c.name), &place, problems);
                    own = given.and_then(|columns| Persons::new(columns, population, factor_ids, (sexes, ages), &place, problems));
                    own.as_ref().map_or_else(Vec::new, Persons::cells)
                }
                None => cells_of(population, sexes, c.age_from, c.age_to, &place, problems),
            }
        } else {
            Vec::new()
        };
        all.push(Cohort {
            name: c.name.clone(),
            population: position,
            cumulative_share,
            cells,
            set,
            exposures: exposures(&c.exposures, &place, &cohort_names, Place::Cohort, problems)
                .into_iter()
                .map(|e| Exposure { cohort: Some(k), ..e })
                .collect(),
            entry: c.entry.as_ref().map(|e| entry(e, &format!("{place}.entry"), problems)),
            mortality_ratio: c.mortality_ratio,
            persons: own.map(Arc::new),
        });
    }
    for name in persons.keys().filter(|name| !requested.iter().any(|c| c.name == **name && c.persons.is_some())) {
        problems.add("persons", format!("columns of {name:?}"), "columns of cohorts with persons only");
    }
    all
}

/// The columns of a cohort's people: there, and of the length that the request says.
fn columns<'a>(rows: usize, given: Option<&'a Columns>, place: &str, problems: &mut Problems) -> Option<&'a Columns> {
    let Some(columns) = given else {
        problems.add(place, "no columns", "columns of numbers beside the request");
        return None;
    };
    let before = problems.0.len();
    for (name, column) in columns.iter().filter(|(_, c)| c.len() != rows) {
        problems.add(format!("{place}.{name}"), format!("{} rows", column.len()), format!("{rows} rows"));
    }
    (problems.0.len() == before).then_some(columns)
}

/// Most years since menopause that a rule may name.
const MOST_YEARS_SINCE_MENOPAUSE: f64 = 100.0;

fn entry(requested: &EntryRequest, place: &str, problems: &mut Problems) -> Entry {
    let rules = requested.t_scores.iter().enumerate();
    let t_scores = rules
        .filter_map(|(k, t)| t_scores(Some(&t.site), t.at_least, t.at_most, (&format!("{place}.t_scores[{k}]"), ""), problems))
        .collect();
    let (from, to) = (requested.years_since_menopause_from, requested.years_since_menopause_to);
    let years_since_menopause = (from.is_some() || to.is_some()).then(|| {
        let (from, to) = (from.unwrap_or(0.0), to.unwrap_or(MOST_YEARS_SINCE_MENOPAUSE));
        problems.require_within(&format!("{place}.years_since_menopause_from"), from, 0.0, MOST_YEARS_SINCE_MENOPAUSE);
        problems.require_within(&format!("{place}.years_since_menopause_to"), to, from, MOST_YEARS_SINCE_MENOPAUSE);
        (from, to)
    });
    let deformities = requested.vertebral_deformities.as_ref().map(|d| {
        let most = LEVELS.len() as u8;
        let rule =
            Deformities { at_least: d.at_least.unwrap_or(0), at_most: d.at_most.unwrap_or(most), grade: d.grade_at_least.unwrap_or(1) };
        let place = format!("{place}.vertebral_deformities");
        problems.require_within(&format!("{place}.at_least"), f64::from(rule.at_least), 0.0, f64::from(most));
        problems.require_within(&format!("{place}.at_most"), f64::from(rule.at_most), f64::from(rule.at_least), f64::from(most));
        problems.require_within(&format!("{place}.grade_at_least"), f64::from(rule.grade), 1.0, 3.0);
        rule
    });
    Entry { t_scores, any_t_score: requested.any_t_score, prior_fracture: requested.prior_fracture, years_since_menopause, deformities }
}

/// Cells of sex and age with the cumulative share of the people up to each.
fn cells_of(
    population: &Population,
    sexes: [bool; 2],
    from: usize,
    to: usize,
    place: &str,
    problems: &mut Problems,
) -> Vec<(usize, usize, f64)> {
    let mut cells = Vec::new();
    let mut total = 0.0;
    for sex in (0..2).filter(|s| sexes[*s]) {
        for age in from..=to.min(AGES - 1) {
            let people = population.people.at(sex, age);
            if people > 0.0 {
                total += people;
                cells.push((sex, age, total));
            }
        }
    }
    if cells.is_empty() {
        problems.add(
            place,
            format!("nobody aged {from} to {to} in population {:?}", population.id),
            "a sex and an age range that somebody is in",
        );
    }
    cells.iter_mut().for_each(|cell| cell.2 /= total);
    cells
}
