//! History: how a person's balance came to be what it is at index.
//!
//! Everybody starts as a balanced young adult at peak bone mass and lives to index under their own hormones, intake, activity and
//! exposures. The measured density at index then sets the individual scale, so history decides which way the balance leans and
//! measurement where it stands. The last `RECENT_MONTHS` before index, and all the time since the first medicine of the cohort, are taken
//! by the month, the time before them in `DISTANT_STEPS` equal steps.

use crate::biology::fracture::MAX_SITES;
use crate::biology::remodeling::{Balance, FINE_STEPS};
use crate::block::{InputRows, NEVER, Person, PersonRows, StateRows};
use crate::cohort::courses::Courses;
use crate::cohort::recruit::{NO_COHORT, Recruit};
use crate::exposure::{self, ExposureRows};
use crate::model::{self, Anchor, Exposure, Model};
use crate::numeric::Scalar;
use crate::numeric::cpu::{Cpu, on_cpu};
use crate::units::{MONTH_IN_YEARS, MONTHS_PER_YEAR};

/// Steps from peak bone mass to the recent past.
const DISTANT_STEPS: u32 = 64;
/// Months before index that are taken by the month.
const RECENT_MONTHS: u32 = 24;

/// A block of people at index.
#[derive(Clone, Debug)]
pub struct Block<S, const L: usize> {
    /// Who they are.
    pub recruits: Vec<Recruit>,
    /// Their numbers, low halves and high halves.
    pub numbers: [[u32; L]; 2],
    /// Month of follow-up, below 12, in which each turns a year older.
    pub birthday: [u32; L],
    /// What the balance needs of them.
    pub person: PersonRows<S, L>,
    /// Their balance at index.
    pub state: StateRows<S, L>,
    /// aBMD (g/cm2) per unit of relative density, by density site.
    pub scale: [[S; L]; 4],
    /// Exposures that every arm has: profiles, cohort medicines, risk factors.
    pub exposures: Vec<ExposureRows<S, L>>,
    /// 1 with an earlier fracture, else 0.
    pub prior_fracture: [S; L],
    /// Months since the last fracture, by fracture site.
    pub months_since: [[S; L]; MAX_SITES],
    /// What acts in the last month before index.
    pub inputs: InputRows<S, L>,
    /// Frailty.
    pub frailty: [S; L],
    /// Instability that earlier fractures have left.
    pub instability: [S; L],
    /// What stays of the individual fall ratio; the population's mean is not taken out.
    pub fall_ratio: [S; L],
    /// Individual death ratio of risk factors and cohort.
    pub death_ratio: [S; L],
    /// What stays with a person of ln(load / strength), by fracture site.
    pub lasting_burden: [[S; L]; MAX_SITES],
    /// Sum of ln hazard ratios of risk factors, by fracture site.
    pub risk_score: [[S; L]; MAX_SITES],
}

impl<S: Scalar, const L: usize> Block<S, L> {
    /// A block of these people (at most `L`; empty lanes repeat the last one), before their history.
    pub fn of(model: &Model, recruits: Vec<Recruit>) -> Self {
        assert!(!recruits.is_empty() && recruits.len() <= L);
        let mut block = Block {
            numbers: [[0; L]; 2],
            birthday: [0; L],
            person: PersonRows::zero(),
            state: StateRows::zero(),
            scale: [[S::ONE; L]; 4],
            exposures: Vec::new(),
            prior_fracture: [S::ZERO; L],
            months_since: [[S::of(NEVER); L]; MAX_SITES],
            inputs: InputRows::zero(),
            frailty: [S::ZERO; L],
            instability: [S::ZERO; L],
            fall_ratio: [S::ONE; L],
            death_ratio: [S::ONE; L],
            lasting_burden: [[S::ZERO; L]; MAX_SITES],
            risk_score: [[S::ZERO; L]; MAX_SITES],
            recruits,
        };
        for lane in 0..L {
            let r = block.in_lane(lane).clone();
            block.person.store(lane, &person(&r));
            (block.numbers[0][lane], block.numbers[1][lane]) = (r.person as u32, (r.person >> 32) as u32);
            block.birthday[lane] = (MONTHS_PER_YEAR - r.age_months % MONTHS_PER_YEAR) % MONTHS_PER_YEAR;
            block.prior_fracture[lane] = if r.prior_fracture { S::ONE } else { S::ZERO };
            block.frailty[lane] = S::of(r.values[model::FRAILTY]);
            block.fall_ratio[lane] = S::of(r.fall_ratio);
            if let Some(cohort) = model.cohorts.get(r.cohort) {
                block.death_ratio[lane] = S::of(cohort.mortality_ratio);
            }
            for (k, site) in model.fracture_sites.iter().enumerate() {
                let abmd = r.values[model::ABMD_OF_SITE[site.density_site]];
                let lasting = site.bone.lasting_burden(r.values[model::BODY_WEIGHT], r.values[model::HEIGHT], abmd);
                block.lasting_burden[k][lane] = S::of(lasting);
            }
            for (k, factor) in model.risk_factors.iter().enumerate().filter(|(k, _)| r.has(*k)) {
                debug_assert!(k < 32);
                block.death_ratio[lane] = block.death_ratio[lane] * S::of(factor.mortality_ratio);
                for (site, ln_ratio) in factor.ln_ratio.iter().enumerate() {
                    block.risk_score[site][lane] += S::of(*ln_ratio);
                }
            }
        }
        block.exposures = block.standing_exposures(model);
        block
    }

    /// The person of a lane.
    pub fn in_lane(&self, lane: usize) -> &Recruit {
        &self.recruits[lane.min(self.recruits.len() - 1)]
    }

    fn standing_exposures(&self, model: &Model) -> Vec<ExposureRows<S, L>> {
        let mut all = Vec::new();
        for (k, factor) in model.risk_factors.iter().enumerate().filter(|(_, f)| !f.effects.is_empty()) {
            let mut rows = ExposureRows::never(&factor.effects, false);
            for lane in 0..L {
                if self.in_lane(lane).has(k) {
                    (rows.start[lane], rows.stop[lane]) = (S::of(factor.start_month), S::of(factor.stop_month));
                }
            }
            all.push(rows);
        }
        for (position, cohort) in model.cohorts.iter().enumerate() {
            if self.recruits.iter().any(|r| r.cohort == position) {
                all.extend(Courses::planned(model, &cohort.exposures, |lane| self.in_lane(lane)).rows);
            }
        }
        all
    }

    /// Lives from peak bone mass to index and sets the scale.
    #[inline(always)]
    pub fn live_to_index(&mut self, model: &Model, balance: &Balance<S>) {
        // Months from index: whole months and 128ths of their number are exact in every precision, so rounding never decides whether an exposure acts.
        let from = S::of(model.parameters.cohort.history_from * f64::from(MONTHS_PER_YEAR));
        let (mut distant, mut recent) = ([S::ZERO; L], [RECENT_MONTHS; L]);
        for lane in 0..L {
            self.state.store(lane, &balance.at_peak(&self.person.load(lane)));
            let lived = self.person.index_age_months[lane] - from;
            let since_peak = libm::floor(lived.to_f64()).max(f64::from(RECENT_MONTHS)) as u32;
            recent[lane] = recent_months(model, self.in_lane(lane).cohort).min(since_peak);
            distant[lane] = (lived - S::of(f64::from(recent[lane]))).at_least(S::ZERO);
        }
        let mut inputs = InputRows::zero();
        let (mut start, mut months) = ([S::ZERO; L], [S::ONE; L]);
        for step in 0..DISTANT_STEPS {
            for lane in 0..L {
                let left = S::of(1.0 - f64::from(step) / f64::from(DISTANT_STEPS));
                start[lane] = -(distant[lane] * left) - S::of(f64::from(recent[lane]));
                months[lane] = distant[lane] * S::of(1.0 / f64::from(DISTANT_STEPS));
            }
            self.historic_step(model.cpu, balance, &mut inputs, &start, &months);
        }
        for before in (1..=recent.into_iter().fold(RECENT_MONTHS, u32::max)).rev() {
            // Who goes by the month for a shorter time waits, so that nobody's steps depend on who shares the block.
            let waiting = recent.iter().any(|months| *months < before).then(|| self.state.clone());
            self.historic_step(model.cpu, balance, &mut inputs, &[S::of(-f64::from(before)); L], &[S::ONE; L]);
            if let Some(earlier) = waiting {
                for lane in (0..L).filter(|lane| recent[*lane] < before) {
                    self.state.store(lane, &earlier.load(lane));
                }
            }
        }
        self.inputs = inputs;
        self.set_scale(balance);
    }

    #[inline(always)]
    fn historic_step(&mut self, cpu: Cpu, balance: &Balance<S>, inputs: &mut InputRows<S, L>, start: &[S; L], months: &[S; L]) {
        let (mut middle, mut age, mut years) = ([S::ZERO; L], [S::ZERO; L], [S::ZERO; L]);
        for lane in 0..L {
            // What is taken is read at the middle of the step, doses are counted over all of it.
            middle[lane] = start[lane] + S::HALF * months[lane];
            age[lane] = (self.person.index_age_months[lane] + start[lane]) * S::of(MONTH_IN_YEARS);
            years[lane] = months[lane] * S::of(MONTH_IN_YEARS);
        }
        exposure::add_up(&self.exposures, &middle, start, months, &mut inputs.target);
        step_rows(cpu, balance, &self.person, inputs, &mut self.state, &age, &years);
    }

    #[inline(always)]
    fn set_scale(&mut self, balance: &Balance<S>) {
        for lane in 0..L {
            let relative = balance.relative_density(&self.person.load(lane), &self.state.load(lane));
            for site in 0..4 {
                let measured = S::of(self.in_lane(lane).values[model::ABMD_OF_SITE[site]]);
                self.scale[site][lane] = measured / relative[site];
            }
        }
    }
}

on_cpu! {
    /// One step of the balance for every lane.
    fn step_once<S, const L: usize>(balance: &Balance<S>, person: &PersonRows<S, L>, inputs: &InputRows<S, L>, state: &mut StateRows<S, L>,
        age: &[S; L], years: &[S; L]) -> () = each_steps;
}

/// One month, or one step of history, of the balance for every lane: doses are given, then everybody takes one step, and those who need fine steps take
/// these instead. Who needs what depends on nobody else, so a person alone is the same person in a crowd.
#[inline(always)]
pub fn step_rows<S: Scalar, const L: usize>(
    cpu: Cpu,
    balance: &Balance<S>,
    person: &PersonRows<S, L>,
    inputs: &InputRows<S, L>,
    state: &mut StateRows<S, L>,
    age: &[S; L],
    years: &[S; L],
) {
    let mut fine = [false; L];
    for lane in 0..L {
        let before = balance.dosed(&person.load(lane), &inputs.load(lane), &state.load(lane));
        fine[lane] = balance.needs_fine_steps(&inputs.load(lane), &before);
        state.store(lane, &before);
    }
    if !fine.contains(&true) {
        step_once(cpu, balance, person, inputs, state, age, years);
        return;
    }
    let mut finely = state.clone();
    let (mut at, mut part) = (*age, [S::ZERO; L]);
    for lane in 0..L {
        part[lane] = years[lane] * S::of(1.0 / f64::from(FINE_STEPS));
    }
    for k in 0..FINE_STEPS {
        for lane in 0..L {
            at[lane] = age[lane] + S::of(f64::from(k)) * part[lane];
        }
        step_once(cpu, balance, person, inputs, &mut finely, &at, &part);
    }
    if fine.contains(&false) {
        step_once(cpu, balance, person, inputs, state, age, years);
    }
    for lane in 0..L {
        if fine[lane] {
            state.store(lane, &finely.load(lane));
        }
    }
}

/// One step of the balance for every lane: the loop that the compiler turns into vector instructions. It does so only where the rows are arguments of the
/// function that is compiled for the instruction level: then it knows that they do not overlap.
#[inline(always)]
fn each_steps<S: Scalar, const L: usize>(
    balance: &Balance<S>,
    person: &PersonRows<S, L>,
    inputs: &InputRows<S, L>,
    state: &mut StateRows<S, L>,
    age: &[S; L],
    years: &[S; L],
) {
    for lane in 0..L {
        let next = balance.step(&person.load(lane), &inputs.load(lane), &state.load(lane), age[lane], years[lane]);
        state.store(lane, &next);
    }
}

/// Months before index that are taken by the month for people of a cohort: back to the start of its first medicine, at least
/// `RECENT_MONTHS`.
fn recent_months(model: &Model, cohort: usize) -> u32 {
    let medicine = |e: &&Exposure| e.medicine && e.anchor == Anchor::Index && e.after.is_none();
    let exposures = if cohort == NO_COHORT { &[][..] } else { &model.cohorts[cohort].exposures };
    exposures.iter().filter(medicine).map(|e| (-libm::floor(e.start_month)) as u32).fold(RECENT_MONTHS, u32::max)
}

fn person<S: Scalar>(r: &Recruit) -> Person<S> {
    Person {
        male: if r.sex == 1 { S::ONE } else { S::ZERO },
        index_age_months: S::of(f64::from(r.age_months)),
        menopause_age: S::of(r.values[model::MENOPAUSE_AGE]),
        turnover: S::of(r.individual.turnover),
        estrogen_half_effect: S::of(r.individual.estrogen_half_effect),
        formation_ageing: S::of(r.individual.formation_ageing),
        modelling: S::of(r.individual.modelling),
        anabolic_response: S::of(r.individual.anabolic_response),
        drug_sensitivity: S::of(r.individual.drug_sensitivity),
        load_ageing: S::of(r.individual.load_ageing),
        habitual_load: S::of(r.habitual_load),
        calcium_intake: S::of(r.values[model::CALCIUM_INTAKE]),
        serum_25ohd: S::of(r.values[model::SERUM_25OHD]),
    }
}
