//! Loading: what muscles and body weight ask of the skeleton, relative to a usual life (1), and how the skeleton reads it.
//!
//! Equations:
//!
//! 1. habitual load = activity part x weight part; activity part = 1 + gain [ln(1 + activity) - ln(1 + reference)], held within its bounds;
//!    weight part = (weight / reference weight of the sex)^exponent
//! 2. load relative to one's own habitual load: l = max(0, 1 + exposures) (bed rest -1, training above 0); load = habitual x l
//! 3. felt load = habitual x l if l <= 1, else habitual x (1 + exercise gain x (l - 1) / 0.1); mechanical signal in a region = felt load x
//!    max(left, 1 - individual x decline ((a - from)+ / 20)^2), at least `load_min`
//! 4. unloading = (1 - l)+, which raises resorption and halves modelling at its most
//!
//! A light or inactive person is not unloaded: her skeleton is adapted to its usual load, and only less than that is disuse.
//!
//! The decline with age stands for less and less varied movement and for a skeleton that answers less; at the spine it is negative, because
//! degenerative change adds to what a spinal scan measures in old age (an artefact of measurement that is kept in its place).

use crate::numeric::Scalar;
use crate::parameters::{Parameters, SEXES};

/// Years over which the decline with age is scaled.
const DECLINE_YEARS: f64 = 20.0;
/// Step of load above habitual in which the gain of training is expressed.
const TRAINING_STEP: f64 = 0.1;

/// Constants of this system in the kernel's precision.
#[derive(Clone, Copy, Debug)]
pub struct Loading<S> {
    exercise_gain: S,
    decline: [S; 3],
    decline_from: S,
    load_min: S,
    left_with_age: S,
}

/// Equation 1: habitual load of a person (recruiting, `f64`).
pub fn habitual_load(p: &Parameters, sex: usize, activity: f64, body_weight: f64) -> f64 {
    let l = &p.loading;
    debug_assert!(sex < SEXES.len());
    let activity_part = (1.0 + l.activity_load_gain * (libm::log1p(activity) - libm::log1p(l.reference_activity)))
        .clamp(l.activity_load_min, l.activity_load_max);
    activity_part * libm::pow(body_weight / l.reference_weight[sex], l.weight_load_exponent)
}

impl<S: Scalar> Loading<S> {
    /// Takes the constants from the parameters.
    pub fn new(p: &Parameters) -> Self {
        Loading {
            exercise_gain: S::of(p.loading.exercise_gain / TRAINING_STEP),
            decline: p.remodeling.load_decline.map(S::of),
            decline_from: S::of(p.remodeling.load_decline_from),
            load_min: S::of(p.loading.load_min),
            left_with_age: S::of(p.loading.signal_left_with_age),
        }
    }

    /// Equation 2: load relative to the habitual load.
    #[inline(always)]
    pub fn relative_load(&self, added: S) -> S {
        (S::ONE + added).at_least(S::ZERO)
    }

    /// Equation 3: how the skeleton feels it.
    #[inline(always)]
    pub fn felt_load(&self, habitual: S, relative: S) -> S {
        let trained = S::ONE + self.exercise_gain * (relative - S::ONE);
        habitual * if relative < S::ONE { relative } else { trained }
    }

    /// Square of the time past the age at which the signal declines, in units of 20 years.
    #[inline(always)]
    pub fn ageing(&self, age: S) -> S {
        let past = (age - self.decline_from).at_least(S::ZERO) * S::of(1.0 / DECLINE_YEARS);
        past * past
    }

    /// Equation 3: the mechanical signal in a region.
    #[inline(always)]
    pub fn mechanical_signal(&self, region: usize, felt: S, ageing: S) -> S {
        let left = (S::ONE - self.decline[region] * ageing).at_least(self.left_with_age);
        (felt * left).at_least(self.load_min)
    }

    /// Equation 4: unloading.
    #[inline(always)]
    pub fn unloading(&self, relative: S) -> S {
        (S::ONE - relative).at_least(S::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_parameters;

    #[test]
    fn a_usual_life_is_exactly_neutral() {
        let p = test_parameters();
        let l = Loading::<f32>::new(&p);
        assert_eq!(habitual_load(&p, 0, p.loading.reference_activity, p.loading.reference_weight[0]), 1.0);
        for region in 0..3 {
            assert_eq!(l.mechanical_signal(region, 1.0, l.ageing(50.0)), 1.0);
        }
        assert_eq!((l.felt_load(0.93, l.relative_load(0.0)), l.unloading(l.relative_load(0.0))), (0.93, 0.0));
        assert_eq!(l.unloading(1.2), 0.0);
    }

    #[test]
    fn more_load_never_means_less_signal() {
        let l = Loading::<f64>::new(&test_parameters());
        for region in 0..3 {
            let mut before = 0.0;
            for step in 0..30 {
                let now = l.mechanical_signal(region, l.felt_load(0.9, f64::from(step) / 20.0), l.ageing(75.0));
                assert!(now >= before);
                before = now;
            }
        }
    }
}
