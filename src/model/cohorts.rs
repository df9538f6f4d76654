//! Cohorts and arms: who is in, what is set, what acts on them and when.

use super::compile::{density_site, effects, which_sexes};
use super::populations::knots_are_good;
use super::request::*;
use super::{Anchor, CHARACTERISTICS, Cohort, Exposure, Population};
use crate::error::Problems;
use crate::parameters::Parameters;
use crate::random;
use crate::table::AGES;

/// Shares of cohorts must add up to 1 within this.
const SHARE_TOLERANCE: f64 = 1e-9;

pub(super) fn exposures(
    requested: &[ExposureRequest],
    place: &str,
    cohort_names: &[&str],
    in_arm: bool,
    problems: &mut Problems,
) -> Vec<Exposure> {
    let mut all = Vec::new();
    for (k, e) in requested.iter().enumerate() {
        let place = format!("{place}.exposures[{k}]");
        let cohort = e.cohort.as_ref().map(|name| {
            cohort_names.iter().position(|c| c == name).unwrap_or_else(|| {
                problems.add(format!("{place}.cohort"), format!("no cohort {name:?}"), format!("one of {}", cohort_names.join(", ")));
                0
            })
        });
        problems.require_within(&format!("{place}.uptake"), e.uptake, 0.0, 1.0);
        problems.require_within(&format!("{place}.start_month"), e.start_month, -1200.0, 1200.0);
        let months = e.months.unwrap_or(crate::block::NEVER);
        problems.require_within(&format!("{place}.months"), months, f64::MIN_POSITIVE, crate::block::NEVER);
        if in_arm && (e.start_month < 0.0 || e.anchor != Anchor::Index) {
            problems.add(format!("{place}.start_month"), e.start_month.to_string(), "a month from index on: arms part at index");
        }
        if let Some(p) = &e.persistence {
            let starts_full = p.months.first() == Some(&0.0) && p.share.first() == Some(&1.0);
            let falls = p.share.windows(2).all(|w| w[0] >= w[1]);
            if !knots_are_good(&p.months, &p.share, &format!("{place}.persistence"), 1e-9, 1.0, problems)
                || !starts_full
                || !falls
                || p.months.len() < 2
            {
                problems.add(
                    format!("{place}.persistence"),
                    "this curve",
                    "shares that start at 1 in month 0 and never rise, at least two",
                );
            }
        }
        let t_score = match (&e.site, e.t_score_at_most) {
            (Some(site), Some(t)) => {
                problems.require_within(&format!("{place}.t_score_at_most"), t, -20.0, 20.0);
                Some((density_site(site, &format!("{place}.site"), problems), t))
            }
            (None, None) => None,
            _ => {
                problems.add(&place, "a site without a T-score or a T-score without a site", "both or none");
                None
            }
        };
        all.push(Exposure {
            name: e.name.clone(),
            cohort,
            sexes: which_sexes(&e.sexes, &format!("{place}.sexes"), problems),
            ages: (e.age_from.unwrap_or(0.0), e.age_to.unwrap_or(AGES as f64)),
            t_score,
            anchor: e.anchor,
            start_month: e.start_month,
            months,
            uptake: e.uptake,
            persistence: e.persistence.clone(),
            luck: random::Recruiting::Exposure as u32 + random::address_of_name(&e.luck),
            medicine: e.medicine,
            effects: effects(&e.effects, &place, problems),
        });
    }
    all
}

pub(super) fn cohorts(
    requested: &[CohortRequest],
    named: &[PopulationRequest],
    cohort_names: &[&str],
    populations: &[Population],
    parameters: &Parameters,
    months: u32,
    problems: &mut Problems,
) -> Vec<Cohort> {
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
                problems.require_within(&format!("{place}.value"), s.value, 0.0, 1e6);
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
            cells_of(population, sexes, c.age_from, c.age_to, &place, problems)
        } else {
            Vec::new()
        };
        all.push(Cohort {
            name: c.name.clone(),
            population: position,
            cumulative_share,
            cells,
            set,
            exposures: exposures(&c.exposures, &place, cohort_names, false, problems),
        });
    }
    all
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
