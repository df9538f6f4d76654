//! What happens to one person within a month, in order of time, and what follows from it: the rare part of a month, one person at a time.

use crate::biology::fracture::MAX_SITES;
use crate::biology::spine::Compressed;
use crate::cohort::history::Block;
use crate::cohort::kernel::Kernel;
use crate::cohort::month::Lives;
use crate::model::Model;
use crate::numeric::Scalar;
use crate::random::Decision;
use crate::units::{MINUTES_PER_MONTH, MONTHS_PER_YEAR};

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
        // The hardest load of a month comes once: its hazard is the probability itself, however much a fall makes of it.
        let hazard = self.vertebrae.hazard(kernel, lane);
        if S::uniform(word) >= hazard {
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
