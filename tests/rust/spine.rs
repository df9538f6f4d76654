//! Spines of whole studies: at index, through follow-up, and in the tables.

use super::study::{model_of, request, run, trial};
use cohortsim_core::biology::spine::Spine;
use cohortsim_core::cohort::trace::trace;
use cohortsim_core::model::Model;
use cohortsim_core::record::Tables;
use serde_json::json;

/// A study without follow-up to speak of.
fn at_index(people: u64) -> (Model, Tables) {
    let mut r = request();
    r["months"] = json!(12);
    r["people"] = json!(people);
    r["arms"].as_array_mut().unwrap().truncate(1);
    let model = model_of(&r);
    let tables = run(&model, 0, people, 2);
    (model, tables)
}

#[test]
fn what_happened_to_a_spine_adds_up_to_what_it_is_at_the_end() {
    let model = model_of(&trial());
    let t = run(&model, 0, 3000, 2);
    let (e, f) = (&t.events, &t.follow_up);
    let sites = model.fracture_sites.len();
    let spine_site = model.spine.site.unwrap();
    let (mut deformities, mut noticed, mut worse) = (0, 0, 0);
    for row in 0..f.person.len() {
        let mut spine = Spine(t.persons.spine[f.person[row] as usize]);
        for k in (0..e.person.len()).filter(|k| e.person[*k] == f.person[row] && e.arm[*k] == f.arm[row]) {
            if usize::from(e.event[k]) != sites + 1 {
                continue;
            }
            let level = usize::from(e.level[k]) - 1;
            let same_minute =
                |j: &usize| (e.person[*j], e.arm[*j], e.month[*j], e.minute[*j]) == (e.person[k], e.arm[k], e.month[k], e.minute[k]);
            let fracture = (0..e.person.len()).filter(same_minute).find(|j| usize::from(e.event[*j]) == spine_site + 1);
            assert_eq!(spine.grade(level), e.grade_before[k]);
            assert!(e.grade[k] > e.grade_before[k] && (1..=3).contains(&e.shape[k]));
            if let Some(j) = fracture {
                assert_eq!(
                    (e.level[j], e.grade[j], e.grade_before[j], e.shape[j]),
                    (e.level[k], e.grade[k], e.grade_before[k], e.shape[k])
                );
            }
            spine = spine.compressed(level, e.grade[k], e.shape[k], fracture.is_some());
            assert_eq!(spine.shape(level), e.shape[k]);
            deformities += 1;
            noticed += usize::from(fracture.is_some());
            worse += usize::from(e.grade_before[k] > 0);
        }
        assert_eq!(spine.0, f.spine[row], "person {} in arm {}", f.person[row], f.arm[row]);
        assert_eq!((spine.deformities() as u8, spine.worst_grade()), (f.deformities[row], f.worst_grade[row]));
        let at_index = &t.persons;
        assert!(f.height_loss[row] >= at_index.height_loss[f.person[row] as usize]);
    }
    let fractures = e.event.iter().filter(|event| usize::from(**event) == spine_site + 1).count();
    assert_eq!(fractures, noticed);
    assert!(deformities > 200 && noticed > 50 && worse > 5 && noticed < deformities, "{deformities} {noticed} {worse}");
}

#[test]
fn deformities_at_index_rise_with_age_and_with_weak_bone_and_are_more_with_a_history() {
    let (_, t) = at_index(40_000);
    let p = &t.persons;
    let prevalence = |who: &dyn Fn(usize) -> bool| {
        let of: Vec<u8> = (0..p.person.len()).filter(|k| who(*k)).map(|k| u8::from(p.deformities[k] > 0)).collect();
        assert!(of.len() > 200);
        of.iter().map(|d| f64::from(*d)).sum::<f64>() / of.len() as f64
    };
    for sex in 0..2_u8 {
        let by_age: Vec<f64> =
            (0..3).map(|d| prevalence(&|k| p.sex[k] == sex && (50 + 10 * d..60 + 10 * d).contains(&(p.age_months[k] / 12)))).collect();
        assert!(by_age.windows(2).all(|w| w[0] < w[1]), "{by_age:?}");
    }
    let women_of_60s = |k: usize| p.sex[k] == 0 && (720..840).contains(&p.age_months[k]);
    let (weak, strong) = (|k: usize| p.abmd_lumbar_spine[k] < 0.85, |k: usize| p.abmd_lumbar_spine[k] > 1.0);
    assert!(prevalence(&|k| women_of_60s(k) && weak(k)) > 1.3 * prevalence(&|k| women_of_60s(k) && strong(k)));
    let history = |k: usize| p.prior_fracture[k] == 1;
    assert!(prevalence(&|k| women_of_60s(k) && history(k)) > prevalence(&|k| women_of_60s(k) && !history(k)));
    // Kyphosis and stature follow.
    let mean = |column: &[f32], deformed: bool| {
        let of: Vec<f64> =
            (0..p.person.len()).filter(|k| women_of_60s(*k) && (p.deformities[*k] > 0) == deformed).map(|k| f64::from(column[k])).collect();
        of.iter().sum::<f64>() / of.len() as f64
    };
    assert!(mean(&p.kyphosis, true) > mean(&p.kyphosis, false) + 1.0);
    assert!(mean(&p.height_loss, true) > mean(&p.height_loss, false) + 0.3);
}

#[test]
fn the_table_of_spines_counts_the_people_of_the_other_tables() {
    let (_, t) = at_index(5000);
    let (s, p, f) = (&t.spine, &t.persons, &t.follow_up);
    let sum = |column: &[u64], year: u8| (0..s.year.len()).filter(|k| s.year[*k] == year).map(|k| column[k]).sum::<u64>();
    let count = |of: &dyn Fn(usize) -> bool| (0..p.person.len()).filter(|k| of(*k)).count() as u64;
    assert_eq!(sum(&s.people, 0), 5000);
    assert_eq!(sum(&s.deformed, 0), count(&|k| p.deformities[k] > 0));
    assert_eq!(sum(&s.deformities, 0), p.deformities.iter().map(|d| u64::from(*d)).sum::<u64>());
    assert_eq!(sum(&s.moderate, 0), count(&|k| p.worst_grade[k] >= 2));
    assert_eq!(sum(&s.severe, 0), count(&|k| p.worst_grade[k] == 3));
    assert_eq!(sum(&s.hyperkyphotic, 0), count(&|k| p.kyphosis[k] >= 50.0));
    for (k, column) in [&s.back_pain, &s.back_disability, &s.limited_activity, &s.bed_rest].into_iter().enumerate() {
        assert_eq!(sum(column, 0), count(&|j| p.back[j] >> k & 1 == 1));
        let at_exit = (0..f.person.len()).filter(|j| f.died[*j] == 0 && f.back[*j] >> k & 1 == 1).count() as u64;
        assert_eq!(sum(column, 1), at_exit);
    }
    let total = |column: &[i64]| (0..s.year.len()).filter(|k| s.year[*k] == 0).map(|k| column[k] as f64).sum::<f64>();
    let degrees: f64 = p.kyphosis.iter().map(|x| f64::from(*x)).sum();
    assert!((total(&s.kyphosis_sum) / 1000.0 - degrees).abs() < 0.001 * 5000.0);
    let squares: f64 = p.kyphosis.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    assert!((total(&s.kyphosis_square_sum) / 100.0 / squares - 1.0).abs() < 1e-4);
    let lost: f64 = p.height_loss.iter().map(|x| f64::from(*x)).sum();
    assert!((total(&s.height_loss_sum) / 1000.0 - lost).abs() < 0.001 * 5000.0);
}

#[test]
fn entry_rules_can_ask_for_deformities() {
    let rules = json!({
        "t_scores": [], "any_t_score": false, "prior_fracture": null, "years_since_menopause_from": null, "years_since_menopause_to": null,
        "vertebral_deformities": {"at_least": 1, "at_most": 3, "grade_at_least": 2}
    });
    let mut r = trial();
    r["cohorts"][0]["entry"] = rules;
    let t = run(&model_of(&r), 0, 600, 2);
    let p = &t.persons;
    let mut seen = 0;
    for k in (0..p.person.len()).filter(|k| p.cohort[*k] == 0) {
        assert!((1..=3).contains(&Spine(p.spine[k]).at_grade(2)));
        seen += 1;
    }
    assert!(seen > 200);
    r["cohorts"][0]["entry"]["vertebral_deformities"] = json!({"at_least": 13, "at_most": null, "grade_at_least": 3});
    let told = Model::from_json(&r.to_string()).map(|_| ()).unwrap_err().to_string();
    assert!(told.contains("cohorts[0].entry: nobody of 4096 screened"), "{told}");
    r["cohorts"][0]["entry"]["vertebral_deformities"] = json!({"at_least": 0, "at_most": 0, "grade_at_least": null});
    let t = run(&model_of(&r), 0, 300, 2);
    assert!((0..300).filter(|k| t.persons.cohort[*k] == 0).all(|k| t.persons.deformities[k] == 0));
}

#[test]
fn registers_miss_a_share_of_the_noticed_and_of_nothing_else() {
    let (model, t) = at_index(60_000);
    let e = &t.events;
    let spine_event = model.spine.site.unwrap() + 1;
    let (mut recorded, mut expected, mut n) = (0.0, 0.0, 0);
    for k in 0..e.event.len() {
        if usize::from(e.event[k]) != spine_event {
            assert_eq!(e.recorded[k], 1);
            continue;
        }
        recorded += f64::from(e.recorded[k]);
        expected += model.populations[0].mean.recorded.at(usize::from(e.sex[k]), usize::from(e.age_months[k]) / 12);
        n += 1;
    }
    assert!(n > 50 && (recorded - expected).abs() < 4.5 * (0.25 * f64::from(n)).sqrt(), "{n}: {recorded}, {expected} expected");
}

#[test]
fn a_traced_spine_gives_way_exactly_when_its_draw_is_below_its_threshold() {
    let mut r = trial();
    r["precision"] = json!("f64");
    let model = model_of(&r);
    let t = run(&model, 0, 1500, 2);
    let (e, id) = (&t.events, &model.fracture_sites[model.spine.site.unwrap()].id);
    let event = model.fracture_sites.len() as u8 + 1;
    let deformed: Vec<u64> = (0..e.event.len()).filter(|k| e.event[*k] == event && e.arm[*k] == 1).map(|k| e.person[k]).take(5).collect();
    assert!(!deformed.is_empty());
    for person in deformed {
        let life = trace(&model, 1, person);
        let column = |name: &str| &life.columns[life.names.iter().position(|n| n == name).unwrap_or_else(|| panic!("{name}"))];
        let (draw, threshold) = (column(&format!("draw_{id}")), column(&format!("threshold_{id}")));
        let (happened, died) = (column("vertebral_deformity"), column("died"));
        for month in 0..draw.len() {
            let gives_way = draw[month] < threshold[month];
            assert!((happened[month] == 1.0) == gives_way || died[month] == 1.0, "person {person}, month {month}");
        }
        assert!(happened.contains(&1.0));
    }
}
