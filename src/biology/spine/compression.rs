//! Compression: how likely each level gives way, and what then becomes of it (equations 2 to 4 of [`super`]).
//!
//! A month asks once whether any level of the spine gives way. First a bound is computed, a few operations for each person: as many levels as can still
//! become worse, each as likely as the weakest of them. Only for the few whose draw lies below the bound are the levels summed.

use super::levels::{RIB_CAGE, SEVERE, Spine};
use crate::numeric::Scalar;
use crate::parameters::{LEVELS, SHAPES, SpineParameters};

/// What the sum over levels may exceed its bound by when both are rounded.
const ROUNDING: f64 = 1.0e-4;

/// Loads of the levels in the kernel's precision.
#[derive(Clone, Copy, Debug)]
pub struct Levels<S> {
    load: [S; LEVELS.len()],
    neighbour_load: S,
    own_weakening: S,
    per_spread: S,
}

/// What the bound needs of a spine; changes with a deformity only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weakest<S> {
    /// Largest level part (equation 2) of the levels that can become worse; 0 if there is none.
    pub part: S,
    /// Levels that can become worse, a little more than counted so that rounding cannot break the bound.
    pub levels: S,
}

impl<S: Scalar> Levels<S> {
    /// Takes the constants; `spread` is that of the site's breaking demand.
    pub fn new(p: &SpineParameters, spread: f64) -> Self {
        Levels {
            load: p.load.map(S::of),
            neighbour_load: S::of(p.neighbour_load),
            own_weakening: S::of(p.own_weakening),
            per_spread: S::of(1.0 / spread),
        }
    }

    /// The same in another precision.
    pub fn of<T: Scalar>(&self) -> Levels<T> {
        let of = |x: S| T::of(x.to_f64());
        Levels {
            load: self.load.map(of),
            neighbour_load: of(self.neighbour_load),
            own_weakening: of(self.own_weakening),
            per_spread: of(self.per_spread),
        }
    }

    /// Equation 2: what load and damage add to the demand of a level.
    #[inline]
    pub fn part(&self, spine: Spine, level: usize) -> S {
        let grade = |k: usize| f64::from(spine.grade(k));
        let above = if level > 0 { grade(level - 1) } else { 0.0 };
        let below = if level + 1 < LEVELS.len() { grade(level + 1) } else { 0.0 };
        self.load[level] + self.neighbour_load * S::of(above + below) + self.own_weakening * S::of(grade(level))
    }

    /// What the bound needs of this spine.
    pub fn weakest(&self, spine: Spine) -> Weakest<S> {
        let parts = || (0..LEVELS.len()).filter(|k| spine.grade(*k) < SEVERE).map(|k| self.part(spine, k));
        match parts().reduce(Scalar::at_least) {
            Some(part) => Weakest { part, levels: S::of(parts().count() as f64 * (1.0 + ROUNDING)) },
            None => Weakest { part: S::ZERO, levels: S::ZERO },
        }
    }

    /// No less than the sum of equation 3. `demand` is the person's part with the population's offset; `scale` is what all levels are multiplied by.
    #[inline(always)]
    pub fn bound(&self, weakest: Weakest<S>, demand: S, scale: S) -> S {
        weakest.levels * scale * ((demand + weakest.part) * self.per_spread).normal_share()
    }

    /// Equation 3: hazard of each level.
    pub fn hazards(&self, spine: Spine, demand: S, scale: S) -> [S; LEVELS.len()] {
        std::array::from_fn(|level| {
            if spine.grade(level) == SEVERE {
                return S::ZERO;
            }
            scale * ((demand + self.part(spine, level)) * self.per_spread).normal_share()
        })
    }
}

/// Sum of the hazards of the levels.
pub fn total<S: Scalar>(hazards: &[S; LEVELS.len()]) -> S {
    hazards.iter().fold(S::ZERO, |sum, h| sum + *h)
}

/// Equation 4: the level that gives way, in proportion to the hazards; `share` is uniform in (0, 1). Some hazard must be above 0.
pub fn level_of<S: Scalar>(hazards: &[S; LEVELS.len()], share: S) -> usize {
    let reached = share * total(hazards);
    let mut sum = S::ZERO;
    let mut last = 0;
    for (level, hazard) in hazards.iter().enumerate().filter(|(_, h)| S::ZERO < **h) {
        sum += *hazard;
        last = level;
        if reached < sum {
            break;
        }
    }
    last
}

/// What a compression becomes: shares of equation 4.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    share_mild: f64,
    share_moderate: f64,
    wedge: [f64; 2],
    biconcave: [f64; 2],
    attention: [f64; 3],
}

/// Uniform numbers of one compression.
#[derive(Clone, Copy, Debug)]
pub struct Draws {
    /// Which level.
    pub level: f64,
    /// Which grade.
    pub grade: f64,
    /// Which shape.
    pub shape: f64,
    /// Whether it comes to clinical attention.
    pub attention: f64,
}

/// A level that became deformed, or worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compressed {
    /// Position of the level.
    pub level: usize,
    /// Grade before.
    pub before: u8,
    /// Grade now.
    pub grade: u8,
    /// Shape: 1 wedge, 2 biconcave, 3 crush.
    pub shape: u8,
    /// Whether it comes to clinical attention.
    pub attended: bool,
}

impl Outcome {
    /// Takes the shares.
    pub fn new(p: &SpineParameters) -> Self {
        Outcome {
            share_mild: 1.0 - p.share_moderate - p.share_severe,
            share_moderate: p.share_moderate,
            wedge: p.wedge_share.0,
            biconcave: p.biconcave_share.0,
            attention: p.attention_share.0,
        }
    }

    /// Grade as drawn, before it is compared with what is there: the largest draws are the worst.
    pub fn drawn_grade(&self, draw: f64) -> u8 {
        1 + u8::from(draw >= self.share_mild) + u8::from(draw >= self.share_mild + self.share_moderate)
    }

    /// Equation 4: what becomes of a spine whose levels have these hazards when one of them gives way.
    pub fn of<S: Scalar>(&self, spine: Spine, hazards: &[S; LEVELS.len()], draws: &Draws) -> Compressed {
        let level = level_of(hazards, S::of(draws.level));
        let before = spine.grade(level);
        let grade = (before + 1).max(self.drawn_grade(draws.grade)).min(SEVERE);
        let region = usize::from(level >= RIB_CAGE);
        let drawn = match draws.shape {
            x if x < self.wedge[region] => 1,
            x if x < self.wedge[region] + self.biconcave[region] => 2,
            _ => SHAPES.len() as u8,
        };
        let shape = if before == 0 { drawn } else { spine.shape(level) };
        let attended = draws.attention < self.attention[usize::from(grade) - 1];
        Compressed { level, before, grade, shape, attended }
    }

    /// Share of compressions that come to clinical attention, of a level of this grade before.
    pub fn attention_at(&self, before: u8) -> f64 {
        let severe = 1.0 - self.share_mild - self.share_moderate;
        let of = |drawn: u8| self.attention[usize::from((before + 1).max(drawn).min(SEVERE)) - 1];
        self.share_mild * of(1) + self.share_moderate * of(2) + severe * of(3)
    }

    /// Share of new deformities that come to clinical attention, by the grade that is drawn.
    pub fn mean_attention(&self) -> f64 {
        let severe = 1.0 - self.share_mild - self.share_moderate;
        self.share_mild * self.attention[0] + self.share_moderate * self.attention[1] + severe * self.attention[2]
    }
}

impl Compressed {
    /// The spine after it.
    pub fn of(&self, spine: Spine) -> Spine {
        spine.compressed(self.level, self.grade, self.shape, self.attended)
    }
}
