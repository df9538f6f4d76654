//! What must hold of the balance, whatever its constants: see the names of the tests.

use super::*;
use crate::cohort::course::{Course, DosedEffect, course};
use crate::exposure::TargetSpec;
use crate::model::test_parameters;
use proptest::prelude::*;

fn reference_person<S: Scalar>(p: &Parameters) -> Person<S> {
    Person {
        male: S::ZERO,
        index_age_months: S::of(240.0),
        menopause_age: S::of(500.0),
        turnover: S::ONE,
        estrogen_half_effect: S::of(p.remodeling.estrogen_half_effect),
        formation_ageing: S::ONE,
        modelling: S::ONE,
        anabolic_response: S::ONE,
        drug_sensitivity: S::ONE,
        load_ageing: S::ONE,
        habitual_load: S::ONE,
        calcium_intake: S::of(p.minerals.reference_calcium_intake),
        serum_25ohd: S::of(p.minerals.reference_serum_25ohd),
    }
}

fn nothing<S: Scalar>() -> Inputs<S> {
    Inputs { target: [S::ZERO; Target::COUNT] }
}

fn without_ageing() -> Parameters {
    let mut p = test_parameters();
    p.remodeling.formation_loss_per_decade = 0.0;
    p.minerals.pth_gain_per_decade = 0.0;
    p.minerals.absorption_loss_per_year = 0.0;
    p.hormones.mens_decline_per_year = 0.0;
    p.remodeling.load_decline = [0.0; 3];
    p
}

fn bits<S: Scalar>(s: &State<S>) -> Vec<u64> {
    let mut all = Vec::new();
    let copy = std::cell::RefCell::new(&mut all);
    s.zip(s, |x, _| copy.borrow_mut().push(x.to_f64().to_bits()));
    all
}

fn balanced_for_seventy_years<S: Scalar>(male: bool, turnover: f64, step_years: f64) {
    let p = without_ageing();
    let balance = Balance::<S>::new(&p);
    let mut person = reference_person::<S>(&p);
    person.male = if male { S::ONE } else { S::ZERO };
    person.turnover = S::of(turnover);
    person.modelling = S::of(2.0 - turnover);
    let start = balance.at_peak(&person);
    let mut state = start;
    let steps = (70.0 / step_years) as u32;
    for k in 0..steps {
        let age = S::of(20.0 + f64::from(k) * step_years);
        state = balance.step(&person, &nothing(), &state, age, S::of(step_years));
    }
    assert_eq!(bits(&state), bits(&start));
    assert_eq!(balance.relative_density(&person, &state), [S::ONE; 4]);
    assert_eq!((balance.ctx(&state), balance.p1np(&state)), (balance.ctx(&start), S::ONE));
}

#[test]
fn a_balanced_person_is_constant_to_the_last_bit_for_seventy_years_at_any_step() {
    for step in [1.0 / 365.25, 1.0 / 12.0, 0.25, 1.0] {
        for male in [false, true] {
            for turnover in [1.0, 0.61, 1.7] {
                balanced_for_seventy_years::<f32>(male, turnover, step);
                balanced_for_seventy_years::<f64>(male, turnover, step);
            }
        }
    }
}

fn effect(target: Target, amount: f64, every_months: Option<u32>, start_month: u32, stop_month: u32) -> DosedEffect {
    DosedEffect { target, amount, every_months, start_month, stop_month }
}

/// Every kind of exposure, alone and one after another.
fn arms() -> Vec<(&'static str, Vec<DosedEffect>)> {
    use Target::*;
    let level = |t, x, from, to| effect(t, x, None, from, to);
    let bisphosphonate = |from, to| level(BisphosphonateUptake, 40.0, from, to);
    let rankl_antibody = |from, to| effect(RanklAntibody, 1.0, Some(6), from, to);
    let sclerostin_antibody = |from, to| level(SclerostinAntibody, 1.0, from, to);
    let pth_analogue = |from, to| vec![level(PthFormation, 1.0, from, to), level(PthResorption, 1.0, from, to)];
    vec![
        ("untreated", vec![]),
        ("estrogen replacement", vec![level(EstrogenReplacement, 1.0, 0, 60)]),
        ("receptor modulation", vec![level(EstrogenModulation, 1.0, 0, 60)]),
        ("estrogen suppression", vec![level(EstrogenSuppression, 1.0, 0, 60)]),
        ("calcium", vec![level(CalciumIntake, 1000.0, 0, 120)]),
        ("glucocorticoids", vec![level(Glucocorticoid, 1.0, 0, 60)]),
        ("bed rest", vec![level(Load, -1.0, 0, 4)]),
        ("training", vec![level(Load, 0.2, 0, 60)]),
        ("bisphosphonate by level", vec![bisphosphonate(0, 60)]),
        ("bisphosphonate by dose", vec![effect(BisphosphonateDose, 160.0, Some(12), 0, 36)]),
        ("RANKL antibody, then none", vec![rankl_antibody(0, 48)]),
        ("RANKL antibody throughout", vec![rankl_antibody(0, 120)]),
        ("sclerostin antibody, then none", vec![sclerostin_antibody(0, 12)]),
        ("PTH analogue, then none", pth_analogue(0, 24)),
        ("PTH analogue with RANKL antibody", [pth_analogue(0, 24), vec![rankl_antibody(0, 24)]].concat()),
        ("RANKL antibody, then PTH analogue", [vec![rankl_antibody(0, 24)], pth_analogue(24, 48)].concat()),
        ("PTH analogue, then RANKL antibody", [pth_analogue(0, 24), vec![rankl_antibody(24, 48)]].concat()),
        ("bisphosphonate, then PTH analogue", [vec![bisphosphonate(0, 60)], pth_analogue(60, 84)].concat()),
        ("sclerostin antibody, then bisphosphonate", vec![sclerostin_antibody(0, 12), bisphosphonate(12, 60)]),
        ("sclerostin antibody, then RANKL antibody", vec![sclerostin_antibody(0, 12), rankl_antibody(12, 48)]),
    ]
}

#[test]
fn a_month_is_stepped_finely_enough_in_every_arm() {
    // Largest error of density against twelve-hour steps over ten years, percentage points of the young adult's.
    let p = test_parameters();
    for (name, effects) in arms() {
        let life = Course { effects, visits: (0..=120).collect(), ..Course::of_woman(66.0) };
        let (monthly, exact) = (course(&p, &life, None), course(&p, &life, Some(61)));
        let worst = monthly
            .iter()
            .zip(&exact)
            .flat_map(|(a, b)| (0..4).map(move |site| 100.0 * (a.density[site] - b.density[site]).abs()))
            .fold(0.0, f64::max);
        assert!(worst < 0.2, "{name}: {worst}");
    }
}

#[test]
fn a_life_shifted_in_time_is_the_same_life() {
    // Age acts through the calendar of a body only: without ageing terms and at a fixed time since menopause, the same medicine ten years later does the same.
    let p = without_ageing();
    for (name, effects) in arms() {
        let at = |age: f64| {
            let life = Course { effects: effects.clone(), visits: vec![0, 12, 60], ..Course::of_woman(age) };
            course(&p, &Course { menopause_age: 500.0, ..life }, None)
        };
        for (a, b) in at(45.0).iter().zip(&at(65.0)) {
            for site in 0..4 {
                // Not to the bit: steps of the history differ in length.
                assert!((a.density[site] - b.density[site]).abs() < 1e-12, "{name}");
            }
        }
    }
}

#[test]
fn a_dose_of_zero_is_no_medicine_to_the_last_bit() {
    let p = test_parameters();
    let plain = course(&p, &Course { visits: vec![0, 24], ..Course::of_woman(66.0) }, None);
    for spec in &Target::ALL {
        let zero = vec![effect(spec.target, 0.0, Some(6), 0, 24), effect(spec.target, 0.0, None, 0, 24)];
        let with = course(&p, &Course { effects: zero, visits: vec![0, 24], ..Course::of_woman(66.0) }, None);
        assert_eq!(format!("{plain:?}"), format!("{with:?}"), "{}", spec.name);
    }
}

#[test]
fn precursors_pile_up_under_blockade_and_resorption_rebounds_after_it() {
    let p = test_parameters();
    let life =
        Course { effects: vec![effect(Target::RanklAntibody, 1.0, Some(6), 0, 24)], visits: vec![0, 12, 32], ..Course::of_woman(66.0) };
    let ctx: Vec<f64> = course(&p, &life, None).iter().map(|v| v.ctx).collect();
    assert!(ctx[1] < 0.4 * ctx[0] && ctx[2] > 1.2 * ctx[0], "{ctx:?}");
}

#[test]
fn suppressed_remodeling_lets_microdamage_build_up_and_a_fracture_draws_on_the_skeleton() {
    let p = test_parameters();
    let balance = Balance::<f64>::new(&p);
    let person = reference_person::<f64>(&p);
    let mut treated = balance.at_peak(&person);
    let mut healing = State { healing: 1.0, ..treated };
    let mut inputs = nothing::<f64>();
    inputs.target[Target::BisphosphonateUptake as usize] = 40.0;
    for _ in 0..36 {
        treated = balance.step(&person, &inputs, &treated, 30.0, 1.0 / 12.0);
        healing = balance.step(&person, &nothing(), &healing, 30.0, 1.0 / 12.0);
    }
    assert!(treated.microdamage > 1.3, "{}", treated.microdamage);
    let lost = 1.0 - balance.relative_density(&person, &healing)[1];
    assert!(lost > 0.002 && healing.healing < 0.1, "{lost}");
}

/// Amounts within the allowed range of every target.
fn inputs_of(amounts: &[f64]) -> Inputs<f32> {
    let mut inputs = nothing::<f32>();
    for (k, TargetSpec { low, high, .. }) in Target::ALL.iter().enumerate() {
        inputs.target[k] = (low + (high - low) * amounts[k]) as f32;
    }
    inputs
}

/// `low <= now <= high`, where these are the ends of the way from a state to its target, within rounding.
fn within_the_way(before: f32, target: f32, now: f32) -> bool {
    let slack = 1e-5 * (before.abs() + target.abs());
    now >= before.min(target) - slack && now <= before.max(target) + slack
}

proptest! {
    /// Whatever comes together, with whatever constants, no state turns negative or infinite or passes its target, at any step up to a year.
    #[test]
    fn random_exposures_never_break_the_balance(
        amounts in prop::collection::vec(0.0_f64..1.0, Target::COUNT),
        later in prop::collection::vec(0.0_f64..1.0, Target::COUNT),
        scale in prop::collection::vec(0.5_f64..2.0, 40),
        menopause in 38.0_f64..58.0,
        turnover in 0.3_f64..2.5,
        step in prop::sample::select(vec![1.0 / 365.25, 1.0 / 12.0, 1.0]),
        male in any::<bool>(),
    ) {
        let p = crate::model::test_parameters_scaled(&scale);
        let balance = Balance::<f32>::new(&p);
        let mut person = reference_person::<f32>(&p);
        person.menopause_age = menopause as f32;
        person.turnover = turnover as f32;
        person.drug_sensitivity = scale[0] as f32;
        person.male = if male { 1.0 } else { 0.0 };
        let mut state = balance.at_peak(&person);
        for k in 0..300 {
            let now = match k % 3 { 0 => inputs_of(&amounts), 1 => inputs_of(&later), _ => nothing() };
            let age = 40.0 + k as f32 * step as f32;
            let before = balance.dosed(&person, &now, &state);
            state = balance.step(&person, &now, &before, age, step as f32);
            for x in bits(&state) {
                let x = f64::from_bits(x);
                prop_assert!(x.is_finite() && x >= 0.0);
            }
            for d in balance.relative_density(&person, &state) {
                prop_assert!(d.is_finite() && d > 0.0);
            }
            let pulls = balance.pulls(&person, &now, &balance.surroundings(&person, &now), &before, age);
            let frozen = before.relaxed(&pulls, step as f32);
            let ways = before.zip(&pulls, |x, p| (x, p.target));
            let good = std::cell::Cell::new(true);
            frozen.zip(&ways, |x, (from, to)| good.set(good.get() && within_the_way(from, to, x)));
            prop_assert!(good.get());
        }
    }
}
