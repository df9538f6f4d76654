//! The course of one typical person under known exposures, without chance: density and markers at chosen months.
//!
//! This is what the parameters are fitted with: the same balance, in double precision, for people whose individual constants are given. Nobody falls, breaks
//! a bone or dies here.

use crate::biology::remodeling::Balance;
use crate::block::{InputRows, Person, PersonRows, StateRows};
use crate::cohort::history::step_rows;
use crate::cohort::recruit::{Individual, SPREADS};
use crate::error::{ModelError, Problems};
use crate::exposure::Target;
use crate::numeric::Scalar;
use crate::numeric::cpu::Cpu;
use crate::parameters::Parameters;
use crate::units::MONTH_IN_YEARS;
use rayon::prelude::*;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Months of history that are taken in each step before the last `RECENT_MONTHS`.
const MONTHS_OF_HISTORY_STEP: f64 = 6.0;
/// Months before index that are taken by the month.
const RECENT_MONTHS: u32 = 24;

/// One effect of an exposure: a level while it lasts, or an amount at every dose.
#[derive(Clone, Debug)]
pub struct DosedEffect {
    /// What it acts on.
    pub target: Target,
    /// How much.
    pub amount: f64,
    /// Months between doses; `None` for a level.
    pub every_months: Option<u32>,
    /// First month, from index.
    pub start_month: u32,
    /// First month without it.
    pub stop_month: u32,
}

impl DosedEffect {
    fn in_month(&self, month: u32) -> f64 {
        let acts = (self.start_month..self.stop_month).contains(&month);
        match self.every_months {
            Some(every) if acts && !(month - self.start_month).is_multiple_of(every) => 0.0,
            _ if acts => self.amount,
            _ => 0.0,
        }
    }
}

/// Who, and what happens to her or him.
#[derive(Clone, Debug)]
pub struct Course {
    /// Age at index, years.
    pub age: f64,
    /// Whether a man.
    pub male: bool,
    /// Age at the final menstrual period, years.
    pub menopause_age: f64,
    /// Calcium intake, mg/d, from 25 on; the reference if not given.
    pub calcium_intake: Option<f64>,
    /// 25-hydroxyvitamin D, nmol/L, from 25 on; the reference if not given.
    pub serum_25ohd: Option<f64>,
    /// Individual constants as normal numbers, in the order of [`SPREADS`].
    pub normals: [f64; SPREADS],
    /// Exposures from index on.
    pub effects: Vec<DosedEffect>,
    /// Months at which density and markers are looked at, ascending.
    pub visits: Vec<u32>,
}

impl Course {
    /// A woman of average constants at an age, menopause at 50, untreated.
    pub fn of_woman(age: f64) -> Self {
        Course {
            age,
            male: false,
            menopause_age: 50.0,
            calcium_intake: None,
            serum_25ohd: None,
            normals: [0.0; SPREADS],
            effects: Vec::new(),
            visits: Vec::new(),
        }
    }
}

/// What is seen at a visit, relative to the young adult.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Density by site.
    pub density: [f64; 4],
    /// Resorption marker.
    pub ctx: f64,
    /// Formation marker.
    pub p1np: f64,
}

/// Follows a person from the young adult through all visits. `steps_a_month` replaces the kernel's own choice of steps after index.
pub fn course(parameters: &Parameters, who: &Course, steps_a_month: Option<u32>) -> Vec<Seen> {
    let balance = Balance::<f64>::new(parameters);
    let people = PersonRows::<f64, 1>::of(|_| person(parameters, who));
    follow(Cpu::Baseline, parameters, &balance, &people, who, steps_a_month).into_iter().map(|[one]| one).collect()
}

/// A block of people who share all but their individual constants.
fn follow<S: Scalar, const L: usize>(
    cpu: Cpu,
    parameters: &Parameters,
    balance: &Balance<S>,
    people: &PersonRows<S, L>,
    who: &Course,
    steps_a_month: Option<u32>,
) -> Vec<[Seen; L]> {
    let mut state = history(cpu, parameters, balance, people, who.age);
    let mut seen = Vec::with_capacity(who.visits.len());
    let mut inputs = InputRows::zero();
    let mut month = 0;
    for visit in &who.visits {
        while month < *visit {
            set_inputs(&mut inputs, who, month);
            let age = [S::of(who.age + f64::from(month) * MONTH_IN_YEARS); L];
            match steps_a_month {
                None => step_rows(cpu, balance, people, &inputs, &mut state, &age, &[S::of(MONTH_IN_YEARS); L]),
                Some(n) => {
                    for lane in 0..L {
                        let (person, now) = (people.load(lane), inputs.load(lane));
                        let dosed = balance.dosed(&person, &now, &state.load(lane));
                        state.store(lane, &balance.steps(&person, &now, &dosed, age[lane], S::of(MONTH_IN_YEARS), n));
                    }
                }
            }
            month += 1;
        }
        seen.push(std::array::from_fn(|lane| {
            let state = state.load(lane);
            let density = balance.relative_density(&people.load(lane), &state).map(Scalar::to_f64);
            Seen { density, ctx: balance.ctx(&state).to_f64(), p1np: balance.p1np(&state).to_f64() }
        }));
    }
    seen
}

fn person<S: Scalar>(p: &Parameters, who: &Course) -> Person<S> {
    let own = Individual::of(p, &who.normals);
    Person {
        male: S::of(f64::from(u8::from(who.male))),
        index_age_months: S::of(12.0 * who.age),
        menopause_age: S::of(who.menopause_age),
        turnover: S::of(own.turnover),
        estrogen_half_effect: S::of(own.estrogen_half_effect),
        formation_ageing: S::of(own.formation_ageing),
        modelling: S::of(own.modelling),
        anabolic_response: S::of(own.anabolic_response),
        drug_sensitivity: S::of(own.drug_sensitivity),
        load_ageing: S::of(own.load_ageing),
        habitual_load: S::of(1.0),
        calcium_intake: S::of(who.calcium_intake.unwrap_or(p.minerals.reference_calcium_intake)),
        serum_25ohd: S::of(who.serum_25ohd.unwrap_or(p.minerals.reference_serum_25ohd)),
    }
}

fn history<S: Scalar, const L: usize>(
    cpu: Cpu,
    p: &Parameters,
    balance: &Balance<S>,
    people: &PersonRows<S, L>,
    age: f64,
) -> StateRows<S, L> {
    let nothing = InputRows::zero();
    let mut state = StateRows::of(|lane| balance.at_peak(&people.load(lane)));
    let recent = f64::from(RECENT_MONTHS) * MONTH_IN_YEARS;
    let distant = (age - recent - p.cohort.history_from).max(0.0);
    let steps = libm::ceil(distant * 12.0 / MONTHS_OF_HISTORY_STEP);
    let mut go = |from: f64, years: f64| step_rows(cpu, balance, people, &nothing, &mut state, &[S::of(from); L], &[S::of(years); L]);
    for k in 0..steps as u32 {
        let step = distant / steps;
        go(p.cohort.history_from + f64::from(k) * step, step);
    }
    for k in 0..RECENT_MONTHS {
        go(age - recent + f64::from(k) * MONTH_IN_YEARS, MONTH_IN_YEARS);
    }
    state
}

fn set_inputs<S: Scalar, const L: usize>(inputs: &mut InputRows<S, L>, who: &Course, month: u32) {
    let mut sum = [0.0; Target::COUNT];
    for effect in &who.effects {
        sum[effect.target as usize] += effect.in_month(month);
    }
    for (row, total) in inputs.target.iter_mut().zip(sum) {
        *row = [S::of(total); L];
    }
}

/// Courses to follow under several sets of parameters, as they cross the border.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // the form is documented in python/cohortsim/calibration, which writes it
pub struct CoursesRequest {
    pub parameter_sets: Vec<BTreeMap<String, f64>>,
    pub courses: Vec<CourseRequest>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct CourseRequest {
    pub age: f64,
    pub male: bool,
    pub menopause_age: f64,
    pub calcium_intake: Option<f64>,
    pub serum_25ohd: Option<f64>,
    /// People whose mean is taken: individual constants as normal numbers, and years by which menopause comes later.
    pub people: Vec<([f64; SPREADS], f64)>,
    /// One list for each parameter set, or one for all.
    pub effects: Vec<Vec<EffectOfCourse>>,
    pub visits: Vec<u32>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct EffectOfCourse {
    pub target: String,
    pub amount: f64,
    pub every_months: Option<u32>,
    pub start_month: u32,
    pub stop_month: u32,
}

impl CoursesRequest {
    /// Reads the JSON text.
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        serde_json::from_str(text).map_err(|e| {
            let mut problems = Problems::default();
            problems.add("request", e.to_string(), "courses of the form that this core understands");
            ModelError::Request(problems)
        })
    }
}

/// What is seen of every person of each course at each visit: density at four sites, CTX and P1NP relative to the young adult. For each parameter set the
/// courses one after another, in each the people, of each the visits.
pub fn courses(request: &CoursesRequest) -> Result<Vec<Vec<[f64; 6]>>, ModelError> {
    let cpu = Cpu::choose()?;
    let mut problems = Problems::default();
    let sets: Vec<Parameters> = request.parameter_sets.iter().map(|set| Parameters::take(set.clone(), &mut problems)).collect();
    let all: Vec<Vec<Course>> =
        (0..sets.len()).map(|set| request.courses.iter().flat_map(|c| people(c, set, &mut problems)).collect()).collect();
    if !problems.0.is_empty() {
        return Err(ModelError::Request(problems));
    }
    Ok(sets
        .par_iter()
        .zip(&all)
        .map(|(parameters, people)| {
            let mut rows = Vec::new();
            let mut rest = people.as_slice();
            for c in &request.courses {
                let (mine, others) = rest.split_at(c.people.len());
                rest = others;
                rows.extend(seen_of_all(parameters, cpu, mine, c.visits.len()));
            }
            rows
        })
        .collect())
}

/// Lanes of people that are followed together.
const TOGETHER: usize = 16;

fn seen_of_all(parameters: &Parameters, cpu: Cpu, people: &[Course], visits: usize) -> Vec<[f64; 6]> {
    let row = |seen: &Seen| {
        let [a, b, c, d] = seen.density;
        [a, b, c, d, seen.ctx, seen.p1np]
    };
    if let [one] = people {
        return course(parameters, one, None).iter().map(row).collect();
    }
    let balance = Balance::<f64>::new(parameters);
    let mut rows = Vec::with_capacity(people.len() * visits);
    for group in people.chunks(TOGETHER) {
        let lanes = PersonRows::<f64, TOGETHER>::of(|lane| person(parameters, &group[lane.min(group.len() - 1)]));
        let seen = follow(cpu, parameters, &balance, &lanes, &group[0], None);
        for lane in 0..group.len() {
            rows.extend(seen.iter().map(|visit| row(&visit[lane])));
        }
    }
    rows
}

fn people(c: &CourseRequest, set: usize, problems: &mut Problems) -> Vec<Course> {
    let mut effects = Vec::new();
    for e in c.effects.get(set.min(c.effects.len().saturating_sub(1))).into_iter().flatten() {
        match Target::named(&e.target) {
            Some(target) => effects.push(DosedEffect {
                target,
                amount: e.amount,
                every_months: e.every_months,
                start_month: e.start_month,
                stop_month: e.stop_month,
            }),
            None => problems.add("courses.effects", format!("no target {:?}", e.target), "a target that the core knows"),
        }
    }
    if !c.visits.windows(2).all(|w| w[0] <= w[1]) {
        problems.add("courses.visits", "months out of order", "ascending months");
    }
    let one = |(normals, later): &([f64; SPREADS], f64)| Course {
        age: c.age,
        male: c.male,
        menopause_age: c.menopause_age + later,
        calcium_intake: c.calcium_intake,
        serum_25ohd: c.serum_25ohd,
        normals: *normals,
        effects: effects.clone(),
        visits: c.visits.clone(),
    };
    c.people.iter().map(one).collect()
}
