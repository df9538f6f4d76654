//! One month of a block of people, readable aloud: density is read, chance is asked, what happened is written down, and the
//! balance goes on.

use crate::biology::density::Density;
use crate::biology::fracture::{MAX_SITES, SiteHazard};
use crate::biology::mortality::ExcessAfter;
use crate::biology::remodeling::Balance;
use crate::block::{InputRows, NEVER, StateRows};
use crate::cohort::courses::Courses;
use crate::cohort::history::{Block, step_rows};
use crate::exposure;
use crate::model::Model;
use crate::numeric::Scalar;
use crate::numeric::cpu::Cpu;
use crate::random::{Decision, WORDS};
use crate::table::AGES;
use crate::units::{MINUTES_PER_MONTH, MONTH_IN_YEARS, PerMonth};

/// Blocks of four decisions that a month can need.
const GROUPS: usize = (2 + 64) / WORDS + 1;

/// What is constant for all blocks, in the kernel's precision.
#[derive(Clone, Debug)]
pub struct Kernel<S> {
    /// Instructions that it runs on.
    pub cpu: Cpu,
    /// The remodeling balance.
    pub balance: Balance<S>,
    /// Densitometry.
    pub density: Density<S>,
    /// Fracture sites.
    pub sites: Vec<SiteHazard<S>>,
    /// Decision of each fracture site.
    pub decisions: Vec<Decision>,
    /// Groups of decisions that are drawn each month.
    pub groups: Vec<u32>,
    /// Excess mortality by fracture site, where there is any.
    pub excess: Vec<(usize, ExcessAfter<S>)>,
    rates: Rates<S>,
}

/// Monthly rates by population, sex and age, individual means already taken out.
#[derive(Clone, Debug)]
struct Rates<S> {
    fall: Vec<S>,
    /// 1 / probability of a fall in a month.
    per_fall: Vec<S>,
    death: Vec<S>,
    ln_fracture: Vec<Vec<S>>,
}

impl<S: Scalar> Kernel<S> {
    /// Takes everything from the model.
    pub fn new(model: &Model) -> Self {
        let decisions: Vec<Decision> = model.fracture_sites.iter().map(|s| Decision::fracture(s.decision)).collect();
        let mut groups: Vec<u32> = std::iter::once(Decision::FALL.group).chain(decisions.iter().map(|d| d.group)).collect();
        groups.sort_unstable();
        groups.dedup();
        Kernel {
            cpu: model.cpu,
            balance: Balance::new(&model.parameters),
            density: Density::new(&model.parameters),
            sites: model.fracture_sites.iter().map(SiteHazard::new).collect(),
            decisions,
            groups,
            excess: model
                .fracture_sites
                .iter()
                .enumerate()
                .filter_map(|(k, s)| s.mortality.as_ref().map(|m| (k, ExcessAfter::new(m))))
                .collect(),
            rates: Rates::new(model),
        }
    }
}

impl<S: Scalar> Rates<S> {
    fn new(model: &Model) -> Self {
        let rows = |value: &dyn Fn(usize, usize, usize) -> f64| -> Vec<S> {
            let mut all = Vec::with_capacity(model.populations.len() * 2 * AGES);
            for population in 0..model.populations.len() {
                for sex in 0..2 {
                    all.extend((0..AGES).map(|age| S::of(value(population, sex, age))));
                }
            }
            all
        };
        let populations = &model.populations;
        Rates {
            fall: rows(&|p, sex, age| populations[p].fall.at(sex, age) / populations[p].mean.fall.at(sex, age)),
            per_fall: rows(&|p, sex, age| 1.0 / PerMonth(populations[p].fall.at(sex, age)).probability_within(1.0).0),
            death: rows(&|p, sex, age| populations[p].death.at(sex, age) / populations[p].mean.death.at(sex, age)),
            ln_fracture: (0..model.fracture_sites.len())
                .map(|site| {
                    rows(&|p, sex, age| {
                        libm::log(populations[p].fracture[site].at(sex, age) / populations[p].mean.fracture[site].at(sex, age))
                    })
                })
                .collect(),
        }
    }

    /// Position of a population's rates at a sex and age.
    #[inline(always)]
    fn position(population: usize, sex: usize, age: usize) -> usize {
        (population * 2 + sex) * AGES + age.min(AGES - 1)
    }
}

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
    /// Whether each person lives.
    pub alive: [bool; L],
    /// Age, years.
    pub age: [S; L],
    /// Areal density, by density site.
    pub abmd: [[S; L]; 4],
    /// This month's hazards.
    pub hazards: Hazards<S, L>,
    /// This month's words of chance, by group.
    pub words: [[[u32; L]; WORDS]; GROUPS],
}

/// Hazards per month.
#[derive(Clone, Debug)]
pub struct Hazards<S, const L: usize> {
    /// Of falling.
    pub fall: [S; L],
    /// 1 for who falls this month, else 0.
    pub fell: [S; L],
    /// Of a fracture, by fracture site.
    pub fracture: [[S; L]; MAX_SITES],
    /// Of death.
    pub death: [S; L],
}

/// Something that happened to a person within a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Happening {
    /// Minute of the month.
    pub minute: u32,
    /// 0 death, 1 + k fracture at site k.
    pub event: u8,
}

/// Death's event code.
pub const DEATH: u8 = 0;

impl<S: Scalar, const L: usize> Lives<S, L> {
    /// A block at index in an arm.
    pub fn at_index(model: &Model, block: &Block<S, L>, arm: usize) -> Self {
        let mut alive = [false; L];
        alive[..block.recruits.len()].fill(true);
        Lives {
            state: block.state.clone(),
            inputs: InputRows::zero(),
            courses: Courses::in_arm(model, block, arm),
            prior_fracture: block.prior_fracture,
            months_since: block.months_since,
            alive,
            age: [S::ZERO; L],
            abmd: [[S::ZERO; L]; 4],
            hazards: Hazards { fall: [S::ZERO; L], fell: [S::ZERO; L], fracture: [[S::ZERO; L]; MAX_SITES], death: [S::ZERO; L] },
            words: [[[0; L]; WORDS]; GROUPS],
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
        let mut position = [0; L];
        for lane in 0..L {
            let r = block.in_lane(lane);
            position[lane] = Rates::<S>::position(model.cohorts[r.cohort].population, r.sex, ((r.age_months + month) / 12) as usize);
        }
        self.fall_hazards(kernel, block, &position);
        self.fracture_hazards(kernel, block, &position);
        self.death_hazards(kernel, block, &position);
    }

    /// The words of a decision.
    #[inline(always)]
    pub fn words_of(&self, kernel: &Kernel<S>, decision: Decision) -> &[u32; L] {
        let row = kernel.groups.iter().position(|g| *g == decision.group).unwrap_or(0);
        &self.words[row][decision.word]
    }

    #[inline(always)]
    fn fall_hazards(&mut self, kernel: &Kernel<S>, block: &Block<S, L>, position: &[usize; L]) {
        let mut base = [S::ZERO; L];
        for lane in 0..L {
            base[lane] = kernel.rates.fall[position[lane]];
        }
        let words = *self.words_of(kernel, Decision::FALL);
        for lane in 0..L {
            let hazard = base[lane] * block.fall_ratio[lane];
            self.hazards.fall[lane] = hazard;
            self.hazards.fell[lane] = if S::uniform(words[lane]) < hazard.closed_share() { S::ONE } else { S::ZERO };
        }
    }

    #[inline(always)]
    fn fracture_hazards(&mut self, kernel: &Kernel<S>, block: &Block<S, L>, position: &[usize; L]) {
        let mut ln_resorption = [S::ZERO; L];
        let mut fall_per_expected = [S::ZERO; L];
        for lane in 0..L {
            fall_per_expected[lane] = kernel.rates.per_fall[position[lane]];
        }
        for lane in 0..L {
            ln_resorption[lane] = self.state.resorption[lane].ln();
            fall_per_expected[lane] = fall_per_expected[lane] * self.hazards.fell[lane];
        }
        for (k, site) in kernel.sites.iter().enumerate() {
            let mut ln_base = [S::ZERO; L];
            for lane in 0..L {
                ln_base[lane] = kernel.rates.ln_fracture[k][position[lane]];
            }
            let abmd = &self.abmd[site.density_site];
            let risk_score = &block.risk_score[k];
            let hazard = &mut self.hazards.fracture[k];
            for lane in 0..L {
                let relative = site.ln_relative_hazard(abmd[lane], ln_resorption[lane], self.prior_fracture[lane], risk_score[lane]);
                hazard[lane] = (ln_base[lane] + relative).exp() * site.fall_factor(fall_per_expected[lane]);
            }
        }
    }

    #[inline(always)]
    fn death_hazards(&mut self, kernel: &Kernel<S>, block: &Block<S, L>, position: &[usize; L]) {
        for lane in 0..L {
            self.hazards.death[lane] = kernel.rates.death[position[lane]];
        }
        for lane in 0..L {
            self.hazards.death[lane] = self.hazards.death[lane] * block.death_ratio[lane];
        }
        for (k, excess) in &kernel.excess {
            let since = &self.months_since[*k];
            for lane in 0..L {
                self.hazards.death[lane] = self.hazards.death[lane] * excess.ratio(block.person.male[lane], since[lane]);
            }
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
    pub fn happenings(&mut self, kernel: &Kernel<S>, lane: usize, month: u32) -> ([Happening; MAX_SITES + 1], usize) {
        let mut all = [Happening { minute: 0, event: 0 }; MAX_SITES + 1];
        let mut n = 0;
        let mut ask = |word: u32, hazard: S, event: u8| {
            if S::uniform(word) < hazard.closed_share() {
                all[n] = Happening { minute: minute_of(word, hazard), event };
                n += 1;
            }
        };
        ask(self.words_of(kernel, Decision::DEATH)[lane], self.hazards.death[lane], DEATH);
        for (k, decision) in kernel.decisions.iter().enumerate() {
            ask(self.words_of(kernel, *decision)[lane], self.hazards.fracture[k][lane], k as u8 + 1);
        }
        all[..n].sort_unstable();
        if let Some(death) = all[..n].iter().position(|h| h.event == DEATH) {
            n = death + 1;
            self.alive[lane] = false;
        }
        for happening in all[..n].iter().filter(|h| h.event != DEATH) {
            let site = usize::from(happening.event) - 1;
            self.prior_fracture[lane] = S::ONE;
            self.state.healing[lane] += kernel.sites[site].healing_draw;
            // The month that follows counts as the first: it starts at 0.
            self.months_since[site][lane] = -S::ONE;
            self.courses.fractured(lane, month);
        }
        (all, n)
    }

    /// Minute of the month at which a person who falls this month falls.
    pub fn minute_of_fall(&self, kernel: &Kernel<S>, lane: usize) -> u32 {
        minute_of(self.words_of(kernel, Decision::FALL)[lane], self.hazards.fall[lane])
    }

    /// The balance goes on by a month.
    #[inline(always)]
    pub fn step(&mut self, kernel: &Kernel<S>, block: &Block<S, L>) {
        step_rows(kernel.cpu, &kernel.balance, &block.person, &self.inputs, &mut self.state, &self.age, &[S::of(MONTH_IN_YEARS); L]);
        for (k, _) in &kernel.excess {
            let since = &mut self.months_since[*k];
            for lane in 0..L {
                since[lane] = (since[lane] + S::ONE).at_most(S::of(NEVER));
            }
        }
    }
}

/// When within the month: the time at which a constant hazard had used up this draw.
fn minute_of<S: Scalar>(word: u32, hazard: S) -> u32 {
    let share = -libm::log1p(-f64::uniform(word)) / hazard.to_f64();
    ((share * f64::from(MINUTES_PER_MONTH)) as u32).min(MINUTES_PER_MONTH - 1)
}
