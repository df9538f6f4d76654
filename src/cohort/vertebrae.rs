//! Vertebrae of a block of people through the months: how loaded they are, which gives way, what that makes of the spine.
//!
//! What only a compression or age changes stands ready by person: the bound of a month is then as cheap as the hazard of any other bone. What age does
//! to kyphosis is renewed at anniversaries and at compressions.

use crate::biology::spine::{Compressed, Draws, Spine, Weakest, total};
use crate::cohort::history::Block;
use crate::cohort::kernel::Kernel;
use crate::model::Model;
use crate::numeric::Scalar;
use crate::random::Decision;
use crate::units::MONTHS_PER_YEAR;

/// The spines of a block in one arm.
#[derive(Clone, Debug)]
pub struct Vertebrae<S, const L: usize> {
    /// What became of the vertebrae.
    pub spine: [Spine; L],
    /// This month's demand on the spine with the population's offset.
    pub demand: [S; L],
    /// What this month's hazards of all levels are multiplied by.
    pub scale: [S; L],
    kyphosis_part: [S; L],
    weakest_part: [S; L],
    open_levels: [S; L],
}

impl<S: Scalar, const L: usize> Vertebrae<S, L> {
    /// Of a block at index.
    pub fn at_index(model: &Model, kernel: &Kernel<S>, block: &Block<S, L>) -> Self {
        let zero = [S::ZERO; L];
        let mut all = Vertebrae {
            spine: std::array::from_fn(|lane| block.in_lane(lane).spine),
            demand: zero,
            scale: zero,
            kyphosis_part: zero,
            weakest_part: zero,
            open_levels: zero,
        };
        (0..L).for_each(|lane| all.renew(model, kernel, block, lane, 0));
        all
    }

    /// At anniversaries: what age does to kyphosis.
    #[inline(always)]
    pub fn age(&mut self, model: &Model, block: &Block<S, L>, month: u32) {
        if month.is_multiple_of(MONTHS_PER_YEAR) {
            for lane in 0..L {
                self.kyphosis_part[lane] = S::of(model.spine.kyphosis_part(block.in_lane(lane), self.spine[lane], month));
            }
        }
    }

    fn renew(&mut self, model: &Model, kernel: &Kernel<S>, block: &Block<S, L>, lane: usize, month: u32) {
        self.kyphosis_part[lane] = S::of(model.spine.kyphosis_part(block.in_lane(lane), self.spine[lane], month));
        let weakest = kernel.levels.weakest(self.spine[lane]);
        (self.weakest_part[lane], self.open_levels[lane]) = (weakest.part, weakest.levels);
    }

    /// Sets the month's demand and scale of a person; returns a bound that their hazard does not exceed.
    #[inline(always)]
    pub fn load(&mut self, kernel: &Kernel<S>, lane: usize, burden: S, offset: S, scale: S) -> S {
        let demand = burden + self.kyphosis_part[lane] + offset;
        (self.demand[lane], self.scale[lane]) = (demand, scale);
        kernel.levels.bound(Weakest { part: self.weakest_part[lane], levels: self.open_levels[lane] }, demand, scale)
    }

    /// This month's hazard of a person, summed over the levels.
    pub fn hazard(&self, kernel: &Kernel<S>, lane: usize) -> S {
        total(&kernel.levels.hazards(self.spine[lane], self.demand[lane], self.scale[lane]))
    }

    /// What gives way if something does this month.
    pub fn compression(&self, model: &Model, kernel: &Kernel<S>, block: &Block<S, L>, lane: usize, month: u32) -> Compressed {
        let hazards = kernel.levels.hazards(self.spine[lane], self.demand[lane], self.scale[lane]);
        let words = model.luck.words(block.in_lane(lane).person, month, Decision::LEVEL.group);
        let draw = |decision: Decision| f64::uniform(words[decision.word]);
        let draws = Draws {
            level: draw(Decision::LEVEL),
            grade: draw(Decision::GRADE),
            shape: draw(Decision::SHAPE),
            attention: draw(Decision::ATTENTION),
        };
        model.spine.outcome.of(self.spine[lane], &hazards, &draws)
    }

    /// It happens.
    pub fn compress(&mut self, model: &Model, kernel: &Kernel<S>, block: &Block<S, L>, lane: usize, month: u32, made: &Compressed) {
        self.spine[lane] = made.of(self.spine[lane]);
        self.renew(model, kernel, block, lane, month);
    }
}
