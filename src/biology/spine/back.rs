//! The back: pain and what it keeps people from (equation 7 of [`super`]).
//!
//! One number of luck for each person decides all four complaints, so that who has the rarer one has the commoner ones too, as far as their odds say.

use super::levels::Spine;
use crate::parameters::{COMPLAINTS, SpineParameters};

/// Everything at once.
pub const ALL: u8 = 0b1111;
/// Age at which the shares hold, years.
const REFERENCE_AGE: f64 = 70.0;
/// More deformities than this do not add to the odds.
const MOST_COUNTED: u32 = 3;

/// Constants of the back.
#[derive(Clone, Copy, Debug)]
pub struct Back {
    ln_odds: [f64; COMPLAINTS.len()],
    per_year: f64,
    silent: [f64; COMPLAINTS.len()],
    clinical: [f64; COMPLAINTS.len()],
    acute_months: f64,
}

impl Back {
    /// Takes the constants.
    pub fn new(p: &SpineParameters) -> Self {
        Back {
            ln_odds: p.pain_share.0.map(logit),
            per_year: p.pain_age_slope / 10.0,
            silent: p.pain_silent.0,
            clinical: p.pain_clinical.0,
            acute_months: p.acute_pain_months,
        }
    }

    /// Equation 7: logarithm of the odds of an complaint, outside the acute months.
    pub fn ln_odds(&self, complaint: usize, age: f64, spine: Spine) -> f64 {
        let attended = spine.attended();
        let silent = spine.deformities().saturating_sub(attended);
        let count = |n: u32| f64::from(n.min(MOST_COUNTED));
        self.ln_odds[complaint]
            + self.per_year * (age - REFERENCE_AGE)
            + self.silent[complaint] * count(silent)
            + self.clinical[complaint] * count(attended)
    }

    /// Bit k: the k-th complaint is present. `luck` is logistic ([`logit`] of a uniform number); months since the last compression that came to attention.
    pub fn complaints(&self, luck: f64, age: f64, spine: Spine, months_since: f64) -> u8 {
        if months_since < self.acute_months {
            return ALL;
        }
        (0..COMPLAINTS.len()).fold(0, |bits, k| bits | u8::from(luck > -self.ln_odds(k, age, spine)) << k)
    }
}

/// Logarithm of the odds of a share.
pub fn logit(share: f64) -> f64 {
    libm::log(share) - libm::log1p(-share)
}
