//! Mortality: the life table, sooner for the frail, and more of it after a fracture.
//!
//! 1. hazard = hazard of the life table in this calendar year, at this age and sex x individual ratio / mean ratio of the population
//! 2. individual ratio = exp(theta z) x by fractures x risk factors x the cohort's own ratio
//! 3. by fractures = exp(theta x) x product over fracture sites of the relative hazard by months since the last fracture there
//! 4. what fractures caused of a death, as a share of its hazard: 1 - 1 / by fractures
//!
//! z is frailty and x the instability after fractures ([`super::frailty`]): who breaks a bone was frailer before, and dies sooner for that too. The relative
//! hazards of equation 3 hold only what the fracture itself causes. The mean is taken over the population at index with its history of fractures, so that a population that fractures as
//! usual dies by its life table. Within a year of age and of the calendar the hazard is constant: -ln(1 - q). Between the calendar years of life
//! tables it is log-linear; before the first and after the last it stays, as it does past the last age.
//!
//! Left out: causes of death, wars and epidemics that no life table foresees, a calendar trend of what fractures cause,
//! and among the deaths that they caused (equation 4) those by the mobility that they took for good.

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

    /// Equation 3, one site: relative hazard of death by months since the last fracture.
    pub fn ratio(&self, male: S, months_since: S) -> S {
        let mut ratio = [S::ONE];
        self.multiply(&[male], &[months_since], &mut ratio);
        ratio[0]
    }

    /// The same for a block: multiplies the ratios of its people. The loop over people is the inner one: it is the one that becomes vector instructions.
    #[inline(always)]
    pub fn multiply<const L: usize>(&self, male: &[S; L], months_since: &[S; L], ratios: &mut [S; L]) {
        let mut ratio = [S::ONE; L];
        for k in 0..self.steps {
            let (from, [women, men]) = (self.from_month[k], self.ratio[k]);
            for lane in 0..L {
                let of_sex = if S::ZERO < male[lane] { men } else { women };
                ratio[lane] = if months_since[lane] < from { ratio[lane] } else { of_sex };
            }
        }
        for lane in 0..L {
            let now = if months_since[lane] < self.until_month { ratio[lane] } else { S::ONE };
            ratios[lane] = ratios[lane] * now;
        }
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
    fn a_block_has_the_ratios_of_its_people() {
        let after = |ratio: Vec<[f64; 2]>| MortalityAfter { from_month: vec![0.0, 3.0], ratio, until_month: 60.0 };
        let both = [vec![[5.75, 7.95], [2.0, 2.5]], vec![[1.5, 2.0], [1.1, 1.2]]].map(|r| ExcessAfter::<f64>::new(&after(r)));
        let (male, since) = ([0.0, 1.0, 0.0, 1.0], [0.0, 2.0, 59.0, 60.0]);
        let mut ratios = [1.0; 4];
        both.iter().for_each(|e| e.multiply(&male, &since, &mut ratios));
        assert_eq!(ratios, [5.75 * 1.5, 7.95 * 2.0, 2.0 * 1.1, 1.0]);
    }

    #[test]
    fn a_certain_death_has_a_finite_hazard() {
        assert!(monthly_hazard(1.0).0.is_finite());
        assert!((monthly_hazard(0.3).probability_within(12.0).0 - 0.3).abs() < 1e-15);
    }
}
