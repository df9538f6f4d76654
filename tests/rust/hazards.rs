//! Falls, fractures and deaths of whole studies: what brings them, what they bring.

use super::study::{course, model_of, request, run, with};
use cohortsim_core::model::{Model, PRIOR_FRACTURE};
use cohortsim_core::record::Tables;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The shipped people in one arm, ten years.
fn one_arm() -> Value {
    let mut r = request();
    r["arms"].as_array_mut().unwrap().truncate(1);
    r
}

/// Events of a person in the order of time: position of each row.
fn of_person(t: &Tables, person: u64) -> Vec<usize> {
    let e = &t.events;
    let mut rows: Vec<usize> = (0..e.person.len()).filter(|k| e.person[*k] == person).collect();
    rows.sort_by_key(|k| (e.month[*k], e.minute[*k], e.event[*k]));
    rows
}

#[test]
fn a_nursing_home_is_entered_once_at_a_fracture_of_a_site_that_leads_there() {
    let mut r = one_arm();
    r["cohorts"][0]["age_from"] = json!(75);
    let model = model_of(&r);
    let t = run(&model, 0, 8000, 2);
    let e = &t.events;
    let home = model.fracture_sites.len() as u8 + 2;
    let mut entered = BTreeSet::new();
    for k in (0..e.event.len()).filter(|k| e.event[*k] == home) {
        assert!(entered.insert(e.person[k]), "person {} twice", e.person[k]);
        let leads_there =
            |j: &usize| model.fracture_sites.get(usize::from(e.event[*j]).wrapping_sub(1)).is_some_and(|s| s.nursing_home.is_some());
        let same_minute = |j: &usize| (e.month[*j], e.minute[*j]) == (e.month[k], e.minute[k]);
        assert!(of_person(&t, e.person[k]).iter().any(|j| same_minute(j) && leads_there(j)));
    }
    assert!(entered.len() > 20, "{}", entered.len());
}

#[test]
fn fractures_cause_a_part_of_the_deaths_that_follow_them_and_of_no_other() {
    let model = model_of(&one_arm());
    let t = run(&model, 0, 20_000, 2);
    let (e, p) = (&t.events, &t.persons);
    let (mut soon, mut never) = (Vec::new(), 0);
    for k in (0..e.event.len()).filter(|k| e.event[*k] == 0) {
        let before = of_person(&t, e.person[k]);
        let is_fracture = |j: &&usize| (1..=model.fracture_sites.len()).contains(&usize::from(e.event[**j]));
        let last = before.iter().filter(is_fracture).map(|j| e.month[*j]).next_back();
        match last {
            // Nothing that happens in the month of death itself has raised its hazard.
            Some(month) if month < e.month[k] && e.month[k] - month < 3 => soon.push(e.attributable[k]),
            None if p.prior_fracture[e.person[k] as usize] == 0 => {
                assert_eq!(e.attributable[k], 0);
                never += 1;
            }
            _ => {}
        }
    }
    assert!(never > 500 && soon.len() > 20, "{never} {}", soon.len());
    assert!(soon.iter().all(|percent| (1..=100).contains(percent)), "{soon:?}");
    assert!((0..e.event.len()).all(|k| e.event[k] == 0 || e.attributable[k] == 0));
}

#[test]
fn exposures_that_make_people_fall_or_weaken_bone_break_more_bones() {
    let mut r = one_arm();
    let arm = |target: &str, amount: f64| {
        let effects = json!([{"target": target, "amount": amount, "every_months": null}]);
        json!({"name": format!("{target} {amount}"), "exposures": [course(target, effects)]})
    };
    r["arms"].as_array_mut().unwrap().extend([arm("falls", 0.7), arm("strength", -0.3), arm("strength", 0.3)]);
    let model = model_of(&r);
    let t = run(&model, 0, 20_000, 2);
    let falls =
        |arm: u8| (0..t.person_time.arm.len()).filter(|k| t.person_time.arm[*k] == arm).map(|k| t.person_time.falls[k]).sum::<u64>() as f64;
    let fractures = |arm: u8| {
        let is_fracture = |k: &usize| (1..=model.fracture_sites.len()).contains(&usize::from(t.events.event[*k]));
        (0..t.events.arm.len()).filter(|k| t.events.arm[*k] == arm).filter(is_fracture).count() as f64
    };
    let ratio = falls(1) / falls(0);
    assert!((1.8..2.2).contains(&ratio), "{ratio}"); // exp(0.7) = 2.01; a little less where falls are frequent, more where bones broke
    assert!(fractures(1) > 1.3 * fractures(0) && fractures(2) > 1.1 * fractures(0) && fractures(3) < 0.9 * fractures(0));
    assert!((falls(2) / falls(0) - 1.0).abs() < 0.05);
}

#[test]
fn a_history_of_fracture_raises_the_risk_most_soon_after_it() {
    let mut r = one_arm();
    r["cohorts"][0]["age_from"] = json!(65);
    let model = model_of(&r);
    let t = run(&model, 0, 40_000, 2);
    let (e, f, p) = (&t.events, &t.follow_up, &t.persons);
    let is_fracture = |k: &usize| (1..=model.fracture_sites.len()).contains(&usize::from(e.event[*k]));
    let mut first = vec![u32::MAX; p.person.len()];
    let mut second = vec![u32::MAX; p.person.len()];
    let mut rows: Vec<usize> = (0..e.event.len()).filter(is_fracture).collect();
    rows.sort_by_key(|k| (e.person[*k], e.month[*k]));
    for k in rows {
        let (who, month) = (e.person[k] as usize, u32::from(e.month[k]));
        if first[who] == u32::MAX {
            first[who] = month;
        } else if month > first[who] && second[who] == u32::MAX {
            second[who] = month;
        }
    }
    // Second fractures per month lived in the first two years after the first one, and from the fourth year on.
    let rate = |from: u32, to: u32| {
        let (mut events, mut months) = (0.0, 0.0);
        for who in (0..first.len()).filter(|who| first[*who] < u32::MAX) {
            let until = second[who].min(f.minutes[who] / 43_830).saturating_sub(first[who]);
            months += f64::from(until.min(to).saturating_sub(from));
            let after = second[who].saturating_sub(first[who]);
            events += f64::from(u8::from(second[who] < u32::MAX && (from..to).contains(&after)));
        }
        events / months
    };
    let (early, late) = (rate(1, 25), rate(37, 121));
    assert!(early > 1.15 * late, "{early} {late}");
    let mean_at_index = |prior: u8| {
        let of: Vec<f64> =
            (0..p.person.len()).filter(|k| p.prior_fracture[*k] == prior).map(|k| f64::from(u8::from(first[k] < 24))).collect();
        of.iter().sum::<f64>() / of.len() as f64
    };
    assert!(mean_at_index(1) > 1.3 * mean_at_index(0), "{PRIOR_FRACTURE}");
}

#[test]
fn light_women_break_their_thigh_more_often_although_load_grows_with_weight() {
    let mut r = one_arm();
    r["cohorts"][0]["sexes"] = json!(["women"]);
    r["cohorts"][0]["age_from"] = json!(70);
    let model = model_of(&r);
    let t = run(&model, 0, 40_000, 2);
    let rate = |light: bool| {
        let mine = |person: u64| (t.persons.body_weight[person as usize] < 65.0) == light;
        let minutes: f64 =
            (0..t.follow_up.person.len()).filter(|k| mine(t.follow_up.person[*k])).map(|k| f64::from(t.follow_up.minutes[k])).sum();
        (0..t.events.person.len()).filter(|k| t.events.event[*k] == 1 && mine(t.events.person[*k])).count() as f64 / minutes
    };
    assert!(rate(true) > 1.2 * rate(false), "{} {}", rate(true), rate(false));
}

#[test]
fn with_a_secular_trend_fractures_and_deaths_follow_the_calendar() {
    let mut r = one_arm();
    let site = r["fracture_sites"][0]["id"].clone();
    r["record_persons"] = json!(false);
    let population = &mut r["populations"][0];
    population["incidence_year"] = population["calendar_year"].clone();
    population["trend"] = json!([{"site": site, "women": -0.1, "men": -0.1}]);
    let count = |model: &Model, event: u8, from: u16| {
        let e = run(model, 0, 60_000, 2).events;
        (0..e.event.len()).filter(|k| e.event[*k] == event && e.month[*k] >= from).count() as f64
    };
    let still = model_of(&r);
    let moving = model_of(&with(r, json!({"secular_trend": true})));
    // From the sixth to the tenth year 5 to 9 years have passed: exp(-0.7) of them on average.
    let ratio = count(&moving, 1, 60) / count(&still, 1, 60);
    assert!((0.43..0.57).contains(&ratio), "{ratio}");
    assert!(count(&moving, 0, 60) < count(&still, 0, 60), "life tables of later years are better");
}
