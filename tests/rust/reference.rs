//! The kernel against what must be true of it: closed forms, and the promise of the same bits on any threads, batches, instructions and
//! company.
//!
//! The studies are those of `study`, changed where a test needs it.

#![allow(clippy::disallowed_methods)] // what is expected may be computed with the platform's functions

mod courses;
mod hazards;
mod spine;
mod study;

use cohortsim_core::cohort::trace::trace;
use cohortsim_core::model::Model;
use cohortsim_core::numeric::cpu::Cpu;
use cohortsim_core::record::{Column, Tables};
use serde_json::{Value, json};
use study::{course, model_of, request, run, trial, with};

/// All columns by name, floats by their bits.
fn bits(tables: Tables) -> Vec<(&'static str, Vec<u64>)> {
    let all = [
        tables.persons.into_columns(),
        tables.follow_up.into_columns(),
        tables.events.into_columns(),
        tables.person_time.into_columns(),
        tables.states.into_columns(),
        tables.spine.into_columns(),
        tables.visits.into_columns(),
    ];
    let word = |c: Column| match c {
        Column::U8(v) => v.into_iter().map(u64::from).collect(),
        Column::U16(v) => v.into_iter().map(u64::from).collect(),
        Column::U32(v) => v.into_iter().map(u64::from).collect(),
        Column::U64(v) => v,
        Column::I64(v) => v.into_iter().map(|x| x as u64).collect(),
        Column::F32(v) => v.into_iter().map(|x| u64::from(x.to_bits())).collect(),
        Column::F64(v) => v.into_iter().map(f64::to_bits).collect(),
    };
    all.into_iter().flatten().map(|(name, c)| (name, word(c))).collect()
}

#[test]
fn the_same_tables_on_any_number_of_threads_and_any_instructions() {
    for request in [request(), trial()] {
        let model = model_of(&request);
        let one = bits(run(&model, 0, 1000, 1));
        for threads in [2, 3] {
            assert!(bits(run(&model, 0, 1000, threads)) == one, "{threads} threads");
        }
        for cpu in Cpu::available() {
            let mut model = model.clone();
            model.cpu = cpu;
            assert!(bits(run(&model, 0, 1000, 2)) == one, "{cpu:?}");
        }
    }
}

#[test]
fn any_batches_add_up_to_the_same_people_events_and_times() {
    let model = model_of(&request());
    let whole = run(&model, 0, 1000, 2);
    for size in [137_u64, 500] {
        let mut events = Vec::new();
        let mut persons = Vec::new();
        let mut minutes = 0;
        for first in (0..1000).step_by(size as usize) {
            let part = run(&model, first, size.min(1000 - first), 2);
            events.extend(part.events.person.iter().zip(&part.events.month).zip(&part.events.event).map(|((p, m), e)| (*p, *m, *e)));
            persons.extend(part.persons.abmd_femoral_neck.iter().map(|x| x.to_bits()));
            minutes += part.person_time.minutes.iter().sum::<u64>();
        }
        // Within a batch events stand by block; people keep their order and everything of one person its own.
        let mut expected: Vec<_> =
            whole.events.person.iter().zip(&whole.events.month).zip(&whole.events.event).map(|((p, m), e)| (*p, *m, *e)).collect();
        expected.sort_unstable();
        events.sort_unstable();
        assert_eq!(events, expected);
        assert_eq!(persons, whole.persons.abmd_femoral_neck.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
        assert_eq!(minutes, whole.person_time.minutes.iter().sum::<u64>());
    }
}

#[test]
fn a_person_alone_is_the_same_person_in_the_crowd() {
    for request in [request(), trial()] {
        let model = model_of(&request);
        let crowd = run(&model, 0, 256, 1);
        for person in [0_u64, 63, 64, 100, 200, 201, 202, 203] {
            let alone = run(&model, person, 1, 1);
            let of = |t: &Tables| -> Vec<(u8, u32, u32, u16)> {
                let f = &t.follow_up;
                (0..f.person.len())
                    .filter(|k| f.person[*k] == person)
                    .map(|k| (f.arm[k], f.minutes[k], f.abmd_total_hip[k].to_bits(), f.medicine_months[k]))
                    .collect()
            };
            assert_eq!(of(&alone), of(&crowd));
            let index = |t: &Tables| -> Vec<(u8, u16, u32)> {
                let p = &t.persons;
                let of = (0..p.person.len()).filter(|k| p.person[*k] == person);
                of.map(|k| (p.cohort[k], p.age_months[k], p.abmd_lumbar_spine[k].to_bits())).collect()
            };
            assert_eq!(index(&alone), index(&crowd));
        }
    }
}

#[test]
fn a_traced_person_lives_the_life_that_was_counted() {
    for request in [request(), trial()] {
        compare_with_traces(&model_of(&request));
    }
}

fn compare_with_traces(model: &Model) {
    let crowd = run(model, 0, 512, 2);
    for person in (0..512).step_by(37) {
        for arm in 0..2_usize {
            let life = trace(model, arm, person);
            let column = |name: &str| &life.columns[life.names.iter().position(|n| n == name).unwrap()];
            let mut traced = Vec::new();
            let fractures = model.fracture_sites.iter().map(|s| format!("fractured_{}", s.id));
            let events = ["died".to_string()].into_iter().chain(fractures);
            for (k, name) in events.chain(["vertebral_deformity", "entered_nursing_home"].map(String::from)).enumerate() {
                traced.extend(column(&name).iter().enumerate().filter(|(_, x)| **x == 1.0).map(|(month, _)| (month as u16, k as u8)));
            }
            let e = &crowd.events;
            let mut counted: Vec<(u16, u8)> = (0..e.person.len())
                .filter(|k| e.person[*k] == person && usize::from(e.arm[*k]) == arm)
                .map(|k| (e.month[k], e.event[k]))
                .collect();
            traced.sort_unstable();
            counted.sort_unstable();
            assert_eq!(traced, counted, "person {person}, arm {arm}");
        }
    }
}

#[test]
fn an_arm_that_changes_nothing_changes_nothing() {
    let mut r = request();
    let mut idle = r["arms"][1].clone();
    idle["name"] = json!("idle");
    idle["exposures"][0]["effects"] = json!([{"target": "bisphosphonate_uptake", "amount": 0.0, "every_months": null}]);
    r["arms"].as_array_mut().unwrap().push(idle);
    let model = model_of(&r);
    let t = run(&model, 0, 2000, 2);
    let of = |arm: u8| -> Vec<(u64, u16, u16, u8)> {
        let e = &t.events;
        (0..e.person.len()).filter(|k| e.arm[*k] == arm).map(|k| (e.person[k], e.month[k], e.minute[k], e.event[k])).collect()
    };
    assert_eq!(of(0), of(2));
    assert!(of(0) != of(1), "the treated arm must differ, or this test says nothing");
    let density = |arm: u8| -> Vec<u32> {
        let f = &t.follow_up;
        (0..f.person.len()).filter(|k| f.arm[*k] == arm).map(|k| f.abmd_total_hip[k].to_bits()).collect()
    };
    assert_eq!(density(0), density(2));
}

#[test]
fn single_precision_follows_double_precision() {
    let mut r = request();
    let single = run(&model_of(&r), 0, 1000, 2);
    r["precision"] = json!("f64");
    let double = run(&model_of(&r), 0, 1000, 2);
    assert_eq!(single.events.event.len(), double.events.event.len());
    for (a, b) in single.follow_up.abmd_femoral_neck.iter().zip(&double.follow_up.abmd_femoral_neck) {
        assert!((a - b).abs() < 2e-5, "{a} {b}");
    }
}

/// One arm, no treatment, nobody with a risk factor, no death from fractures, the life table of the year of index.
fn plain() -> Value {
    let mut r = request();
    let population = &mut r["populations"][0];
    let tables = &population["life_table"];
    let year = tables["years"].as_array().unwrap().iter().position(|y| *y == population["calendar_year"]).unwrap();
    population["life_table"] = json!({
        "first_age": tables["first_age"], "years": [tables["years"][year]],
        "women": [tables["women"][year]], "men": [tables["men"][year]]
    });
    r["arms"].as_array_mut().unwrap().truncate(1);
    r["risk_factors"] = json!([]);
    r["record_persons"] = json!(false);
    for p in r["populations"].as_array_mut().unwrap() {
        p["prevalence"].as_array_mut().unwrap().retain(|t| t["id"] == "prior_fracture");
        for sex in ["women", "men"] {
            let rows = p["correlation"][sex].as_array_mut().unwrap();
            rows.truncate(12);
            rows.iter_mut().for_each(|row| row.as_array_mut().unwrap().truncate(12));
        }
    }
    for site in r["fracture_sites"].as_array_mut().unwrap() {
        site["instability"] = json!(0.0);
        site["mobility_loss"] = json!(0.0);
        site["mortality_after"] = json!([]);
        site["mortality_until_month"] = json!(null);
    }
    r
}

#[test]
fn life_table_in_is_life_table_out() {
    let r = plain();
    let model = model_of(&r);
    let t = run(&model, 0, 100_000, 2);
    let q = |sex: usize, age: usize| {
        let table = &r["populations"][0]["life_table"];
        let first = table["first_age"].as_u64().unwrap() as usize;
        let values = table[["women", "men"][sex]][0].as_array().unwrap();
        values[(age - first).min(values.len() - 1)].as_f64().unwrap()
    };
    for sex in 0..2_u8 {
        for decade in [50_usize, 60, 70, 80, 90] {
            let inside = |age: usize| (decade..decade + 10).contains(&age);
            let pt = &t.person_time;
            let expected: f64 = (0..pt.age.len())
                .filter(|k| pt.sex[*k] == sex && inside(usize::from(pt.age[*k])))
                .map(|k| {
                    -(1.0 - q(usize::from(sex), usize::from(pt.age[k])).min(0.999_999)).ln() * pt.minutes[k] as f64 / (12.0 * 43_830.0)
                })
                .sum();
            let e = &t.events;
            let deaths = (0..e.event.len())
                .filter(|k| e.event[*k] == 0 && e.sex[*k] == sex && inside(usize::from(e.age_months[*k]) / 12))
                .count() as f64;
            // Deaths given the time at risk are Poisson around the hazard's integral: 4.5 standard deviations over ten strata.
            assert!((deaths - expected).abs() < 4.5 * expected.sqrt(), "sex {sex}, {decade}: {deaths} deaths, {expected} expected");
        }
    }
}

#[test]
fn the_shipped_population_with_its_fractures_still_dies_by_its_life_table() {
    let mut r = request();
    r["arms"].as_array_mut().unwrap().truncate(1);
    r["record_persons"] = json!(false);
    let plain_deaths = run(&model_of(&plain()), 0, 100_000, 2).events.event.iter().filter(|e| **e == 0).count() as f64;
    let deaths = run(&model_of(&r), 0, 100_000, 2).events.event.iter().filter(|e| **e == 0).count() as f64;
    // The mean of the relative hazard is taken at index. In ten years it drifts: people with risk factors that shorten life become fewer
    // while the prevalence of their age does not, and fractures come whose instability was drawn at index only. 4 % is what that may cost.
    assert!((deaths / plain_deaths - 1.0).abs() < 0.04, "{deaths} {plain_deaths}");
}

#[test]
fn a_constant_hazard_gives_exponential_survival() {
    let mut r = plain();
    let yearly = 0.08_f64;
    for sex in ["women", "men"] {
        for q in r["populations"][0]["life_table"][sex][0].as_array_mut().unwrap() {
            *q = json!(1.0 - (-yearly).exp());
        }
    }
    r["people"] = json!(50_000);
    let model = model_of(&r);
    let t = run(&model, 0, 50_000, 2);
    let e = &t.events;
    for years in [1_u16, 3, 5, 10] {
        let alive = 50_000 - (0..e.event.len()).filter(|k| e.event[*k] == 0 && e.month[*k] < years * 12).count();
        let p = (-yearly * f64::from(years)).exp();
        let sd = (50_000.0 * p * (1.0 - p)).sqrt();
        assert!((alive as f64 - 50_000.0 * p).abs() < 4.5 * sd, "{years} years: {alive} alive");
    }
    // Times within the month follow the same law: on average in its middle, a little earlier.
    let minutes: Vec<f64> = (0..e.event.len()).filter(|k| e.event[*k] == 0).map(|k| f64::from(e.minute[k]) / 43_830.0).collect();
    let mean = minutes.iter().sum::<f64>() / minutes.len() as f64;
    let expected = 0.5 - yearly / 12.0 / 12.0; // first order of the mean of an exponential time within one month
    assert!((mean - expected).abs() < 4.5 * (1.0 / 12.0 / minutes.len() as f64).sqrt(), "{mean} {expected}");
}

#[test]
fn the_population_at_index_fractures_at_its_own_incidence() {
    let mut r = request();
    r["months"] = json!(12);
    r["arms"].as_array_mut().unwrap().truncate(1);
    r["record_persons"] = json!(false);
    r["people"] = json!(400_000);
    let model = model_of(&r);
    let t = run(&model, 0, 400_000, 2);
    for (site, name) in model.fracture_sites.iter().map(|s| s.id.clone()).enumerate() {
        // The spine's own incidence is that of all deformities, noticed or not.
        let of_the_spine = model.fracture_sites[site].of_the_spine;
        let event = if of_the_spine { model.fracture_sites.len() + 1 } else { site + 1 };
        let incidence = model.populations[0].breaking(&model.fracture_sites, site);
        for sex in 0..2_u8 {
            let pt = &t.person_time;
            let expected: f64 = (0..pt.age.len())
                .filter(|k| pt.sex[*k] == sex)
                .map(|k| incidence.at(usize::from(sex), usize::from(pt.age[k])) * pt.minutes[k] as f64 / 43_830.0)
                .sum();
            let e = &t.events;
            let found = (0..e.event.len()).filter(|k| usize::from(e.event[*k]) == event && e.sex[*k] == sex).count() as f64;
            // 4.5 Poisson standard deviations, and 3 % for the reference sample's own error and ages between its knots.
            assert!((found - expected).abs() < 4.5 * expected.sqrt() + 0.03 * expected, "{name}, sex {sex}: {found}, {expected} expected");
        }
    }
}

#[test]
fn what_a_study_does_to_its_people_does_not_move_the_population_they_are_measured_against() {
    let mut r = request();
    let before = model_of(&r).populations[0].mean.offset[0].0.clone();
    r["cohorts"][0]["set"] = json!([{"characteristic": "activity", "value": 0.0, "sexes": ["women", "men"]}]);
    let bed_rest = course("bed_rest", json!([{"target": "load", "amount": -0.9, "every_months": null}]));
    r["cohorts"][0]["exposures"] = json!([with(bed_rest, json!({"start_month": -24, "medicine": false}))]);
    let model = model_of(&r);
    assert_eq!(model.populations[0].mean.offset[0].0, before);
    // And it does something to the people themselves.
    let events = |model: &Model| run(model, 0, 5000, 2).events.event.iter().filter(|e| **e == 1).count();
    assert!(events(&model) > events(&model_of(&request())));
}

#[test]
fn an_earlier_model_lends_what_rests_on_the_same_numbers_and_nothing_else() {
    let mut earlier = model_of(&request());
    let of = |r: &Value, earlier: &Model| Model::from_json_like(&r.to_string(), Some(earlier)).unwrap();
    let other_study = with(trial(), json!({"seed": request()["seed"], "people": 77}));
    assert_eq!(of(&other_study, &earlier).populations, model_of(&other_study).populations);
    // a mark on what could be lent shows whether it was
    earlier.populations[0].mean.death = earlier.populations[0].mean.fall.clone();
    let marked = |r: &Value| of(r, &earlier).populations[0].mean == earlier.populations[0].mean;
    assert!(marked(&with(request(), json!({"people": 77, "months": 24}))));
    assert!(!marked(&with(request(), json!({"seed": 77}))));
    let mut changed = request();
    changed["parameters"]["falls.proneness_sd"] = json!(0.61);
    assert!(!marked(&changed));
    let mut changed = request();
    changed["fracture_sites"][0]["strength_exponent"] = json!(2.01);
    assert!(!marked(&changed));
}

#[test]
fn mistakes_are_reported_all_at_once_with_their_places() {
    let mut r = request();
    r["people"] = json!(0);
    r["cohorts"][0]["share"] = json!(0.5);
    r["class_site"] = json!("femur");
    r["parameters"].as_object_mut().unwrap().remove("remodeling.coupling_rate");
    let text = Model::from_json(&r.to_string()).unwrap_err().to_string();
    for place in ["people", "cohorts", "class_site", "parameters.remodeling.coupling_rate"] {
        assert!(text.contains(place), "{place} is missing in:\n{text}");
    }
    let mut r = request();
    r["months"] = json!(12 * 80);
    assert!(Model::from_json(&r.to_string()).unwrap_err().to_string().contains("life table ends at age 109"));
}
