//! One month of a block of people, readable aloud: density is read, chance is asked, what happened is written down, and the
//! balance goes on.

use crate::biology::fracture::MAX_SITES;
use crate::biology::spine::Compressed;
use crate::biology::strength::Material;
use crate::block::{InputRows, NEVER, StateRows};
use crate::cohort::courses::Courses;
use crate::cohort::history::{Block, step_rows};
use crate::cohort::kernel::{Kernel, Rates};
use crate::cohort::vertebrae::Vertebrae;
use crate::exposure::{self, Target};
use crate::model::Model;
use crate::numeric::Scalar;
use crate::random::{Decision, WORDS};
use crate::table::AGES;
use crate::units::{MINUTES_PER_MONTH, MONTH_IN_YEARS, MONTHS_PER_YEAR};

/// Blocks of four decisions that a month can need.
const GROUPS: usize = (2 + 64) / WORDS + 1;

/// One arm of a block, as it stands at the start of a month.
#[derive(Clone, Debug)]
pub struct Lives<S, const L: usize> {
    /// The balance.
    pub state: StateRows<S, L>,
    /// What acts from outside this month.
    pub inputs: InputRows<S, L>,
    /// Exposures of every arm and of this arm.
    pub courses: Courses<S, L>,
    /// 1 with an earlier fracture, else 0.
    pub prior_fracture: [S; L],
    /// Months since the last fracture, by fracture site.
    pub months_since: [[S; L]; MAX_SITES],
    /// Ratio of fracture hazards by risk factors and earlier fractures, by fracture site.
    pub risk_ratio: [[S; L]; MAX_SITES],
    /// Spines.
    pub vertebrae: Vertebrae<S, L>,
    /// Frailty.
    pub frailty: [S; L],
    /// Instability after fractures.
    pub instability: [S; L],
    /// Whether each person lives in a nursing home since a fracture in follow-up.
    pub nursing_home: [bool; L],
    /// Whether each person lives.
    pub alive: [bool; L],
    /// Age, years.
    pub age: [S; L],
    /// Areal density, by density site.
    pub abmd: [[S; L]; 4],
    /// Position of each person's rates in the tables of the kernel.
    pub position: [usize; L],
    /// Rates of each person's population, sex and age.
    pub rates: LaneRates<S, L>,
    /// This month's hazards.
    pub hazards: Hazards<S, L>,
    /// This month's words of chance, by group.
    pub words: [[[u32; L]; WORDS]; GROUPS],
}

/// Rates of the population, sex and age that each person is of, as [`Rates`] has them.
#[derive(Clone, Debug)]
pub struct LaneRates<S, const L: usize> {
    /// Hazard of falling at an individual ratio of 1.
    pub fall: [S; L],
    /// Probability of a fall in a month.
    pub p_fall: [S; L],
    /// Hazard of death of the life table.
    pub life_table: [S; L],
    /// 1 / mean relative hazard of death.
    pub per_death: [S; L],
    /// Offset of load against strength, by fracture site.
    pub offset: [[S; L]; MAX_SITES],
}

/// Hazards per month.
#[derive(Clone, Debug)]
pub struct Hazards<S, const L: usize> {
    /// Of falling.
    pub fall: [S; L],
    /// 1 for who falls this month, else 0.
    pub fell: [S; L],
    /// Of a fracture, by fracture site; of the spine a bound of it.
    pub fracture: [[S; L]; MAX_SITES],
    /// Of death.
    pub death: [S; L],
    /// Relative hazard of death that earlier fractures cause, without their instability.
    pub death_by_fractures: [S; L],
}

/// Something that happened to a person within a month, in order of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Happening {
    /// Minute of the month.
    pub minute: u32,
    /// Code of the event: 0 death, 1 + k fracture at site k; see [`deformity_event`] and [`nursing_home_event`].
    pub event: u8,
    /// Level of the spine, from 1; 0 elsewhere.
    pub level: u8,
    /// Grade of a deformity; 0 elsewhere.
    pub grade: u8,
    /// Its grade before.
    pub grade_before: u8,
    /// Its shape, from 1; 0 elsewhere.
    pub shape: u8,
    /// Whether registers of fractures miss it.
    pub missed: bool,
    /// Percent of the hazard of this death that earlier fractures caused.
    pub attributable: u8,
}

/// Most that can happen to a person within a month: death, a fracture at every site, a deformity and an entry into a nursing home.
pub const MOST_HAPPENINGS: usize = MAX_SITES + 3;
/// Death's event code.
pub const DEATH: u8 = 0;

/// Event code of a vertebral deformity, with so many fracture sites.
pub fn deformity_event(sites: usize) -> u8 {
    sites as u8 + 1
}

/// Event code of an entry into a nursing home, with so many fracture sites.
pub fn nursing_home_event(sites: usize) -> u8 {
    sites as u8 + 2
}

impl<S: Scalar, const L: usize> Lives<S, L> {
    /// A block at index in an arm.
    pub fn at_index(model: &Model, kernel: &Kernel<S>, block: &Block<S, L>, arm: usize) -> Self {
        let mut alive = [false; L];
        alive[..block.recruits.len()].fill(true);
        let mut lives = Lives {
            state: block.state.clone(),
            inputs: InputRows::zero(),
            courses: Courses::in_arm(model, block, arm),
            prior_fracture: block.prior_fracture,
            months_since: block.months_since,
            risk_ratio: [[S::ONE; L]; MAX_SITES],
            vertebrae: Vertebrae::at_index(model, kernel, block),
            frailty: block.frailty,
            instability: block.instability,
            nursing_home: [false; L],
            alive,
            age: [S::ZERO; L],
            abmd: [[S::ZERO; L]; 4],
            position: [0; L],
            rates: LaneRates {
                fall: [S::ZERO; L],
                p_fall: [S::ZERO; L],
                life_table: [S::ZERO; L],
                per_death: [S::ZERO; L],
                offset: [[S::ZERO; L]; MAX_SITES],
            },
            hazards: Hazards {
                fall: [S::ZERO; L],
                fell: [S::ZERO; L],
                fracture: [[S::ZERO; L]; MAX_SITES],
                death: [S::ZERO; L],
                death_by_fractures: [S::ONE; L],
            },
            words: [[[0; L]; WORDS]; GROUPS],
        };
        (0..L).for_each(|lane| lives.set_risk_ratios(kernel, block, lane));
        lives
    }

    fn set_risk_ratios(&mut self, kernel: &Kernel<S>, block: &Block<S, L>, lane: usize) {
        for (k, site) in kernel.sites.iter().enumerate() {
            self.risk_ratio[k][lane] = site.risk_ratio(block.risk_score[k][lane], self.prior_fracture[lane]);
        }
    }

    /// Age and density at the start of a month, and what acts in it.
    #[inline(always)]
    pub fn look(&mut self, kernel: &Kernel<S>, block: &Block<S, L>, month: u32) {
        let months = S::of(f64::from(month));
        for lane in 0..L {
            self.age[lane] = (block.person.index_age_months[lane] + months) * S::of(MONTH_IN_YEARS);
        }
        for lane in 0..L {
            let relative = kernel.balance.relative_density(&block.person.load(lane), &self.state.load(lane));
            for site in 0..4 {
                self.abmd[site][lane] = block.scale[site][lane] * relative[site];
            }
        }
        self.courses.judge(&kernel.density, &self.abmd, month);
        exposure::add_up(&self.courses.rows, &[months; L], &[months; L], &[S::ONE; L], &mut self.inputs.target);
    }

    /// Draws the month's words and sets the month's hazards.
    #[inline(always)]
    pub fn ask_chance(&mut self, model: &Model, kernel: &Kernel<S>, block: &Block<S, L>, month: u32) {
        for (row, group) in kernel.groups.iter().enumerate() {
            self.words[row] = model.luck.rows_of_words(&block.numbers[0], &block.numbers[1], month, *group);
        }
        self.renew_rates(model, kernel, block, month);
        let mut effective = [S::ZERO; L];
        for lane in 0..L {
            effective[lane] = self.frailty[lane] + self.instability[lane];
        }
        self.vertebrae.age(model, block, month);
        self.fall_hazards(kernel, block, &effective);
        self.fracture_hazards(kernel, block, &effective, month);
        self.death_hazards(kernel, block, &effective);
    }

    /// Looks up the rates of those whose age or calendar year has turned.
    #[inline(always)]
    fn renew_rates(&mut self, model: &Model, kernel: &Kernel<S>, block: &Block<S, L>, month: u32) {
        let month_of_year = month % MONTHS_PER_YEAR;
        let all = month == 0 || (month_of_year == 0 && model.secular_trend);
        for lane in 0..L {
            if !all && block.birthday[lane] != month_of_year {
                continue;
            }
            let r = block.in_lane(lane);
            let age = ((r.age_months + month) / MONTHS_PER_YEAR) as usize;
            let position = Rates::<S>::position(model.cohorts[r.cohort].population, r.sex, age);
            self.position[lane] = position;
            self.rates.fall[lane] = kernel.rates.fall[position];
            self.rates.p_fall[lane] = kernel.rates.p_fall[position];
            self.rates.life_table[lane] = kernel.rates.death_in(month)[position];
            self.rates.per_death[lane] = kernel.rates.per_death[position];
            for (k, offset) in kernel.rates.offset.iter().enumerate() {
                self.rates.offset[k][lane] = offset[position];
            }
        }
    }

    /// The words of a decision.
    #[inline(always)]
    pub fn words_of(&self, kernel: &Kernel<S>, decision: Decision) -> &[u32; L] {
        let row = kernel.groups.iter().position(|g| *g == decision.group).unwrap_or(0);
        &self.words[row][decision.word]
    }

    #[inline(always)]
    fn fall_hazards(&mut self, kernel: &Kernel<S>, block: &Block<S, L>, effective: &[S; L]) {
        let words = *self.words_of(kernel, Decision::FALL);
        let (vitamin_d, added) = (&self.inputs.target[Target::Serum25Ohd as usize], &self.inputs.target[Target::Falls as usize]);
        for lane in 0..L {
            let changing = kernel.falls.changing_ratio(effective[lane], block.person.serum_25ohd[lane] + vitamin_d[lane], added[lane]);
            let hazard = self.rates.fall[lane] * (block.fall_ratio[lane] * changing);
            self.hazards.fall[lane] = hazard;
            self.hazards.fell[lane] = if S::uniform(words[lane]) < hazard.closed_share() { S::ONE } else { S::ZERO };
        }
    }

    #[inline(always)]
    fn fracture_hazards(&mut self, kernel: &Kernel<S>, block: &Block<S, L>, effective: &[S; L], month: u32) {
        let mut ln_abmd = [[S::ZERO; L]; 4];
        for site in 0..4 {
            for lane in 0..L {
                ln_abmd[site][lane] = self.abmd[site][lane].ln();
            }
        }
        let (mut ln_resorption, mut ln_modelling, mut ln_microdamage) = ([S::ZERO; L], [S::ZERO; L], [S::ZERO; L]);
        let added = &self.inputs.target[Target::Strength as usize];
        for lane in 0..L {
            let m = Material::of(self.state.resorption[lane], self.state.modelling[lane], self.state.microdamage[lane], added[lane]);
            (ln_resorption[lane], ln_modelling[lane], ln_microdamage[lane]) = (m.ln_resorption, m.ln_modelling, m.ln_microdamage);
        }
        for (k, site) in kernel.sites.iter().enumerate() {
            let hazard = &mut self.hazards.fracture[k];
            let mut burden = [S::ZERO; L];
            let (offset, p_fall) = (&self.rates.offset[k], &self.rates.p_fall);
            let (ln_abmd, ln_load, ratio) = (&ln_abmd[site.density_site], &block.ln_load[k], &self.risk_ratio[k]);
            for lane in 0..L {
                let material = Material {
                    ln_resorption: ln_resorption[lane],
                    ln_modelling: ln_modelling[lane],
                    ln_microdamage: ln_microdamage[lane],
                    added: added[lane],
                };
                burden[lane] = site.strength.burden(ln_load[lane], ln_abmd[lane], &material, effective[lane]);
            }
            let fell = &self.hazards.fell;
            if site.of_the_spine {
                for lane in 0..L {
                    let scale = site.loadings_of_the_spine(fell[lane], p_fall[lane]) * ratio[lane];
                    hazard[lane] = self.vertebrae.load(kernel, lane, burden[lane], offset[lane], scale);
                }
            } else {
                for lane in 0..L {
                    let breaking = site.strength.breaking_probability(burden[lane], offset[lane]);
                    hazard[lane] = site.loadings(fell[lane], p_fall[lane]) * breaking * ratio[lane];
                }
            }
            if let Some(trend) = kernel.rates.trend_in(k, month) {
                for lane in 0..L {
                    hazard[lane] = hazard[lane] * trend[self.position[lane] / AGES];
                }
                if site.of_the_spine {
                    for lane in 0..L {
                        self.vertebrae.scale[lane] = self.vertebrae.scale[lane] * trend[self.position[lane] / AGES];
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn death_hazards(&mut self, kernel: &Kernel<S>, block: &Block<S, L>, effective: &[S; L]) {
        let by_fractures = &mut self.hazards.death_by_fractures;
        *by_fractures = [S::ONE; L];
        for (k, excess) in &kernel.excess {
            excess.multiply(&block.person.male, &self.months_since[*k], by_fractures);
        }
        for lane in 0..L {
            let individual = kernel.frailty.death_ratio(effective[lane]) * by_fractures[lane] * block.death_ratio[lane];
            self.hazards.death[lane] = self.rates.life_table[lane] * (individual * self.rates.per_death[lane]);
        }
    }

    /// People to whom something may have happened: a word below a hazard. As 1 - exp(-h) < h, nobody is missed.
    #[inline(always)]
    pub fn somebody(&self, kernel: &Kernel<S>) -> [bool; L] {
        let mut any = [false; L];
        let mut mark = |words: &[u32; L], hazard: &[S; L]| {
            for lane in 0..L {
                any[lane] |= S::uniform(words[lane]) < hazard[lane];
            }
        };
        mark(self.words_of(kernel, Decision::DEATH), &self.hazards.death);
        for (k, decision) in kernel.decisions.iter().enumerate() {
            mark(self.words_of(kernel, *decision), &self.hazards.fracture[k]);
        }
        any
    }

    /// What happened to one person this month, in order of time, up to death; sets what follows from it.
    pub fn happenings(
        &mut self,
        model: &Model,
        kernel: &Kernel<S>,
        block: &Block<S, L>,
        lane: usize,
        month: u32,
    ) -> ([Happening; MOST_HAPPENINGS], usize) {
        let mut all = [Happening::default(); MOST_HAPPENINGS];
        let mut n = 0;
        let mut ask = |word: u32, hazard: S, event: u8, attributable: u8| {
            if S::uniform(word) < hazard.closed_share() {
                all[n] = Happening { minute: minute_of(word, hazard), event, attributable, ..Happening::default() };
                n += 1;
            }
        };
        let by_fractures = self.hazards.death_by_fractures[lane] * kernel.frailty.death_ratio(self.instability[lane]);
        let caused = percent_caused(by_fractures.to_f64());
        ask(self.words_of(kernel, Decision::DEATH)[lane], self.hazards.death[lane], DEATH, caused);
        for (k, decision) in kernel.decisions.iter().enumerate().filter(|(k, _)| !kernel.sites[*k].of_the_spine) {
            ask(self.words_of(kernel, *decision)[lane], self.hazards.fracture[k][lane], k as u8 + 1, 0);
        }
        let compressed = model.spine.site.and_then(|site| self.compression(model, kernel, block, lane, site, month));
        if let Some((_, happenings)) = &compressed {
            for happening in happenings.iter().flatten() {
                all[n] = *happening;
                n += 1;
            }
        }
        all[..n].sort_unstable();
        if let Some(death) = all[..n].iter().position(|h| h.event == DEATH) {
            n = death + 1;
            self.alive[lane] = false;
        }
        let fractures = n - usize::from(!self.alive[lane]);
        for k in 0..fractures {
            if all[k].event == deformity_event(kernel.sites.len()) {
                if let Some((made, _)) = &compressed {
                    self.vertebrae.compress(model, kernel, block, lane, month, made);
                }
                continue;
            }
            let site = usize::from(all[k].event) - 1;
            self.fractured(kernel, block, lane, site, month);
            if self.enters_nursing_home(model, block, lane, site, month) {
                all[n] = Happening { minute: all[k].minute, event: nursing_home_event(kernel.sites.len()), ..Happening::default() };
                n += 1;
            }
        }
        all[..n].sort_unstable();
        (all, n)
    }

    /// Whether a vertebra gives way this month, and what is written down of it: the deformity, and the fracture if it is noticed.
    fn compression(
        &self,
        model: &Model,
        kernel: &Kernel<S>,
        block: &Block<S, L>,
        lane: usize,
        site: usize,
        month: u32,
    ) -> Option<(Compressed, [Option<Happening>; 2])> {
        let word = self.words_of(kernel, kernel.decisions[site])[lane];
        if S::uniform(word) >= self.hazards.fracture[site][lane] {
            return None;
        }
        let hazard = self.vertebrae.hazard(kernel, lane);
        if S::uniform(word) >= hazard.closed_share() {
            return None;
        }
        let made = self.vertebrae.compression(model, kernel, block, lane, month);
        let deformity = Happening {
            minute: minute_of(word, hazard),
            event: deformity_event(kernel.sites.len()),
            level: made.level as u8 + 1,
            grade: made.grade,
            grade_before: made.before,
            shape: made.shape,
            ..Happening::default()
        };
        let noticed = made.attended.then(|| {
            let r = block.in_lane(lane);
            let recorded = &model.populations[model.cohorts[r.cohort].population].mean.recorded;
            let word = model.luck.words(r.person, month, Decision::RECORDED.group)[Decision::RECORDED.word];
            let missed = f64::uniform(word) >= recorded.at(r.sex, ((r.age_months + month) / MONTHS_PER_YEAR) as usize);
            Happening { event: site as u8 + 1, missed, ..deformity }
        });
        Some((made, [Some(deformity), noticed]))
    }

    /// What a fracture brings with it.
    fn fractured(&mut self, kernel: &Kernel<S>, block: &Block<S, L>, lane: usize, site: usize, month: u32) {
        let of = &kernel.sites[site];
        self.prior_fracture[lane] = S::ONE;
        self.set_risk_ratios(kernel, block, lane);
        self.state.healing[lane] += of.healing_draw;
        self.instability[lane] += of.instability;
        self.frailty[lane] += of.mobility_loss;
        // The month that follows counts as the first: it starts at 0.
        self.months_since[site][lane] = -S::ONE;
        self.courses.fractured(lane, month);
    }

    /// Whether a person who breaks a bone at a site enters a nursing home, which happens once.
    fn enters_nursing_home(&mut self, model: &Model, block: &Block<S, L>, lane: usize, site: usize, month: u32) -> bool {
        let Some(probability) = &model.fracture_sites[site].nursing_home else { return false };
        let r = block.in_lane(lane);
        let decision = Decision::NURSING_HOME;
        let word = model.luck.words(r.person, month, decision.group)[decision.word];
        let enters = f64::uniform(word) < probability.at(r.sex, ((r.age_months + month) / MONTHS_PER_YEAR) as usize);
        enters && !std::mem::replace(&mut self.nursing_home[lane], true)
    }

    /// Minute of the month at which a person who falls this month falls.
    pub fn minute_of_fall(&self, kernel: &Kernel<S>, lane: usize) -> u32 {
        minute_of(self.words_of(kernel, Decision::FALL)[lane], self.hazards.fall[lane])
    }

    /// Balance and frailty go on by a month.
    #[inline(always)]
    pub fn step(&mut self, kernel: &Kernel<S>, block: &Block<S, L>) {
        step_rows(kernel.cpu, &kernel.balance, &block.person, &self.inputs, &mut self.state, &self.age, &[S::of(MONTH_IN_YEARS); L]);
        for lane in 0..L {
            self.frailty[lane] = kernel.frailty.aged(self.frailty[lane], self.rates.life_table[lane]);
            self.instability[lane] = kernel.frailty.steadied(self.instability[lane]);
        }
        for since in &mut self.months_since[..kernel.sites.len()] {
            for lane in 0..L {
                since[lane] = (since[lane] + S::ONE).at_most(S::of(NEVER));
            }
        }
    }
}

/// Percent of a hazard that a relative hazard caused.
fn percent_caused(ratio: f64) -> u8 {
    libm::round(100.0 * (1.0 - 1.0 / ratio.max(1.0))) as u8
}

/// When within the month: the time at which a constant hazard had used up this draw.
fn minute_of<S: Scalar>(word: u32, hazard: S) -> u32 {
    let share = -libm::log1p(-f64::uniform(word)) / hazard.to_f64();
    ((share * f64::from(MINUTES_PER_MONTH)) as u32).min(MINUTES_PER_MONTH - 1)
}
