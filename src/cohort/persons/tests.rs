use super::*;
use crate::cohort::recruit::Recruit;
use crate::model::{ACTIVITY, BODY_WEIGHT, FIXTURE, Model};

const N: u64 = 20_000;
/// Standard errors within which a mean must lie.
const WIDE: f64 = 4.5;

fn model() -> Model {
    Model::from_json(FIXTURE).unwrap()
}

fn factor_ids(model: &Model) -> Vec<&str> {
    model.risk_factors.iter().map(|f| f.id.as_str()).collect()
}

fn columns(of: &[(&str, Vec<f64>)]) -> Columns {
    of.iter().map(|(name, values)| (name.to_string(), values.clone())).collect()
}

fn taken(model: &Model, columns: &Columns, sexes: [bool; 2], ages: (usize, usize)) -> Result<Persons, Vec<String>> {
    let mut problems = Problems::default();
    let made = Persons::new(columns, &model.populations[0], &factor_ids(model), (sexes, ages), "cohorts[0].persons", &mut problems);
    made.ok_or_else(|| problems.0.iter().map(|p| format!("{}: {}; {}", p.place, p.found, p.needed)).collect())
}

/// People of the population, 55 and 75 years old, as the columns of a file that knows everything.
fn whole_file(model: &Model) -> Columns {
    let people: Vec<Recruit> = (0..N)
        .map(|n| recruit::measured(model, &model.populations[0], (n, 0), (n % 2) as usize, 12 * (55 + 20 * (n as u32 / 2 % 2)) + 6, None))
        .collect();
    let mut all = columns(&[
        ("sex", people.iter().map(|r| r.sex as f64).collect()),
        ("age", people.iter().map(|r| f64::from(r.age_months) / 12.0).collect()),
        (PRIOR_FRACTURE, people.iter().map(|r| f64::from(u8::from(r.prior_fracture))).collect()),
    ]);
    for (k, (id, _)) in CHARACTERISTICS.iter().enumerate() {
        all.insert(id.to_string(), people.iter().map(|r| r.values[k]).collect());
    }
    for (k, id) in factor_ids(model).iter().enumerate() {
        all.insert(id.to_string(), people.iter().map(|r| f64::from(u8::from(r.has(k)))).collect());
    }
    all
}

/// Everybody of a file once, with a luck that did not make the file.
fn found(model: &Model, persons: &Persons) -> Vec<Found> {
    (0..N).map(|n| persons.find(&model.populations[0], Luck::new(99), N, n, 0)).collect()
}

fn mean_and_error(of: &[f64]) -> (f64, f64) {
    let n = of.len() as f64;
    let mean = of.iter().sum::<f64>() / n;
    let variance = of.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    (mean, (variance / n).sqrt())
}

#[test]
fn a_file_of_sex_and_age_is_a_draw_from_the_population_to_the_last_bit() {
    let model = model();
    let file = columns(&[("sex", vec![0.0, 1.0]), ("age", vec![70.0, 62.0])]);
    let persons = taken(&model, &file, [true; 2], (50, 100)).unwrap();
    for n in 0..200 {
        let one = persons.find(&model.populations[0], model.luck, 200, n, 0);
        let drawn = recruit::measured(&model, &model.populations[0], (n, 0), one.sex, one.age_months, None);
        assert_eq!((one.row, one.sex), (usize::from(n >= 100), usize::from(n >= 100)));
        assert_eq!(one.values, drawn.values);
        assert_eq!(one.present[0], drawn.prior_fracture);
        assert!((0..model.risk_factors.len()).all(|k| one.present[k + 1] == drawn.has(k)));
    }
}

#[test]
fn known_values_are_used_exactly_as_given() {
    let model = model();
    let file = whole_file(&model);
    let all = found(&model, &taken(&model, &file, [true; 2], (50, 100)).unwrap());
    for (n, one) in all.iter().enumerate().take(2000) {
        assert_eq!(one.row, n);
        for (k, (id, _)) in CHARACTERISTICS.iter().enumerate() {
            assert_eq!(one.values[k], file[*id][n], "{id}");
        }
        assert_eq!(one.present[0], file[PRIOR_FRACTURE][n] == 1.0);
        assert_eq!(f64::from(one.age_months) / 12.0, file["age"][n]);
    }
}

#[test]
fn what_was_left_out_comes_back_with_its_mean_and_its_relations_to_what_is_known() {
    let model = model();
    let whole = whole_file(&model);
    let mut file = whole.clone();
    let dropped = [0, 2, 6, 9];
    for k in dropped {
        file.remove(CHARACTERISTICS[k].0);
    }
    file.remove(factor_ids(&model)[0]);
    // Total hip is missing for every third person only, so that patterns differ.
    for (n, x) in file.get_mut(CHARACTERISTICS[1].0).unwrap().iter_mut().enumerate() {
        *x = if n % 3 == 0 { f64::NAN } else { *x };
    }
    let persons = taken(&model, &file, [true; 2], (50, 100)).unwrap();
    assert!((4..=16).contains(&persons.patterns.len()), "{}", persons.patterns.len());
    let all = found(&model, &persons);
    let weight = &whole[CHARACTERISTICS[BODY_WEIGHT].0];
    let (mean_weight, _) = mean_and_error(weight);
    for k in dropped.into_iter().chain([1]) {
        // What was there and what was drawn for it are two draws from one distribution: their difference has mean 0, and so has its
        // product with anything that is known.
        let original = &whole[CHARACTERISTICS[k].0];
        let difference: Vec<f64> = all.iter().map(|one| one.values[k] - original[one.row]).collect();
        let with_weight: Vec<f64> = all.iter().zip(&difference).map(|(one, d)| d * (weight[one.row] - mean_weight)).collect();
        let square: Vec<f64> = all.iter().map(|one| one.values[k] * one.values[k] - original[one.row] * original[one.row]).collect();
        let with_fracture: Vec<f64> = all.iter().zip(&difference).filter(|(one, _)| one.present[0]).map(|(_, d)| *d).collect();
        for (what, of) in [("mean", &difference), ("with weight", &with_weight), ("square", &square), ("fractured", &with_fracture)] {
            let (mean, error) = mean_and_error(of);
            assert!(mean.abs() < WIDE * error, "{} {what}: {mean} {error}", CHARACTERISTICS[k].0);
        }
    }
    let factor = factor_ids(&model)[0];
    let difference: Vec<f64> = all.iter().map(|one| f64::from(u8::from(one.present[1])) - whole[factor][one.row]).collect();
    let (mean, error) = mean_and_error(&difference);
    assert!(mean.abs() < WIDE * error, "{factor}: {mean} {error}");
}

#[test]
fn rows_are_there_as_often_as_their_weights_say() {
    let model = model();
    let weights = [3.0, 0.0, 1.0, 0.25, 2.0, 5.0];
    let ages = vec![70.0, 70.0, 70.0, 70.0, 49.0, 70.0];
    let file = columns(&[("sex", vec![0.0, 0.0, 0.0, 0.0, 0.0, 1.0]), ("age", ages), ("weight", weights.to_vec())]);
    let persons = taken(&model, &file, [true, false], (50, 100)).unwrap();
    let total = 4.25;
    for people in [10, 1000, 12_345] {
        let mut count = [0_u32; 6];
        (0..people).for_each(|n| count[persons.row(model.luck, people, n, 0)] += 1);
        for row in [0, 2, 3] {
            assert!((f64::from(count[row]) - people as f64 * weights[row] / total).abs() <= 1.0, "{people} {count:?}");
        }
        assert_eq!((count[1], count[4], count[5]), (0, 0, 0)); // no weight, too young, not of the sex
    }
    // Candidates after the first are drawn by their own luck, in the same shares.
    let share = (0..4000).filter(|n| persons.row(model.luck, 10, 5, 1 + n) == 2).count() as f64 / 4000.0;
    let expected = 1.0 / total;
    assert!((share - expected).abs() < WIDE * (expected * (1.0 - expected) / 4000.0_f64).sqrt());
    assert_eq!(persons.cells(), [(0, 70, 1.0)]);
}

#[test]
fn ages_in_whole_years_get_a_month_and_others_are_exact() {
    let model = model();
    let of = |ages: Vec<f64>| {
        let persons = taken(&model, &columns(&[("sex", vec![0.0; 2]), ("age", ages)]), [true; 2], (50, 100)).unwrap();
        (0..100).map(|n| persons.find(&model.populations[0], model.luck, 100, n, 0).age_months).collect::<Vec<_>>()
    };
    let whole = of(vec![60.0, 61.0]);
    assert!((0..12).all(|month| whole[..50].contains(&(720 + month))));
    let exact = of(vec![60.0, 61.25]);
    assert!(exact[..50].iter().all(|m| *m == 720) && exact[50..].iter().all(|m| *m == 735));
}

#[test]
fn no_activity_says_only_that_activity_is_low() {
    let model = model();
    let mut whole = whole_file(&model);
    let none: Vec<bool> = whole[CHARACTERISTICS[ACTIVITY].0].iter().map(|x| *x == 0.0).collect();
    assert!(none.iter().filter(|x| **x).count() > 1000);
    let original = whole.remove(CHARACTERISTICS[7].0).unwrap();
    let all = found(&model, &taken(&model, &whole, [true; 2], (50, 100)).unwrap());
    let of = |yes: bool| all.iter().filter(|one| none[one.row] == yes).map(|one| one.values[7] - original[one.row]).collect::<Vec<_>>();
    for yes in [false, true] {
        let (mean, error) = mean_and_error(&of(yes));
        assert!(mean.abs() < WIDE * error, "{yes}: {mean} {error}");
    }
    assert!(all.iter().all(|one| (one.values[ACTIVITY] == 0.0) == none[one.row]));
}

#[test]
fn what_is_known_against_all_odds_gives_finite_people() {
    let model = model();
    let mut file = columns(&[("sex", vec![0.0; 2]), ("age", vec![50.0, 95.0]), (PRIOR_FRACTURE, vec![1.0, 0.0])]);
    file.insert(CHARACTERISTICS[0].0.into(), vec![0.1, 2.5]);
    file.insert(CHARACTERISTICS[1].0.into(), vec![2.5, 0.1]);
    file.insert(CHARACTERISTICS[BODY_WEIGHT].0.into(), vec![25.0, 290.0]);
    for id in factor_ids(&model) {
        file.insert(id.into(), vec![1.0, 1.0]);
    }
    let persons = taken(&model, &file, [true; 2], (50, 100)).unwrap();
    for n in 0..200 {
        let one = persons.find(&model.populations[0], model.luck, 200, n, 0);
        assert!(one.values.iter().all(|x| x.is_finite()), "{one:?}");
    }
}

#[test]
fn all_mistakes_of_a_file_are_noted() {
    let model = model();
    let ages = (50, 100);
    let wrong = taken(&model, &columns(&[("age", vec![60.0, 61.0]), ("hight", vec![1.0])]), [true; 2], ages).unwrap_err();
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert!(wrong[0].contains("no column \"sex\"") && wrong[1].contains("no characteristic \"hight\"") && wrong[2].contains("rows: "));
    let cells = columns(&[
        ("sex", vec![0.0, 2.0]),
        ("age", vec![-1.0, 60.0]),
        ("weight", vec![1.0, f64::NAN]),
        (PRIOR_FRACTURE, vec![f64::NAN, 0.5]),
        (CHARACTERISTICS[0].0, vec![f64::NAN, f64::INFINITY]),
    ]);
    let wrong = taken(&model, &cells, [true; 2], ages).unwrap_err();
    for (column, row) in [("sex", 1), ("age", 0), ("weight", 1), (PRIOR_FRACTURE, 1), (CHARACTERISTICS[0].0, 1)] {
        let place = format!("cohorts[0].persons.{column}[{row}]: ");
        assert_eq!(wrong.iter().filter(|w| w.starts_with(&place)).count(), 1, "{wrong:?}");
    }
    let nobody = columns(&[("sex", vec![1.0, 0.0]), ("age", vec![60.0, 40.0])]);
    let wrong = taken(&model, &nobody, [true, false], ages).unwrap_err();
    assert_eq!(wrong, ["cohorts[0].persons: nobody of the cohort's sexes, aged 50 to 100; a row with a weight"]);
}

/// A model of the fixture's request with one cohort of women of 50 and over, from a file.
fn with_file(people: u64, rows: usize, columns: &Columns, entry: serde_json::Value) -> Result<Model, String> {
    let mut request: serde_json::Value = serde_json::from_str(FIXTURE).unwrap();
    let mut cohort = request["cohorts"][0].clone();
    for (key, value) in [
        ("share", serde_json::json!(1.0)),
        ("sexes", serde_json::json!(["women"])),
        ("age_from", serde_json::json!(50)),
        ("age_to", serde_json::json!(100)),
        ("set", serde_json::json!([])),
        ("exposures", serde_json::json!([])),
        ("entry", entry),
        ("persons", serde_json::json!({"rows": rows, "sha256": "0"})),
    ] {
        cohort[key] = value;
    }
    let name = cohort["name"].as_str().unwrap().to_string();
    request["people"] = people.into();
    request["cohorts"] = serde_json::json!([cohort]);
    request["arms"] = serde_json::json!([{"name": "alone", "exposures": []}]);
    let persons = BTreeMap::from([(name, columns.clone())]);
    Model::from_json_with(&request.to_string(), None, &persons).map_err(|e| e.to_string())
}

#[test]
fn a_cohort_of_a_file_has_its_people_in_the_order_of_the_file() {
    let neck: Vec<f64> = (0..40).map(|k| 0.5 + 0.01 * f64::from(k)).collect();
    let age = (0..40).map(|k| f64::from(45 + k)).collect();
    let file = columns(&[("sex", vec![0.0; 40]), ("age", age), (CHARACTERISTICS[0].0, neck.clone())]);
    let model = with_file(35, 40, &file, serde_json::json!(null)).unwrap();
    for person in 0..35 {
        let r = recruit::recruit(&model, person);
        assert_eq!((r.source_row, r.values[0]), (person as i64 + 5, neck[person as usize + 5]));
        assert_eq!(r.age_completed(), person as usize + 50);
    }
    let (ages, shares): (Vec<_>, Vec<_>) = model.cohorts[0].cells.iter().map(|c| (c.1, c.2)).unzip();
    assert_eq!((ages[0], ages[34], ages.len()), (50, 84, 35));
    assert!((shares[34] - 1.0).abs() < 1e-12);
    let tables = crate::cohort::simulate::simulate(&model, 0, 35, 1).unwrap();
    assert_eq!(tables.persons.source_row, (5..40).collect::<Vec<i64>>());
}

#[test]
fn entry_rules_go_on_to_other_rows() {
    let neck: Vec<f64> = (0..40).map(|k| 0.5 + 0.01 * f64::from(k)).collect();
    let file = columns(&[("sex", vec![0.0; 40]), ("age", vec![70.0; 40]), (CHARACTERISTICS[0].0, neck.clone())]);
    let fixture: serde_json::Value = serde_json::from_str(FIXTURE).unwrap();
    let mut entry = serde_json::json!({"any_t_score": false, "prior_fracture": null, "years_since_menopause_from": null,
        "years_since_menopause_to": null, "vertebral_deformities": null});
    entry["t_scores"] = serde_json::json!([{"site": "femoral_neck", "at_least": null, "at_most": -2.5}]);
    assert!(fixture["cohorts"][0].get("entry").is_some());
    let model = with_file(40, 40, &file, entry).unwrap();
    let all: Vec<Recruit> = (0..40).map(|n| recruit::recruit(&model, n)).collect();
    assert!(all.iter().all(|r| recruit::t_score(&model, r, 2) <= -2.5 && r.values[0] == neck[r.source_row as usize]));
    assert!(all.iter().filter(|r| r.attempt == 0).all(|r| r.source_row == r.person as i64));
    assert!(all.iter().any(|r| r.attempt > 0) && all.iter().any(|r| r.attempt == 0));
}

#[test]
fn a_request_and_its_columns_must_belong_together() {
    let file = columns(&[("sex", vec![0.0]), ("age", vec![70.0])]);
    let wrong = with_file(1, 2, &file, serde_json::json!(null)).unwrap_err();
    assert!(wrong.contains("cohorts[0].persons.age: 1 rows; 2 rows") && wrong.contains("cohorts[0].persons.sex: 1 rows"), "{wrong}");
    let men = columns(&[("sex", vec![1.0]), ("age", vec![70.0])]);
    let wrong = with_file(1, 1, &men, serde_json::json!(null)).unwrap_err();
    assert!(wrong.contains("cohorts[0].persons: nobody of the cohort's sexes"), "{wrong}");
    let mut request: serde_json::Value = serde_json::from_str(FIXTURE).unwrap();
    request["cohorts"][0]["persons"] = serde_json::json!({"rows": 1, "sha256": "0"});
    let wrong = Model::from_json(&request.to_string()).unwrap_err().to_string();
    assert!(wrong.contains("cohorts[0].persons: no columns"), "{wrong}");
}
