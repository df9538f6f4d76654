//! Courses, treatment before index and visits, in whole simulations.

use crate::study::{antibody, bisphosphonate, course, model_of, request, run, trial, with};
use cohortsim_core::cohort::trace::trace;
use cohortsim_core::model::Model;
use cohortsim_core::record::Tables;
use serde_json::json;
use std::collections::BTreeMap;

#[test]
fn visits_add_up_over_any_batches() {
    let model = model_of(&trial());
    let key = |t: &Tables, k: usize| (t.visits.arm[k], t.visits.cohort[k], t.visits.month[k], t.visits.measure[k]);
    let values = |t: &Tables, k: usize| {
        let v = &t.visits;
        [v.people[k] as i64, v.change_sum[k], v.change_square_sum[k], v.peak_sum[k]]
    };
    let table = |t: &Tables| -> BTreeMap<_, _> { (0..t.visits.arm.len()).map(|k| (key(t, k), values(t, k))).collect() };
    let whole = run(&model, 0, 1000, 2);
    let expected = table(&whole);
    assert_eq!(expected.len(), 2 * 2 * 5 * 6);
    for size in [137_u64, 500] {
        let mut sum = BTreeMap::new();
        for first in (0..1000).step_by(size as usize) {
            for (key, part) in table(&run(&model, first, size.min(1000 - first), 3)) {
                let total = sum.entry(key).or_insert([0_i64; 4]);
                (0..4).for_each(|k| total[k] += part[k]);
            }
        }
        assert_eq!(sum, expected);
    }
}

#[test]
fn a_visit_tells_the_change_of_the_living_since_index() {
    let model = model_of(&trial());
    let t = run(&model, 0, 1000, 2);
    let v = &t.visits;
    for k in (0..v.arm.len()).filter(|k| v.month[*k] == 0) {
        assert_eq!((v.change_sum[k], v.change_square_sum[k]), (0, 0));
    }
    // At the end of follow-up the living are those who did not die, and their density is the one at exit.
    let f = &t.follow_up;
    for (arm, cohort) in [(0_u8, 0_u8), (0, 1), (1, 0), (1, 1)] {
        let living: Vec<f64> = (0..f.person.len())
            .filter(|k| f.arm[*k] == arm && f.died[*k] == 0 && t.persons.cohort[f.person[*k] as usize] == cohort)
            .map(|k| f64::from(f.abmd_total_hip[k]) / f64::from(t.persons.abmd_total_hip[f.person[k] as usize]) - 1.0)
            .collect();
        let row = (0..v.arm.len())
            .find(|k| (v.arm[*k], v.cohort[*k], v.month[*k], v.measure[*k]) == (arm, cohort, 60, 1))
            .expect("somebody lives five years");
        assert_eq!(v.people[row] as usize, living.len());
        // Half a unit of 1e-5 for each person, and their own rounding in single precision.
        let sum = living.iter().sum::<f64>() * 1e5;
        assert!((v.change_sum[row] as f64 - sum).abs() < 0.6 * living.len() as f64, "{} {sum}", v.change_sum[row]);
    }
}

#[test]
fn a_course_that_stops_at_a_fracture_is_taken_to_the_end_of_its_month() {
    let mut r = request();
    let rule = json!({"every_months": 1, "site": null, "t_score_at_least": null, "at_fracture": true});
    r["arms"] = json!([{"name": "all", "exposures": [with(bisphosphonate(), json!({"stop": rule}))]}]);
    let model = model_of(&r);
    let t = run(&model, 0, 2000, 2);
    let (e, f) = (&t.events, &t.follow_up);
    let mut stopped = 0;
    // A deformity that nobody notices stops nothing.
    let is_fracture = |event: u8| (1..=model.fracture_sites.len()).contains(&usize::from(event));
    for k in 0..f.person.len() {
        let of_person = (0..e.person.len()).filter(|j| e.person[*j] == f.person[k] && is_fracture(e.event[*j]));
        let lived = f.minutes[k].div_ceil(43_830) as u16;
        let expected = of_person.map(|j| e.month[j] + 1).min().unwrap_or(lived);
        assert_eq!(f.medicine_months[k], expected, "person {}", f.person[k]);
        stopped += usize::from(expected < lived);
    }
    assert!(stopped > 50, "{stopped}");
}

#[test]
fn doses_of_a_course_act_as_often_as_they_are_given() {
    // One dose, then the same course with a second dose: apart from the month of the second dose on, and not before.
    let mut r = request();
    let months = |n: u32| json!([with(antibody(), json!({"months": n}))]);
    r["arms"] =
        json!([{"name": "nothing", "exposures": []}, {"name": "one", "exposures": months(6)}, {"name": "two", "exposures": months(7)}]);
    let model = model_of(&r);
    let resorption = |arm: usize| {
        let life = trace(&model, arm, 11);
        life.columns[life.names.iter().position(|n| n == "resorption").unwrap()].clone()
    };
    let (nothing, one, two) = (resorption(0), resorption(1), resorption(2));
    assert!(nothing.len() > 12 && one[0] == nothing[0] && one[1] < nothing[1]);
    assert_eq!(one[..7], two[..7]);
    assert!(two[7] < one[7]);
}

#[test]
fn treatment_before_index_in_one_cohort_does_not_move_the_others() {
    let untreated = |t: &Tables| -> Vec<(u64, u8, u32, u32)> {
        let f = &t.follow_up;
        (0..f.person.len())
            .filter(|k| t.persons.cohort[f.person[*k] as usize] == 1)
            .map(|k| (f.person[k], f.arm[k], f.minutes[k], f.abmd_total_hip[k].to_bits()))
            .collect()
    };
    let mut r = trial();
    let with_history = run(&model_of(&r), 0, 500, 2);
    r["cohorts"][0]["exposures"] = json!([]);
    let without = run(&model_of(&r), 0, 500, 2);
    assert!(!untreated(&without).is_empty());
    assert_eq!(untreated(&with_history), untreated(&without));
}

#[test]
fn mistakes_in_courses_entry_rules_and_visits_are_told_with_their_places() {
    let mut r = trial();
    r["visits"] = json!([12, 6, 72]);
    r["cohorts"][0]["entry"]["t_scores"][0] = json!({"site": "total_hip", "at_least": -1.0, "at_most": -2.0});
    r["cohorts"][0]["entry"]["t_scores"][1] = json!({"site": "lumbar_spine", "at_least": null, "at_most": null});
    r["cohorts"][0]["entry"]["years_since_menopause_to"] = json!(2.0);
    r["cohorts"][0]["exposures"][0]["stop"] = json!({"every_months": 12, "site": null, "t_score_at_least": null, "at_fracture": true});
    r["arms"][1]["exposures"] = json!([
        with(antibody(), json!({"stop": {"every_months": 0, "site": "total_hip", "t_score_at_least": null, "at_fracture": false}})),
        with(bisphosphonate(), json!({"after": 1})),
        with(bisphosphonate(), json!({"after": 1, "start_month": -1})),
        course(
            "wrong",
            json!([{"target": "rankl_antibody", "amount": 1.0, "every_months": null}, {"target": "load", "amount": 0.1, "every_months": 1}])
        ),
    ]);
    let text = Model::from_json(&r.to_string()).unwrap_err().to_string();
    for expected in [
        "visits: [12, 6, 72]; months in ascending order",
        "visits: month 72; months within follow-up, 0 to 60",
        "cohorts[0].entry.t_scores[0]: T-scores from -1 to -2; a range that somebody can be in",
        "cohorts[0].entry.t_scores[1]: a site without a T-score; both or none",
        "cohorts[0].entry.years_since_menopause_to: 2; a number from 5 to 100",
        "cohorts[0].exposures[0].stop: a stop rule in a cohort",
        "arms[1].exposures[0].stop.every_months: 0",
        "arms[1].exposures[0].stop: a site without a T-score; both or none",
        "arms[1].exposures[0].stop: a stop rule without a criterion",
        "arms[1].exposures[1].after: position 1; the position of an earlier course of the same list, 0 to 0",
        "arms[1].exposures[2].start_month: -1; months to wait",
        "arms[1].exposures[2].after: position 1, \"bisphosphonate\", which never ends",
        "arms[1].exposures[3].effects[0].every_months: null; months from dose to dose",
        "arms[1].exposures[3].effects[1].every_months: 1; null: load acts while it is taken",
    ] {
        assert!(text.contains(expected), "{expected} is missing in:\n{text}");
    }
}
