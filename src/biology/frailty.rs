//! Frailty: what makes the same person fall, break and die sooner than others of their age and sex.
//!
//! 1. z: standard normal among the living of every age and sex; per month z += theta h (1 + theta z / 2), h the life table's hazard of
//!    death
//! 2. instability x after a fracture: += instability of the site, then halved every `instability_half_life`
//! 3. a fracture also adds its loss of mobility to z, for good
//! 4. effective frailty zeta = z + x
//!
//! Death takes the frail first: at a hazard h exp(theta z) / mean it lowers the mean of z among the living by theta h and its variance by
//! theta^2 h each month. Equation 1 puts back both, as ageing does: people of 80 are compared with people of 80.
//!
//! Left out: recovery and training, a common cause that makes people frail and their bones thin beyond the correlation at index, the parts
//! that frailty is made of.

use crate::numeric::Scalar;
use crate::parameters::Parameters;
use crate::units::MONTHS_PER_YEAR;

/// Constants of this system in the kernel's precision.
#[derive(Clone, Copy, Debug)]
pub struct Frailty<S> {
    mortality_exponent: S,
    /// Share of instability that a month leaves.
    left_by_month: S,
}

/// Share of the instability of a fracture that so many months leave (recruiting, `f64`).
pub fn instability_left(p: &Parameters, months: f64) -> f64 {
    libm::exp2(-months / (p.fracture.instability_half_life * f64::from(MONTHS_PER_YEAR)))
}

impl<S: Scalar> Frailty<S> {
    /// Takes the constants from the parameters.
    pub fn new(p: &Parameters) -> Self {
        Frailty { mortality_exponent: S::of(p.mortality.frailty_exponent), left_by_month: S::of(instability_left(p, 1.0)) }
    }

    /// Equation 1: frailty a month later; `death` is the life table's hazard per month.
    #[inline(always)]
    pub fn aged(&self, frailty: S, death: S) -> S {
        let pull = self.mortality_exponent * death;
        frailty + pull * (S::ONE + S::HALF * self.mortality_exponent * frailty)
    }

    /// Equation 2 without a fracture: instability a month later.
    #[inline(always)]
    pub fn steadied(&self, instability: S) -> S {
        instability * self.left_by_month
    }

    /// Relative hazard of death at an effective frailty.
    #[inline(always)]
    pub fn death_ratio(&self, effective: S) -> S {
        (self.mortality_exponent * effective).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_parameters;
    use crate::numeric::normal;

    /// Mean and standard deviation of frailty among those who live from 60 to 95, at a hazard that doubles every eight years, and their
    /// share.
    fn survivors(f: &Frailty<f64>, aged: impl Fn(f64, f64) -> f64) -> (f64, f64, f64) {
        let n = 20_000;
        let mut z: Vec<f64> = (0..n).map(|k| normal::quantile((f64::from(k) + 0.5) / f64::from(n))).collect();
        let mut weight = vec![1.0; z.len()];
        for month in 0..420 {
            let hazard = 0.01 / 12.0 * libm::exp2(f64::from(month) / 96.0);
            let living: f64 = weight.iter().sum();
            let mean = z.iter().zip(&weight).map(|(z, w)| w * f.death_ratio(*z)).sum::<f64>() / living;
            for (z, w) in z.iter_mut().zip(&mut weight) {
                *w *= libm::exp(-hazard * f.death_ratio(*z) / mean);
                *z = aged(*z, hazard);
            }
        }
        let living: f64 = weight.iter().sum();
        let mean = z.iter().zip(&weight).map(|(z, w)| w * z).sum::<f64>() / living;
        let variance = z.iter().zip(&weight).map(|(z, w)| w * (z - mean) * (z - mean)).sum::<f64>() / living;
        (mean, libm::sqrt(variance), living / f64::from(n))
    }

    #[test]
    fn survivors_keep_mean_0_and_sd_1_although_the_frail_die_first() {
        // More than is shipped, so that the test sees it.
        let mut p = test_parameters();
        p.mortality.frailty_exponent = 0.3;
        let f = Frailty::<f64>::new(&p);
        let (mean, sd, living) = survivors(&f, |z, hazard| f.aged(z, hazard));
        assert!(living < 0.2 && mean.abs() < 0.05 && (sd - 1.0).abs() < 0.08, "{mean} {sd} {living}");
        let (unmoved, ..) = survivors(&f, |z, _| z);
        // Without equation 1 the frail would be missing among the old.
        assert!(unmoved < -0.2 && unmoved < 5.0 * -mean.abs(), "{unmoved} {mean}");
    }

    #[test]
    fn instability_halves_in_its_half_life() {
        let p = test_parameters();
        let f = Frailty::<f64>::new(&p);
        let months = (p.fracture.instability_half_life * 12.0).round();
        let left = (0..months as u32).fold(1.0, |x, _| f.steadied(x));
        assert!((left - instability_left(&p, months)).abs() < 1e-12);
        assert!((instability_left(&p, 12.0 * p.fracture.instability_half_life) - 0.5).abs() < 1e-12);
    }
}
