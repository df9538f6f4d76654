//! Entry: who is recruited into a cohort that has rules, as a trial has.
//!
//! For person n the candidates 0, 1, 2 ... are screened; the first who meets the rules is the person. Each candidate is a draw of its own
//! from the cohort's sexes, ages and population, at an address of its own: everything that is drawn before index lies `attempt` below
//! [`crate::random::AT_INDEX`]. So a person is the same alone and in any crowd, and a cohort without rules has its candidates 0.

use crate::cohort::recruit::{self, Recruit};
use crate::cohort::spine_at_index;
use crate::error::Problems;
use crate::model::{self, Deformities, Entry, Model};
use crate::random::Luck;

/// Candidates who are screened to see whether a cohort's rules can be met.
const SCREENED: u64 = 4096;
/// At least one in so many must meet the rules.
const ONE_IN: u64 = 200;
/// Most candidates for one person. With one eligible in 400, fewer than one person in 10^400 would need more.
const MOST_CANDIDATES: u32 = 400_000;
/// Numbers of people who are only screened lie above those of any study and below those of the reference sample.
const FIRST_SCREENED_PERSON: u64 = 1 << 61;

/// Whether a candidate meets the rules.
pub fn meets(model: &Model, entry: &Entry, recruit: &Recruit) -> bool {
    let mut t_scores = entry.t_scores.iter().map(|range| recruit::has_t_score(model, recruit, range));
    let by_t_score = entry.t_scores.is_empty() || if entry.any_t_score { t_scores.any(|met| met) } else { t_scores.all(|met| met) };
    let by_menopause = entry.years_since_menopause.is_none_or(|(from, to)| {
        let since = f64::from(recruit.age_months) / 12.0 - recruit.values[model::MENOPAUSE_AGE];
        recruit.sex == 0 && (from..=to).contains(&since)
    });
    let by_prior_fracture = entry.prior_fracture.is_none_or(|prior| prior == recruit.prior_fracture);
    // The spine comes last: it takes longest to draw.
    by_t_score && by_menopause && by_prior_fracture && entry.deformities.is_none_or(|rule| meets_by_spine(model, &rule, recruit))
}

fn meets_by_spine(model: &Model, rule: &Deformities, recruit: &Recruit) -> bool {
    let population = &model.populations[model.cohorts[recruit.cohort].population];
    let spine = spine_at_index::spine(model, population, recruit);
    (u32::from(rule.at_least)..=u32::from(rule.at_most)).contains(&spine.at_grade(rule.grade))
}

/// The first candidate for this person who meets the rules of the cohort.
pub fn first_eligible(model: &Model, cohort: usize, person: u64) -> Recruit {
    let Some(entry) = &model.cohorts[cohort].entry else {
        return recruit::candidate(model, cohort, person, 0);
    };
    (0..MOST_CANDIDATES)
        .map(|attempt| recruit::candidate(model, cohort, person, attempt))
        .find(|candidate| meets(model, entry, candidate))
        .expect("compile has found people who meet the rules")
}

/// Notes a mistake for every cohort whose rules hardly anybody meets. The sample has luck of its own, so that a study is not possible with
/// one seed and impossible with another.
pub fn check(model: &Model, problems: &mut Problems) {
    if model.cohorts.iter().all(|c| c.entry.is_none()) {
        return;
    }
    let sample = Model { luck: Luck::new(0), ..model.clone() };
    for (k, cohort) in sample.cohorts.iter().enumerate() {
        let Some(entry) = &cohort.entry else { continue };
        let candidates = (0..SCREENED).map(|n| recruit::candidate(&sample, k, FIRST_SCREENED_PERSON + n, 0));
        let met = candidates.filter(|candidate| meets(&sample, entry, candidate)).count() as u64;
        if met * ONE_IN < SCREENED {
            let found = match met {
                0 => format!("nobody of {SCREENED} screened meets the entry rules"),
                1 => format!("only 1 of {SCREENED} screened meets the entry rules"),
                _ => format!("only {met} of {SCREENED} screened meet the entry rules"),
            };
            problems.add(format!("cohorts[{k}].entry"), found, format!("rules that at least 1 in {ONE_IN} meets"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn with_entry(entry: Value) -> Result<Model, String> {
        let mut request: Value = serde_json::from_str(model::FIXTURE).unwrap();
        request["cohorts"][0]["entry"] = entry;
        Model::from_json(&request.to_string()).map_err(|e| e.to_string())
    }

    fn rules() -> Value {
        json!({
            "t_scores": [{"site": "total_hip", "at_least": -4.0, "at_most": -2.0},
                         {"site": "lumbar_spine", "at_least": null, "at_most": -2.5}],
            "any_t_score": true, "prior_fracture": true, "years_since_menopause_from": 5.0, "years_since_menopause_to": null
        })
    }

    #[test]
    fn everybody_recruited_meets_the_rules_and_nobody_before_them_did() {
        let model = with_entry(rules()).unwrap();
        let entry = model.cohorts[0].entry.as_ref().unwrap();
        let mut attempts = 0;
        for person in 0..200 {
            let r = recruit::recruit(&model, person);
            let t = |site| recruit::t_score(&model, &r, site);
            assert!(r.sex == 0 && r.prior_fracture && r.age_months as f64 / 12.0 - r.values[model::MENOPAUSE_AGE] >= 5.0);
            assert!((-4.0..=-2.0).contains(&t(1)) || t(0) <= -2.5);
            assert!((0..r.attempt).all(|k| !meets(&model, entry, &recruit::candidate(&model, 0, person, k))));
            attempts += r.attempt;
        }
        assert!(attempts > 200, "{attempts}");
    }

    #[test]
    fn all_t_scores_are_needed_unless_one_is_enough() {
        let mut both = rules();
        both["any_t_score"] = json!(false);
        both["prior_fracture"] = json!(null);
        let model = with_entry(both).unwrap();
        for person in 0..50 {
            let r = recruit::recruit(&model, person);
            let t = |site| recruit::t_score(&model, &r, site);
            assert!((-4.0..=-2.0).contains(&t(1)) && t(0) <= -2.5);
        }
    }

    #[test]
    fn rules_that_anybody_meets_change_nobody() {
        let everybody = json!({
            "t_scores": [], "any_t_score": false, "prior_fracture": null,
            "years_since_menopause_from": null, "years_since_menopause_to": null
        });
        let (open, free) = (with_entry(everybody).unwrap(), with_entry(json!(null)).unwrap());
        for person in 0..100 {
            let (a, b) = (recruit::recruit(&open, person), recruit::recruit(&free, person));
            assert_eq!(format!("{a:?}"), format!("{b:?}"));
        }
    }

    #[test]
    fn rules_that_hardly_anybody_meets_are_refused() {
        let mut impossible = rules();
        impossible["t_scores"] = json!([{"site": "total_hip", "at_least": 3.0, "at_most": null}]);
        let text = with_entry(impossible).unwrap_err();
        assert!(text.contains("cohorts[0].entry: nobody of 4096 screened meets the entry rules"), "{text}");
        let mut rare = rules();
        rare["t_scores"] = json!([{"site": "total_hip", "at_least": null, "at_most": -4.0}]);
        let text = with_entry(rare).unwrap_err();
        assert!(text.contains("only ") && text.contains("at least 1 in 200"), "{text}");
    }
}
