//! Tests of the spine with constants of their own, so that no data file decides them.

use super::*;
use crate::parameters::{LEVELS, PerComplaint, PerGrade, PerShape, PerSpineRegion, SpineParameters};
use proptest::prelude::*;

const SPREAD: f64 = 0.35;

fn parameters() -> SpineParameters {
    SpineParameters {
        load: [-0.5, -0.4, -0.2, 0.0, 0.0, -0.2, -0.3, 0.0, 0.3, 0.3, 0.0, -0.1, -0.1],
        neighbour_load: 0.2,
        own_weakening: 0.15,
        kyphosis_load: 0.1,
        share_moderate: 0.3,
        share_severe: 0.1,
        wedge_share: PerSpineRegion([0.7, 0.5]),
        biconcave_share: PerSpineRegion([0.2, 0.3]),
        attention_share: PerGrade([0.2, 0.4, 0.6]),
        past_incidence_ratio: 1.0,
        past_persistence: 0.6,
        early_deformities: [0.05, 0.1],
        height_loss: PerShape([1.0, 0.6, 1.4]),
        grade_ratio: 1.5,
        disc_height_loss: 4.0,
        disc_height_loss_from: 30.0,
        kyphosis_young: 27.0,
        kyphosis_young_sd: 8.0,
        kyphosis_ageing: 16.0,
        kyphosis_ageing_cv: 0.5,
        kyphosis_ageing_from: 40.0,
        kyphosis_ageing_power: 1.5,
        wedge_angle: PerShape([6.0, 1.0, 3.0]),
        hyperkyphosis_from: 50.0,
        acute_pain_months: 3.0,
        pain_share: PerComplaint([0.3, 0.15, 0.1, 0.05]),
        pain_age_slope: 0.1,
        pain_silent: PerComplaint([0.3, 0.3, 0.4, 0.4]),
        pain_clinical: PerComplaint([0.9, 1.0, 1.4, 1.9]),
    }
}

fn levels() -> Levels<f64> {
    Levels::new(&parameters(), SPREAD)
}

/// A spine from 26 random bits: two for each level, every level with the same shape.
fn spine_of(grades: &[u8], shape: u8) -> Spine {
    grades.iter().enumerate().fold(Spine::INTACT, |s, (level, g)| if *g == 0 { s } else { s.compressed(level, *g, shape, false) })
}

proptest! {
    #[test]
    fn the_bound_is_never_below_the_sum(
        grades in prop::collection::vec(0_u8..=3, 13), demand in -3.0..3.0_f64, scale in 0.0..20.0_f64
    ) {
        fn holds<S: crate::numeric::Scalar>(spine: Spine, demand: f64, scale: f64) -> bool {
            let levels = Levels::<S>::new(&parameters(), SPREAD);
            let (demand, scale) = (S::of(demand), S::of(scale));
            total(&levels.hazards(spine, demand, scale)) <= levels.bound(levels.weakest(spine), demand, scale)
        }
        let spine = spine_of(&grades, 1);
        prop_assert!(holds::<f32>(spine, demand, scale) && holds::<f64>(spine, demand, scale));
    }

    #[test]
    fn a_compression_makes_its_level_worse_and_no_other_better(
        grades in prop::collection::vec(0_u8..=2, 13), shape in 1_u8..=3, u in prop::array::uniform4(1e-6..0.999_999_f64)
    ) {
        let spine = spine_of(&grades, shape);
        let outcome = Outcome::new(&parameters());
        let draws = Draws { level: u[0], grade: u[1], shape: u[2], attention: u[3] };
        let made = outcome.of(spine, &levels().hazards(spine, 0.0, 1.0), &draws);
        let after = made.of(spine);
        prop_assert!(made.grade > made.before && made.before == spine.grade(made.level));
        prop_assert_eq!((after.grade(made.level), after.shape(made.level)), (made.grade, made.shape));
        for level in (0..LEVELS.len()).filter(|k| *k != made.level) {
            prop_assert_eq!((after.grade(level), after.shape(level)), (spine.grade(level), spine.shape(level)));
        }
        prop_assert_eq!(after.attended(), spine.attended() + u32::from(made.attended));
        let posture = Posture::new(&parameters());
        prop_assert!(posture.height_loss(840, after) > posture.height_loss(840, spine));
        let curve = posture.curve(0.0, 0.0);
        prop_assert!(posture.kyphosis(&curve, 840, after) >= posture.kyphosis(&curve, 840, spine));
    }
}

#[test]
fn nothing_can_happen_to_a_spine_that_is_all_crushed() {
    let spine = spine_of(&[3; 13], 3);
    let l = levels();
    assert_eq!(l.bound(l.weakest(spine), 2.0, 1.0), 0.0);
    assert_eq!(total(&l.hazards(spine, 2.0, 1.0)), 0.0);
}

#[test]
fn levels_give_way_in_proportion_to_their_hazards() {
    let hazards = levels().hazards(spine_of(&[0, 0, 0, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0], 1), -0.5, 1.0);
    let n = 100_000;
    let mut drawn = [0_u32; 13];
    for k in 0..n {
        drawn[level_of(&hazards, (f64::from(k) + 0.5) / f64::from(n))] += 1;
    }
    assert_eq!(drawn[4], 0);
    for (level, count) in drawn.iter().enumerate() {
        let share = hazards[level] / total(&hazards);
        assert!((f64::from(*count) / f64::from(n) - share).abs() < 2.0 / f64::from(n), "{}", LEVELS[level]);
    }
    // The largest share that there is still names a level that can give way.
    assert_eq!(level_of(&hazards, 1.0), 12);
    assert_eq!(level_of(&levels().hazards(spine_of(&[0, 0, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3], 1), 0.0, 1.0), 1.0), 1);
}

#[test]
fn a_deformity_weighs_on_both_neighbours_and_on_itself_and_on_nobody_else() {
    let l = levels();
    let intact = l.hazards(Spine::INTACT, -0.5, 1.0);
    for grade in 1..=2_u8 {
        let hazards = l.hazards(spine_of(&[0, 0, 0, 0, 0, 0, 0, grade], 1), -0.5, 1.0);
        for level in 0..LEVELS.len() {
            assert_eq!(hazards[level] > intact[level], (6..=8).contains(&level), "{}", LEVELS[level]);
        }
        let part = |level: usize| l.part(spine_of(&[0, 0, 0, 0, 0, 0, 0, grade], 1), level) - l.part(Spine::INTACT, level);
        assert!((part(6) - 0.2 * f64::from(grade)).abs() < 1e-12 && (part(7) - 0.15 * f64::from(grade)).abs() < 1e-12);
    }
    // The ends have one neighbour each.
    assert!((l.part(spine_of(&[0, 2], 1), 0) - (-0.5 + 0.4)).abs() < 1e-12);
    assert!((l.part(spine_of(&[0; 13], 1).compressed(11, 3, 1, false), 12) - (-0.1 + 0.6)).abs() < 1e-12);
}

#[test]
fn the_hazard_of_a_level_is_that_of_its_demand() {
    let l = levels();
    let hazards = l.hazards(Spine::INTACT, -0.7, 0.002);
    let by_hand = 0.002 * crate::numeric::normal::distribution((-0.7 + 0.3) / SPREAD);
    assert!((hazards[8] / by_hand - 1.0).abs() < 1e-6);
}

#[test]
fn drawn_grades_and_shapes_and_attention_come_as_often_as_their_shares() {
    let p = parameters();
    let outcome = Outcome::new(&p);
    assert_eq!([0.01, 0.59, 0.61, 0.89, 0.91].map(|u| outcome.drawn_grade(u)), [1, 1, 2, 2, 3]);
    let only = |level: usize| std::array::from_fn::<f64, 13, _>(|k| if k == level { 1.0 } else { 0.0 });
    let of = |level: usize, grade: f64, shape: f64, attention: f64, spine: Spine| {
        outcome.of(spine, &only(level), &Draws { level: 0.5, grade, shape, attention })
    };
    // T10 is the last of the thoracic region, T11 the first of the other.
    let shapes = |level: usize| [0.4, 0.6, 0.75, 0.85, 0.95].map(|u| of(level, 0.1, u, 0.9, Spine::INTACT).shape);
    assert_eq!((shapes(6), shapes(7)), ([1, 1, 2, 2, 3], [1, 2, 2, 3, 3]));
    // A second compression goes up at least one grade, keeps its shape, and is noticed as often as its new grade.
    let mild = Spine::INTACT.compressed(5, 1, 2, false);
    let worse = of(5, 0.1, 0.1, 0.39, mild);
    assert_eq!((worse.before, worse.grade, worse.shape, worse.attended), (1, 2, 2, true));
    assert!(!of(5, 0.1, 0.1, 0.41, mild).attended);
    assert_eq!(of(5, 0.95, 0.1, 0.59, mild).grade, 3);
    assert!((outcome.attention_at(0) - (0.6 * 0.2 + 0.3 * 0.4 + 0.1 * 0.6)).abs() < 1e-15);
    assert!((outcome.attention_at(1) - (0.9 * 0.4 + 0.1 * 0.6)).abs() < 1e-15);
    assert!((outcome.attention_at(2) - 0.6).abs() < 1e-15);
}

#[test]
fn height_and_kyphosis_of_known_spines() {
    let posture = Posture::new(&parameters());
    let mean = Curve { young: 0.0, ageing: 1.0 };
    // Young and intact; 80 and intact; 55 years: half of the way from 30, (15/40)^1.5 of the way from 40.
    assert_eq!((posture.height_loss(240, Spine::INTACT), posture.kyphosis(&mean, 240, Spine::INTACT)), (0.0, 27.0));
    assert!((posture.height_loss(960, Spine::INTACT) - 4.0).abs() < 1e-12);
    assert!((posture.kyphosis(&mean, 960, Spine::INTACT) - 43.0).abs() < 1e-12);
    assert!((posture.height_loss(660, Spine::INTACT) - 1.0).abs() < 1e-12);
    assert!((posture.kyphosis(&mean, 660, Spine::INTACT) - (27.0 + 16.0 * 0.375_f64.sqrt() * 0.375)).abs() < 1e-12);
    // A mild wedge of T8, a moderate biconcave L1 (no part of the chest's curve), a severe crush of T12.
    let spine = Spine::INTACT.compressed(4, 1, 1, false).compressed(9, 2, 2, true).compressed(8, 3, 3, false);
    assert!((posture.height_loss(240, spine) - (1.0 / 1.5 + 0.6 + 1.4 * 1.5)).abs() < 1e-12);
    assert!((posture.kyphosis(&mean, 240, spine) - (27.0 + 6.0 / 1.5 + 3.0 * 1.5)).abs() < 1e-12);
    let own = posture.curve(1.0, 0.0);
    assert!((own.young - 8.0).abs() < 1e-12 && own.ageing < 1.0);
    assert!((posture.more_than_mean(&own, 960, Spine::INTACT) - (8.0 + 16.0 * (own.ageing - 1.0))).abs() < 1e-12);
    let all_crushed = spine_of(&[3; 13], 1);
    assert_eq!(posture.kyphosis(&posture.curve(3.0, 0.0), 1200, all_crushed), 120.0);
    assert!(posture.is_hyperkyphosis(50.0) && !posture.is_hyperkyphosis(49.99));
}

#[test]
fn individual_ageing_of_the_curve_has_mean_one_and_its_spread() {
    let posture = Posture::new(&parameters());
    let n = 20_000;
    let all: Vec<f64> =
        (0..n).map(|k| posture.curve(0.0, crate::numeric::normal::quantile((f64::from(k) + 0.5) / f64::from(n))).ageing).collect();
    let mean = all.iter().sum::<f64>() / f64::from(n);
    let variance = all.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(n);
    assert!((mean - 1.0).abs() < 1e-3 && (variance.sqrt() - 0.5).abs() < 5e-3, "{mean} {variance}");
}

#[test]
fn odds_ratios_of_complaints_are_the_parameters() {
    let p = parameters();
    let back = Back::new(&p);
    let clinical = Spine::INTACT.compressed(8, 2, 1, true);
    let silent = Spine::INTACT.compressed(8, 2, 1, false);
    let n = 400_000_u32;
    let odds = |spine: Spine, complaint: usize| {
        let has = |k: &u32| {
            let luck = back::logit((f64::from(*k) + 0.5) / f64::from(n));
            back.complaints(luck, 70.0, spine, 1e6) >> complaint & 1 == 1
        };
        let share = (0..n).filter(has).count() as f64 / f64::from(n);
        share / (1.0 - share)
    };
    for k in 0..4 {
        let usual = odds(Spine::INTACT, k);
        assert!((usual / (p.pain_share.0[k] / (1.0 - p.pain_share.0[k])) - 1.0).abs() < 1e-3);
        assert!((odds(clinical, k) / usual / libm::exp(p.pain_clinical.0[k]) - 1.0).abs() < 1e-3);
        assert!((odds(silent, k) / usual / libm::exp(p.pain_silent.0[k]) - 1.0).abs() < 1e-3);
    }
    assert!((back.ln_odds(0, 80.0, silent) - back.ln_odds(0, 70.0, silent) - 0.1).abs() < 1e-12);
}

#[test]
fn counts_stop_at_three_and_acute_months_bring_everything() {
    let back = Back::new(&parameters());
    let with = |n: usize, attended: bool| (0..n).fold(Spine::INTACT, |s, level| s.compressed(level, 1, 1, attended));
    assert_eq!(back.ln_odds(1, 70.0, with(3, true)), back.ln_odds(1, 70.0, with(9, true)));
    assert!(back.ln_odds(1, 70.0, with(2, false)) < back.ln_odds(1, 70.0, with(3, false)));
    // A level that was noticed twice hurts as two noticed ones.
    let twice = with(1, true).compressed(0, 3, 1, true);
    assert_eq!(back.ln_odds(1, 70.0, twice), back.ln_odds(1, 70.0, with(2, true)));
    assert_eq!((back.complaints(-50.0, 70.0, twice, 2.0), back.complaints(-50.0, 70.0, twice, 3.0)), (back::ALL, 0));
}
