//! Studies that tests simulate: the shipped one (`tests/fixtures/request.json`, kept in step by a test in Python) and one with everything
//! that a course can be.

use cohortsim_core::cohort::simulate::simulate;
use cohortsim_core::model::Model;
use cohortsim_core::record::Tables;
use serde_json::{Value, json};

pub fn request() -> Value {
    serde_json::from_str(include_str!("../fixtures/request.json")).expect("the fixture is JSON")
}

pub fn model_of(request: &Value) -> Model {
    Model::from_json(&request.to_string()).unwrap_or_else(|e| panic!("{e}"))
}

pub fn run(model: &Model, first: u64, people: u64, threads: usize) -> Tables {
    simulate(model, first, people, threads).unwrap_or_else(|e| panic!("{e}"))
}

/// A course of everybody, from index on.
pub fn course(name: &str, effects: Value) -> Value {
    json!({
        "name": name, "cohort": null, "sexes": ["women", "men"], "age_from": null, "age_to": null, "site": null, "t_score_at_most": null,
        "t_score_at_least": null, "prior_fracture": null, "anchor": "index", "after": null, "start_month": 0, "months": null, "uptake": 1.0,
        "persistence": null, "luck": name, "medicine": true, "stop": null, "effects": effects
    })
}

pub fn with(mut course: Value, changes: Value) -> Value {
    for (key, value) in changes.as_object().unwrap() {
        course[key] = value.clone();
    }
    course
}

pub fn antibody() -> Value {
    course("antibody", json!([{"target": "rankl_antibody", "amount": 0.5, "every_months": 6}]))
}

pub fn bisphosphonate() -> Value {
    course("bisphosphonate", json!([{"target": "bisphosphonate_uptake", "amount": 40.0, "every_months": null}]))
}

/// A study with everything that a course, an entry rule and a visit can be.
pub fn trial() -> Value {
    let mut r = request();
    r["months"] = json!(60);
    r["visits"] = json!([0, 6, 12, 24, 60]);
    let recruited = json!({
        "name": "recruited", "population": "us", "share": 0.6, "sexes": ["women", "men"], "age_from": 60, "age_to": 90, "set": [],
        "mortality_ratio": 0.8, "persons": null,
        "entry": {
            "t_scores": [{"site": "total_hip", "at_least": null, "at_most": -1.5},
                         {"site": "lumbar_spine", "at_least": null, "at_most": -2.0}],
            "any_t_score": true, "prior_fracture": null, "years_since_menopause_from": 5.0, "years_since_menopause_to": null
        },
        "exposures": [with(bisphosphonate(), json!({"start_month": -100, "months": 90, "uptake": 0.5, "luck": "earlier"}))]
    });
    let others = json!({
        "name": "others", "population": "us", "share": 0.4, "sexes": ["women", "men"], "age_from": 50, "age_to": 70, "set": [],
        "mortality_ratio": 1.0, "persons": null,
        "entry": null,
        "exposures": [with(course("antibody", json!([{"target": "rankl_antibody", "amount": 0.2, "every_months": 6}])),
            json!({"start_month": -40, "months": 52, "persistence": {"months": [0.0, 12.0], "share": [1.0, 0.6]}}))]
    });
    r["cohorts"] = json!([recruited, others]);
    let target = json!({"every_months": 12, "site": "total_hip", "t_score_at_least": -2.0, "at_fracture": true});
    let chain = json!([
        with(antibody(), json!({"months": 36, "persistence": {"months": [0.0, 12.0], "share": [1.0, 0.8]}, "stop": target})),
        with(bisphosphonate(), json!({"after": 0, "start_month": 3, "months": 24})),
    ]);
    r["arms"] = json!([{"name": "nothing", "exposures": []}, {"name": "sequence", "exposures": chain}]);
    r
}
