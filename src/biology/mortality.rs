//! Mortality: the life table, and more of it after a fracture.
//!
//! 1. hazard = hazard of the life table at this age and sex x individual ratio / mean ratio of the population
//! 2. individual ratio = product over fracture sites of the relative hazard by months since the last fracture there x risk factors
//!
//! The mean is taken over the population with its history of fractures, so that a population that fractures as usual dies by its life table.
//! Within a year of age the hazard is constant: -ln(1 - q). Ages past the life table keep its last hazard.
//!
//! Left out: calendar trends, causes of death, the part of the excess that would have come without the fracture.

use crate::biology::fracture::MortalityAfter;
use crate::numeric::Scalar;
use crate::units::{PerMonth, Probability};

/// Equation 1 for the life table alone: monthly hazard of a one-year death probability.
pub fn monthly_hazard(q: f64) -> PerMonth {
    // The last row of a life table may say that everybody dies; a hazard must stay finite.
    const MOST: f64 = 0.999_999;
    Probability(q.min(MOST)).as_constant_hazard_of_a_year().per_month()
}

/// Steps of excess mortality of one site in the kernel's precision.
#[derive(Clone, Copy, Debug)]
pub struct ExcessAfter<S> {
    from_month: [S; MAX_STEPS],
    ratio: [[S; 2]; MAX_STEPS],
    steps: usize,
    until_month: S,
}

/// Most intervals of excess mortality after a fracture.
pub const MAX_STEPS: usize = 8;

impl<S: Scalar> ExcessAfter<S> {
    /// Takes the constants from a compiled site.
    pub fn new(after: &MortalityAfter) -> Self {
        let mut excess = ExcessAfter {
            from_month: [S::ZERO; MAX_STEPS],
            ratio: [[S::ONE; 2]; MAX_STEPS],
            steps: after.from_month.len(),
            until_month: S::of(after.until_month),
        };
        for (k, (from, ratio)) in after.from_month.iter().zip(&after.ratio).enumerate() {
            excess.from_month[k] = S::of(*from);
            excess.ratio[k] = ratio.map(S::of);
        }
        excess
    }

    /// Equation 2, one site: relative hazard of death by months since the last fracture.
    #[inline(always)]
    pub fn ratio(&self, male: S, months_since: S) -> S {
        let mut ratio = S::ONE;
        for k in 0..self.steps {
            let of_sex = if S::ZERO < male { self.ratio[k][1] } else { self.ratio[k][0] };
            ratio = if months_since < self.from_month[k] { ratio } else { of_sex };
        }
        if months_since < self.until_month { ratio } else { S::ONE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excess_is_largest_first_and_ends() {
        let after = MortalityAfter { from_month: vec![0.0, 3.0], ratio: vec![[5.75, 7.95], [2.0, 2.5]], until_month: 60.0 };
        let e = ExcessAfter::<f64>::new(&after);
        assert_eq!(e.ratio(0.0, 0.0), 5.75);
        assert_eq!(e.ratio(1.0, 2.9), 7.95);
        assert_eq!(e.ratio(0.0, 3.0), 2.0);
        assert_eq!(e.ratio(0.0, 60.0), 1.0);
        assert_eq!(e.ratio(0.0, crate::block::NEVER), 1.0);
    }

    #[test]
    fn a_certain_death_has_a_finite_hazard() {
        assert!(monthly_hazard(1.0).0.is_finite());
        assert!((monthly_hazard(0.3).probability_within(12.0).0 - 0.3).abs() < 1e-15);
    }
}
