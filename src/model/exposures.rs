//! Exposures of arms and cohorts: for whom, from when to when, in which sequence, on what they act.

use super::compile::{density_site, which_sexes};
use super::populations::knots_are_good;
use super::request::*;
use super::{Anchor, Exposure, Stop, TScores};
use crate::block::NEVER;
use crate::error::Problems;
use crate::exposure::{Effect, Target};
use crate::random;
use crate::table::AGES;

/// Longest time that a course may wait or last, or that may pass between doses or judgements, months.
const LONGEST: f64 = 1200.0;
/// T-scores that a rule may name lie within this of 0.
const WIDEST_T_SCORE: f64 = 20.0;

/// What a list of exposures belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A cohort: acts in every arm, also before index.
    Cohort,
    /// An arm: acts from index on.
    Arm,
}

pub(super) fn exposures(
    requested: &[ExposureRequest],
    owner: &str,
    cohort_names: &[&str],
    list: Place,
    problems: &mut Problems,
) -> Vec<Exposure> {
    let mut all: Vec<Exposure> = Vec::new();
    for (k, e) in requested.iter().enumerate() {
        let place = format!("{owner}.exposures[{k}]");
        let cohort = e.cohort.as_ref().map(|name| {
            cohort_names.iter().position(|c| c == name).unwrap_or_else(|| {
                problems.add(format!("{place}.cohort"), format!("no cohort {name:?}"), format!("one of {}", cohort_names.join(", ")));
                0
            })
        });
        problems.require_within(&format!("{place}.uptake"), e.uptake, 0.0, 1.0);
        let months = e.months.unwrap_or(NEVER);
        problems.require_within(&format!("{place}.months"), months, f64::MIN_POSITIVE, NEVER);
        starts_in_time(e, &all, &place, list, problems);
        if let Some(p) = &e.persistence {
            persistence_falls_from_one(p, &format!("{place}.persistence"), problems);
        }
        let t_score = match (&e.site, e.t_score_at_least, e.t_score_at_most) {
            (None, None, None) => None,
            (site, low, high) => t_scores(site.as_ref(), low, high, (&place, "t_score_"), problems),
        };
        all.push(Exposure {
            name: e.name.clone(),
            cohort,
            sexes: which_sexes(&e.sexes, &format!("{place}.sexes"), problems),
            ages: (e.age_from.unwrap_or(0.0), e.age_to.unwrap_or(AGES as f64)),
            t_score,
            prior_fracture: e.prior_fracture,
            anchor: e.anchor,
            after: e.after,
            start_month: e.start_month,
            months,
            uptake: e.uptake,
            persistence: e.persistence.clone(),
            luck: random::Recruiting::Exposure as u32 + random::address_of_name(&e.luck),
            medicine: e.medicine,
            effects: effects(&e.effects, &place, problems),
            stop: e.stop.as_ref().and_then(|s| stop(s, &format!("{place}.stop"), list, problems)),
        });
    }
    all
}

/// Checks when a course starts: arms part at index, and a course that follows another needs one that comes before it and can end.
fn starts_in_time(e: &ExposureRequest, before: &[Exposure], place: &str, list: Place, problems: &mut Problems) {
    let start = format!("{place}.start_month");
    problems.require_within(&start, e.start_month, -LONGEST, LONGEST);
    let Some(after) = e.after else {
        if list == Place::Arm && (e.start_month < 0.0 || e.anchor != Anchor::Index) {
            problems.add(start, e.start_month.to_string(), "a month from index on: arms part at index");
        }
        return;
    };
    if e.start_month < 0.0 || e.anchor != Anchor::Index {
        problems.add(start, e.start_month.to_string(), "months to wait after the course that it follows, 0 or more");
    }
    let place = format!("{place}.after");
    match before.get(after) {
        None => {
            let needed = match before.len() {
                0 => "null: the first of a list follows nothing".into(),
                n => format!("the position of an earlier course of the same list, 0 to {}", n - 1),
            };
            problems.add(place, format!("position {after}"), needed);
        }
        Some(former) if former.months >= NEVER && former.persistence.is_none() && former.stop.is_none() => problems.add(
            place,
            format!("position {after}, {:?}, which never ends", former.name),
            "a course that ends: by its months, its persistence or a stop rule",
        ),
        Some(_) => {}
    }
}

fn persistence_falls_from_one(p: &Persistence, place: &str, problems: &mut Problems) {
    let starts_full = p.months.first() == Some(&0.0) && p.share.first() == Some(&1.0);
    let falls = p.share.windows(2).all(|w| w[0] >= w[1]);
    if !knots_are_good(&p.months, &p.share, place, 1e-9, 1.0, problems) || !starts_full || !falls || p.months.len() < 2 {
        problems.add(place, "this curve", "shares that start at 1 in month 0 and never rise, at least two");
    }
}

/// A range of T-scores at a site; the site and at least one end of the range must be there. `prefix` is what stands before `at_least` and
/// `at_most` in their own places.
pub(super) fn t_scores(
    site: Option<&String>,
    at_least: Option<f64>,
    at_most: Option<f64>,
    (place, prefix): (&str, &str),
    problems: &mut Problems,
) -> Option<TScores> {
    let Some(site) = site else {
        problems.add(place, "a T-score without a site", "both or none");
        return None;
    };
    if at_least.is_none() && at_most.is_none() {
        problems.add(place, "a site without a T-score", "both or none");
        return None;
    }
    for (name, t) in [("at_least", at_least), ("at_most", at_most)] {
        if let Some(t) = t {
            problems.require_within(&format!("{place}.{prefix}{name}"), t, -WIDEST_T_SCORE, WIDEST_T_SCORE);
        }
    }
    let range = TScores {
        site: density_site(site, &format!("{place}.site"), problems),
        at_least: at_least.unwrap_or(-f64::INFINITY),
        at_most: at_most.unwrap_or(f64::INFINITY),
    };
    if range.at_most < range.at_least {
        problems.add(place, format!("T-scores from {} to {}", range.at_least, range.at_most), "a range that somebody can be in");
    }
    Some(range)
}

fn stop(requested: &StopRequest, place: &str, list: Place, problems: &mut Problems) -> Option<Stop> {
    if list == Place::Cohort {
        problems.add(place, "a stop rule in a cohort", "stop rules in arms: before index nobody is measured");
    }
    problems.require_within(&format!("{place}.every_months"), f64::from(requested.every_months), 1.0, LONGEST);
    let t_score = match (&requested.site, requested.t_score_at_least) {
        (None, None) => None,
        (site, t) => t_scores(site.as_ref(), t, None, (place, "t_score_"), problems).map(|range| (range.site, range.at_least)),
    };
    if t_score.is_none() && !requested.at_fracture {
        problems.add(place, "a stop rule without a criterion", "t_score_at_least with a site, or at_fracture: true");
    }
    Some(Stop { every_months: requested.every_months.max(1), t_score, at_fracture: requested.at_fracture })
}

pub(super) fn effects(requested: &[EffectRequest], place: &str, problems: &mut Problems) -> Vec<Effect> {
    let mut all = Vec::new();
    for (k, effect) in requested.iter().enumerate() {
        let place = format!("{place}.effects[{k}]");
        let Some(target) = Target::named(&effect.target) else {
            let names = Target::ALL.map(|t| t.name).join(", ");
            problems.add(place, format!("no target {:?}", effect.target), format!("one of {names}"));
            continue;
        };
        problems.require_within(&format!("{place}.amount"), effect.amount, target.spec().low, target.spec().high);
        let every = format!("{place}.every_months");
        match (target.per_dose(), effect.every_months) {
            (true, Some(months)) => problems.require_within(&every, f64::from(months), 1.0, LONGEST),
            (true, None) => problems.add(every, "null", format!("months from dose to dose: {} acts per dose", effect.target)),
            (false, Some(n)) => problems.add(every, n.to_string(), format!("null: {} acts while it is taken", effect.target)),
            (false, None) => {}
        }
        all.push(Effect { target, amount: effect.amount, every_months: effect.every_months });
    }
    all
}
