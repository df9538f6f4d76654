//! Mortality: the life table, sooner for the frail, and more of it after a fracture.
//!
//! 1. hazard = hazard of the life table in this calendar year, at this age and sex x individual ratio / mean ratio of the population
//! 2. individual ratio = exp(theta z) x by fractures x risk factors x the cohort's own ratio
//! 3. by fractures = exp(theta x) x product over fracture sites of 1 + (r - 1) exp(slope (age - 80) / 10), r by months since the last
//!    fracture there
//! 4. what fractures caused of a death, as a share of its hazard: 1 - 1 / by fractures
//!
//! z is frailty and x the instability after fractures ([`super::frailty`]): who breaks a bone was frailer before, and dies sooner for that
//! too. The relative hazards of equation 3 hold only what the fracture itself causes. The mean is taken over the population at index with
//! its history of fractures, so that a population that fractures as usual dies by its life table. Within a year of age and of the calendar
//! the hazard is constant: -ln(1 - q). Between the calendar years of life tables it is log-linear; before the first and after the last it
//! stays, as it does past the last age.
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
    age_slope: [f64; 2],
}

/// Age at which the ratios of the data files hold, completed years.
pub const RATIOS_AT_AGE: f64 = 80.0;
/// Ages below and above which the excess no longer changes with age.
const SLOPE_WITHIN: (f64, f64) = (50.0, 100.0);

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
            age_slope: after.age_slope,
        };
        for (k, (from, ratio)) in after.from_month.iter().zip(&after.ratio).enumerate() {
            excess.from_month[k] = S::of(*from);
            excess.ratio[k] = ratio.map(S::of);
        }
        excess
    }

    /// Equation 3: what the excess of one sex is multiplied by at an age in completed years.
    pub fn by_age(&self, sex: usize, age: usize) -> S {
        let age = (age as f64).clamp(SLOPE_WITHIN.0, SLOPE_WITHIN.1);
        S::of(libm::exp(self.age_slope[sex] * (age - RATIOS_AT_AGE) / 10.0))
    }

    /// Equation 3, one site: relative hazard of death by months since the last fracture.
    pub fn ratio(&self, sex: usize, age: usize, months_since: S) -> S {
        let (mut ratio, male) = ([S::ONE], S::of(sex as f64));
        self.multiply(&[male], &[self.by_age(sex, age)], &[months_since], &mut ratio);
        ratio[0]
    }

    /// The same for a block: multiplies the ratios of its people. The loop over people is the inner one: it is the one that becomes vector
    /// instructions.
    #[inline(always)]
    pub fn multiply<const L: usize>(&self, male: &[S; L], by_age: &[S; L], months_since: &[S; L], ratios: &mut [S; L]) {
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
            ratios[lane] = ratios[lane] * (S::ONE + (now - S::ONE) * by_age[lane]).at_least(S::ONE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(ratio: Vec<[f64; 2]>, age_slope: [f64; 2]) -> ExcessAfter<f64> {
        ExcessAfter::new(&MortalityAfter { from_month: vec![0.0, 3.0], ratio, until_month: 60.0, age_slope })
    }

    #[test]
    fn excess_is_largest_first_and_ends() {
        let e = after(vec![[5.75, 7.95], [2.0, 2.5]], [0.0; 2]);
        assert_eq!(e.ratio(0, 70, 0.0), 5.75);
        assert_eq!(e.ratio(1, 70, 2.9), 7.95);
        assert_eq!(e.ratio(0, 70, 3.0), 2.0);
        assert_eq!(e.ratio(0, 70, 60.0), 1.0);
        assert_eq!(e.ratio(0, 70, crate::block::NEVER), 1.0);
    }

    #[test]
    fn excess_changes_with_age_between_50_and_100() {
        let e = after(vec![[3.0, 2.0], [2.0, 0.5]], [0.2, 0.0]);
        assert_eq!((e.ratio(0, 80, 0.0), e.ratio(1, 95, 0.0)), (3.0, 2.0));
        assert!((e.ratio(0, 90, 0.0) - (1.0 + 2.0 * libm::exp(0.2))).abs() < 1e-12);
        assert_eq!((e.ratio(0, 30, 0.0), e.ratio(0, 110, 0.0)), (e.ratio(0, 50, 0.0), e.ratio(0, 100, 0.0)));
        assert_eq!(e.ratio(1, 80, 5.0), 1.0); // no fracture protects from death
    }

    #[test]
    fn a_block_has_the_ratios_of_its_people() {
        let both = [after(vec![[5.75, 7.95], [2.0, 2.5]], [0.1; 2]), after(vec![[1.5, 2.0], [1.1, 1.2]], [0.0; 2])];
        let (sexes, ages, since) = ([0, 1, 0, 1], [60, 70, 80, 90], [0.0, 2.0, 59.0, 60.0]);
        let mut ratios = [1.0; 4];
        for e in &both {
            let by_age = std::array::from_fn(|k| e.by_age(sexes[k], ages[k]));
            e.multiply(&sexes.map(|sex| sex as f64), &by_age, &since, &mut ratios);
        }
        for k in 0..4 {
            let expected: f64 = both.iter().map(|e| e.ratio(sexes[k], ages[k], since[k])).product();
            assert!((ratios[k] - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn a_certain_death_has_a_finite_hazard() {
        assert!(monthly_hazard(1.0).0.is_finite());
        assert!((monthly_hazard(0.3).probability_within(12.0).0 - 0.3).abs() < 1e-15);
    }
}
