//! The course of one typical person under known exposures, without chance: density and markers at chosen months.
//!
//! This is what the parameters are fitted with: the same balance, in double precision, for people whose individual constants are given. Nobody falls, breaks
//! a bone or dies here.

use crate::biology::remodeling::{Balance, FINE_STEPS};
use crate::block::{Inputs, Person, State};
use crate::cohort::recruit::{Individual, SPREADS};
use crate::error::{ModelError, Problems};
use crate::exposure::Target;
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
    let person = person(parameters, who);
    let mut state = history(parameters, &balance, &person, who.age);
    let mut seen = Vec::with_capacity(who.visits.len());
    let mut month = 0;
    for visit in &who.visits {
        while month < *visit {
            let inputs = inputs(who, month);
            let age = who.age + f64::from(month) * MONTH_IN_YEARS;
            state = balance.dosed(&person, &inputs, &state);
            let own = if balance.needs_fine_steps(&inputs, &state) { FINE_STEPS } else { 1 };
            state = balance.steps(&person, &inputs, &state, age, MONTH_IN_YEARS, steps_a_month.unwrap_or(own));
            month += 1;
        }
        let density = balance.relative_density(&person, &state);
        seen.push(Seen { density, ctx: balance.ctx(&state), p1np: balance.p1np(&state) });
    }
    seen
}

fn person(p: &Parameters, who: &Course) -> Person<f64> {
    let own = Individual::of(p, &who.normals);
    Person {
        male: f64::from(u8::from(who.male)),
        index_age_months: 12.0 * who.age,
        menopause_age: who.menopause_age,
        turnover: own.turnover,
        estrogen_half_effect: own.estrogen_half_effect,
        formation_ageing: own.formation_ageing,
        modelling: own.modelling,
        anabolic_response: own.anabolic_response,
        drug_sensitivity: own.drug_sensitivity,
        load_ageing: own.load_ageing,
        habitual_load: 1.0,
        calcium_intake: who.calcium_intake.unwrap_or(p.minerals.reference_calcium_intake),
        serum_25ohd: who.serum_25ohd.unwrap_or(p.minerals.reference_serum_25ohd),
    }
}

fn history(p: &Parameters, balance: &Balance<f64>, person: &Person<f64>, age: f64) -> State<f64> {
    let nothing = Inputs { target: [0.0; Target::COUNT] };
    let mut state = balance.at_peak(person);
    let recent = f64::from(RECENT_MONTHS) * MONTH_IN_YEARS;
    let distant = (age - recent - p.cohort.history_from).max(0.0);
    let steps = libm::ceil(distant * 12.0 / MONTHS_OF_HISTORY_STEP);
    for k in 0..steps as u32 {
        let step = distant / steps;
        state = balance.step(person, &nothing, &state, p.cohort.history_from + f64::from(k) * step, step);
    }
    for k in 0..RECENT_MONTHS {
        state = balance.step(person, &nothing, &state, age - recent + f64::from(k) * MONTH_IN_YEARS, MONTH_IN_YEARS);
    }
    state
}

fn inputs(who: &Course, month: u32) -> Inputs<f64> {
    let mut inputs = Inputs { target: [0.0; Target::COUNT] };
    for effect in &who.effects {
        inputs.target[effect.target as usize] += effect.in_month(month);
    }
    inputs
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

/// Mean over the people of each course, at each visit, of density at four sites, CTX and P1NP relative to the young adult: for each parameter set all courses one
/// after another.
pub fn courses(request: &CoursesRequest) -> Result<Vec<Vec<[f64; 6]>>, ModelError> {
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
                rows.extend(mean(parameters, mine, c.visits.len()));
            }
            rows
        })
        .collect())
}

fn mean(parameters: &Parameters, people: &[Course], visits: usize) -> Vec<[f64; 6]> {
    let mut sum = vec![[0.0; 6]; visits];
    for who in people {
        for (row, seen) in sum.iter_mut().zip(course(parameters, who, None)) {
            let [a, b, c, d] = seen.density;
            row.iter_mut().zip([a, b, c, d, seen.ctx, seen.p1np]).for_each(|(total, x)| *total += x / people.len() as f64);
        }
    }
    sum
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
