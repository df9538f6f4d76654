//! Courses: from when to when each exposure acts on a person, which course follows which, and which one stops before its time.
//!
//! A course is planned when the person reaches index: taken up or not, from its start until its planned end or, in real life, until the
//! person no longer persists. A course that follows another starts in the first month that the other is no longer taken, after the months
//! to wait. A stop rule ends a course for good, and the courses that follow it move forward.

use crate::biology::density::Density;
use crate::block::NEVER;
use crate::cohort::history::Block;
use crate::cohort::recruit::{Recruit, has_t_score};
use crate::exposure::ExposureRows;
use crate::model::{self, Anchor, Exposure, Model};
use crate::numeric::Scalar;

/// What acts on the people of a block: rows and, for the last of them, how they came about.
#[derive(Clone, Debug)]
pub struct Courses<S, const L: usize> {
    /// From when to when everything acts.
    pub rows: Vec<ExposureRows<S, L>>,
    /// Plans of the last rows: those before them have fixed times.
    plans: Vec<Plan<S, L>>,
}

/// How one course comes about.
#[derive(Clone, Debug)]
struct Plan<S, const L: usize> {
    /// Position of the plan that it follows.
    after: Option<usize>,
    /// Months to wait after that one's end.
    waiting: f64,
    /// Months from its start to its end; `None` for who never starts it.
    months: [Option<f64>; L],
    stop: Option<StopRule<S>>,
}

#[derive(Clone, Copy, Debug)]
struct StopRule<S> {
    every_months: i64,
    t_score: Option<(usize, S)>,
    at_fracture: bool,
}

impl<S: Scalar, const L: usize> Courses<S, L> {
    /// The courses of a list of exposures for the people of a block.
    pub fn planned<'a>(model: &Model, exposures: &[Exposure], in_lane: impl Fn(usize) -> &'a Recruit) -> Self {
        let mut all = Courses { rows: Vec::new(), plans: Vec::new() };
        for exposure in exposures {
            let mut rows = ExposureRows::never(&exposure.effects, exposure.medicine);
            let mut months = [None; L];
            for lane in (0..L).filter(|lane| takes_up(model, exposure, in_lane(*lane))) {
                let (start, lasting) = (start(exposure, in_lane(lane)), lasting(model, exposure, in_lane(lane)));
                months[lane] = Some(lasting);
                if exposure.after.is_none() {
                    (rows.start[lane], rows.stop[lane]) = (S::of(start), S::of(start + lasting));
                }
            }
            let stop = exposure.stop.map(|s| StopRule {
                every_months: i64::from(s.every_months),
                t_score: s.t_score.map(|(site, t)| (site, S::of(t))),
                at_fracture: s.at_fracture,
            });
            all.rows.push(rows);
            all.plans.push(Plan { after: exposure.after, waiting: exposure.start_month, months, stop });
        }
        (0..L).for_each(|lane| all.follow(lane, f64::NEG_INFINITY));
        all
    }

    /// What acts on a block in an arm: what every arm has, then the arm's own.
    pub fn in_arm(model: &Model, block: &Block<S, L>, arm: usize) -> Self {
        let own = Courses::planned(model, &model.arms[arm].exposures, |lane| block.in_lane(lane));
        Courses { rows: block.exposures.iter().cloned().chain(own.rows).collect(), plans: own.plans }
    }

    /// Position of a plan's row.
    fn row_of(&self, plan: usize) -> usize {
        self.rows.len() - self.plans.len() + plan
    }

    /// Puts the courses that follow others, and have not begun by `now`, after them. What follows stands later in the list than what it
    /// follows.
    fn follow(&mut self, lane: usize, now: f64) {
        let first = self.row_of(0);
        for (k, plan) in self.plans.iter().enumerate() {
            let (Some(former), Some(months)) = (plan.after, plan.months[lane]) else { continue };
            let former = &self.rows[first + former];
            if self.rows[first + k].start[lane].to_f64() <= now || former.start[lane].to_f64() >= NEVER {
                continue;
            }
            // A month begun is a month taken: the next course starts in a whole month.
            let start = (libm::ceil(former.stop[lane].to_f64()) + plan.waiting).min(NEVER);
            let rows = &mut self.rows[first + k];
            (rows.start[lane], rows.stop[lane]) = (S::of(start), S::of((start + months).min(NEVER)));
        }
    }

    /// Ends a course of a person before its time.
    fn end(&mut self, k: usize, lane: usize, month: u32) {
        let row = self.row_of(k);
        self.rows[row].stop[lane] = S::of(f64::from(month));
        self.follow(lane, f64::from(month));
    }

    /// Which month of its course a person is in, from 0; `None` for who is not on it.
    fn month_of_course(&self, k: usize, lane: usize, month: u32) -> Option<i64> {
        let rows = &self.rows[self.row_of(k)];
        let (start, stop, now) = (rows.start[lane].to_f64(), rows.stop[lane].to_f64(), f64::from(month));
        (start <= now && now < stop).then(|| (now - libm::ceil(start)) as i64)
    }

    /// Treat to target: at the start of a month, ends the courses that are to be judged and whose target is met.
    #[inline(always)]
    pub fn judge(&mut self, density: &Density<S>, abmd: &[[S; L]; 4], month: u32) {
        for k in 0..self.plans.len() {
            let Some(StopRule { every_months, t_score: Some((site, at_least)), .. }) = self.plans[k].stop else { continue };
            for lane in 0..L {
                let due = self.month_of_course(k, lane, month).is_some_and(|taken| taken > 0 && taken % every_months == 0);
                if due && at_least <= density.t_score(site, abmd[site][lane]) {
                    self.end(k, lane, month);
                }
            }
        }
    }

    /// A person broke a bone in this month: ends, with the month, the courses that stop at a fracture.
    pub fn fractured(&mut self, lane: usize, month: u32) {
        for k in 0..self.plans.len() {
            let ends = self.plans[k].stop.is_some_and(|stop| stop.at_fracture) && self.month_of_course(k, lane, month).is_some();
            let row = self.row_of(k);
            if ends && f64::from(month + 1) < self.rows[row].stop[lane].to_f64() {
                self.end(k, lane, month + 1);
            }
        }
    }

    /// Months of the first `lived` months of follow-up on medicines, summed over medicines; a month begun is a month taken.
    pub fn medicine_months(&self, lane: usize, lived: f64) -> f64 {
        let taken = |rows: &ExposureRows<S, L>| {
            let (start, stop) = (rows.start[lane].to_f64(), rows.stop[lane].to_f64());
            (libm::ceil(stop).min(lived) - libm::ceil(start).max(0.0)).max(0.0)
        };
        self.rows.iter().filter(|rows| rows.medicine).map(taken).sum()
    }
}

/// Whether an exposure is for this person, and they take it up.
fn takes_up(model: &Model, exposure: &Exposure, recruit: &Recruit) -> bool {
    let age = f64::from(recruit.age_months / 12);
    exposure.cohort.is_none_or(|c| c == recruit.cohort)
        && exposure.sexes[recruit.sex]
        && (exposure.ages.0..=exposure.ages.1).contains(&age)
        && exposure.t_score.is_none_or(|range| has_t_score(model, recruit, &range))
        && exposure.prior_fracture.is_none_or(|prior| prior == recruit.prior_fracture)
        && model.luck.once(recruit.person, recruit.attempt, exposure.luck) < exposure.uptake
}

/// Month from index in which an exposure that follows no other starts.
fn start(exposure: &Exposure, recruit: &Recruit) -> f64 {
    let anchor = match exposure.anchor {
        Anchor::Index => 0.0,
        Anchor::Menopause => libm::floor(recruit.values[model::MENOPAUSE_AGE] * 12.0 - f64::from(recruit.age_months)),
    };
    anchor + exposure.start_month
}

/// Months from start to end: as planned, or until the person no longer persists.
fn lasting(model: &Model, exposure: &Exposure, recruit: &Recruit) -> f64 {
    let planned = exposure.months;
    match &exposure.persistence {
        Some(p) => planned.min(months_persisted(&p.months, &p.share, model.luck.once(recruit.person, recruit.attempt, exposure.luck + 1))),
        None => planned,
    }
}

/// The time at which a share u still persists: inverse of the persistence curve, log-linear between knots, going on with its last slope.
fn months_persisted(months: &[f64], share: &[f64], u: f64) -> f64 {
    let n = months.len();
    let upper = (1..n).find(|k| share[*k] <= u).unwrap_or(n - 1);
    let (t0, t1) = (months[upper - 1], months[upper]);
    let (s0, s1) = (libm::log(share[upper - 1]), libm::log(share[upper]));
    if s0 == s1 {
        return NEVER;
    }
    t0 + (t1 - t0) * (s0 - libm::log(u)) / (s0 - s1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cohort::kernel::Kernel;
    use crate::cohort::simulate::block_at_index;
    use serde_json::{Value, json};

    fn course(name: &str, months: Value, after: Value, start_month: f64, stop: Value) -> Value {
        json!({
            "name": name, "cohort": null, "sexes": ["women", "men"], "age_from": null, "age_to": null, "site": null,
            "t_score_at_most": null, "t_score_at_least": null, "prior_fracture": null, "anchor": "index", "after": after,
            "start_month": start_month, "months": months, "uptake": 1.0, "persistence": null, "luck": name, "medicine": true, "stop": stop,
            "effects": [{"target": "bisphosphonate_uptake", "amount": 40.0, "every_months": null}]
        })
    }

    /// Four people on these courses, with the model they live in.
    fn on(courses: Vec<Value>) -> (Model, Block<f64, 4>, Courses<f64, 4>) {
        let mut request: Value = serde_json::from_str(model::FIXTURE).unwrap();
        request["arms"] = json!([{"name": "all", "exposures": courses}]);
        let model = Model::from_json(&request.to_string()).unwrap_or_else(|e| panic!("{e}"));
        let block = block_at_index::<f64, 4>(&model, &Kernel::new(&model), 0..4);
        let courses = Courses::in_arm(&model, &block, 0);
        (model, block, courses)
    }

    /// From when to when a person is on each of the last `n` courses.
    fn times(courses: &Courses<f64, 4>, n: usize, lane: usize) -> Vec<(f64, f64)> {
        courses.rows[courses.rows.len() - n..].iter().map(|rows| (rows.start[lane], rows.stop[lane])).collect()
    }

    #[test]
    fn courses_follow_one_another_after_the_months_to_wait() {
        let mut unfinished = course("b", json!(24), json!(0), 6.0, json!(null));
        unfinished["persistence"] = json!({"months": [0.0, 12.0], "share": [1.0, 0.25]});
        let chain =
            vec![course("a", json!(12), json!(null), 1.0, json!(null)), unfinished, course("c", json!(null), json!(1), 0.0, json!(null))];
        let (model, block, courses) = on(chain);
        for lane in 0..4 {
            let [a, b, c] = times(&courses, 3, lane)[..] else { panic!() };
            let until = 19.0 + lasting(&model, &model.arms[0].exposures[1], block.in_lane(lane));
            assert_eq!((a, b), ((1.0, 13.0), (19.0, until)));
            assert_eq!(c, (libm::ceil(until), NEVER));
            assert_eq!(courses.medicine_months(lane, 120.0), 12.0 + (libm::ceil(until) - 19.0) + (120.0 - libm::ceil(until)));
        }
    }

    #[test]
    fn who_never_starts_a_course_never_starts_what_follows_it() {
        let mut refused = course("a", json!(12), json!(null), 0.0, json!(null));
        refused["uptake"] = json!(0.0);
        let (_, _, courses) = on(vec![refused, course("b", json!(24), json!(0), 0.0, json!(null))]);
        for lane in 0..4 {
            assert_eq!(times(&courses, 2, lane), [(NEVER, NEVER); 2]);
            assert_eq!(courses.medicine_months(lane, 120.0), 0.0);
        }
    }

    #[test]
    fn only_those_with_the_fracture_and_the_density_that_it_is_for_start() {
        let mut fractured = course("a", json!(12), json!(null), 0.0, json!(null));
        fractured["prior_fracture"] = json!(true);
        let mut dense = course("b", json!(12), json!(null), 0.0, json!(null));
        (dense["site"], dense["t_score_at_least"]) = (json!("total_hip"), json!(-1.0));
        let (model, _, _) = on(vec![fractured, dense]);
        let people: Vec<Recruit> = (0..200).map(|n| crate::cohort::recruit::recruit(&model, n)).collect();
        let (mut first, mut second) = (0, 0);
        for r in &people {
            let [a, b] = &model.arms[0].exposures[..] else { panic!() };
            assert_eq!(takes_up(&model, a, r), r.prior_fracture);
            assert_eq!(takes_up(&model, b, r), crate::cohort::recruit::t_score(&model, r, 1) >= -1.0);
            first += usize::from(takes_up(&model, a, r));
            second += usize::from(takes_up(&model, b, r));
        }
        assert!((1..199).contains(&first) && (1..199).contains(&second));
    }

    #[test]
    fn a_target_is_judged_when_it_is_due_and_what_follows_moves_forward() {
        let target = json!({"every_months": 6, "site": "total_hip", "t_score_at_least": -2.0, "at_fracture": false});
        let chain = vec![
            course("a", json!(36), json!(null), 3.0, target),
            course("b", json!(12), json!(0), 2.0, json!(null)),
            course("c", json!(12), json!(1), 0.0, json!(null)),
        ];
        let (model, _, mut courses) = on(chain);
        let density = Density::<f64>::new(&model.parameters);
        let reference = &model.parameters.density;
        let at = |t: f64| reference.reference_mean[1] + t * reference.reference_sd[1];
        let mut abmd = [[0.0; 4]; 4];
        for month in 0..60 {
            // Reached in month 10; reached at once; never reached; reached between two judgements, and lost again.
            let t = [if month < 10 { -2.5 } else { -1.9 }, -1.0, -2.001, if month == 10 { 0.0 } else { -3.0 }];
            abmd[1] = t.map(at);
            courses.judge(&density, &abmd, month);
        }
        assert_eq!(times(&courses, 3, 0), [(3.0, 15.0), (17.0, 29.0), (29.0, 41.0)]);
        assert_eq!(times(&courses, 3, 1), [(3.0, 9.0), (11.0, 23.0), (23.0, 35.0)]);
        for lane in [2, 3] {
            assert_eq!(times(&courses, 3, lane), [(3.0, 39.0), (41.0, 53.0), (53.0, 65.0)]);
        }
    }

    #[test]
    fn a_course_that_stops_at_a_fracture_ends_with_its_month_and_stays_ended() {
        let rule = || json!({"every_months": 1, "site": null, "t_score_at_least": null, "at_fracture": true});
        let chain = vec![course("a", json!(36), json!(null), 3.0, rule()), course("b", json!(24), json!(0), 0.0, rule())];
        let (_, _, mut courses) = on(chain);
        courses.fractured(0, 2); // before it starts
        courses.fractured(1, 3); // in its first month
        courses.fractured(2, 38); // in its last month
        courses.fractured(3, 10); // then again, on the course that follows
        courses.fractured(3, 10);
        courses.fractured(3, 11);
        assert_eq!(times(&courses, 2, 0), [(3.0, 39.0), (39.0, 63.0)]);
        assert_eq!(times(&courses, 2, 1), [(3.0, 4.0), (4.0, 28.0)]);
        assert_eq!(times(&courses, 2, 2), [(3.0, 39.0), (39.0, 63.0)]);
        assert_eq!(times(&courses, 2, 3), [(3.0, 11.0), (11.0, 12.0)]);
    }

    #[test]
    fn persistence_is_inverted_at_between_and_beyond_its_knots() {
        let (months, share) = ([0.0, 12.0, 24.0], [1.0, 0.45, 0.30]);
        let at = |u| months_persisted(&months, &share, u);
        assert!((at(0.45) - 12.0).abs() < 1e-12);
        assert!((at(0.30) - 24.0).abs() < 1e-12);
        assert!((at(0.45_f64.sqrt()) - 6.0).abs() < 1e-12);
        assert!((at(0.20) - 36.0).abs() < 1e-9); // 0.30 x (0.30 / 0.45)
        assert!(at(1.0 - 1e-12) < 1e-9);
    }
}
