//! One month of a block of people, readable aloud: density is read, chance is asked, what happened ([`super::happenings`]) is written down,
//! and the balance goes on.

use crate::biology::fracture::MAX_SITES;
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
use crate::units::{MONTH_IN_YEARS, MONTHS_PER_YEAR};

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
    /// What excess mortality after a fracture is multiplied by, by fracture site.
    pub excess: [[S; L]; MAX_SITES],
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
                excess: [[S::ONE; L]; MAX_SITES],
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

    pub(super) fn set_risk_ratios(&mut self, kernel: &Kernel<S>, block: &Block<S, L>, lane: usize) {
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
            let at_index = Rates::<S>::position(model.cohorts[r.cohort].population, r.sex, r.age_completed());
            for (k, (offset, course)) in kernel.rates.offset.iter().zip(&kernel.rates.course).enumerate() {
                // Strength, equation 1: the usual course of density is put in the place of what was measured at these ages.
                self.rates.offset[k][lane] = offset[position] + (course[position] - course[at_index]);
            }
            for (k, excess) in &kernel.excess {
                self.rates.excess[*k][lane] = excess.by_age(r.sex, age);
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
            let (ln_abmd, lasting_burden, ratio) = (&ln_abmd[site.density_site], &block.lasting_burden[k], &self.risk_ratio[k]);
            for lane in 0..L {
                let material = Material {
                    ln_resorption: ln_resorption[lane],
                    ln_modelling: ln_modelling[lane],
                    ln_microdamage: ln_microdamage[lane],
                    added: added[lane],
                };
                burden[lane] = site.strength.burden(lasting_burden[lane], ln_abmd[lane], &material, effective[lane]);
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
            excess.multiply(&block.person.male, &self.rates.excess[*k], &self.months_since[*k], by_fractures);
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
