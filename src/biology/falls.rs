//! Falls: how often a person falls, and whether this month.
//!
//! 1. hazard = rate of the population at this age and sex x individual ratio / mean ratio of the population
//! 2. individual ratio = what stays x what changes
//! 3. what stays: proneness (lognormal between people, mean 1) x (inactive) x risk factors
//! 4. what changes: exp(psi zeta + what exposures add) x (vitamin D low)
//! 5. a person falls in a month with probability 1 - exp(-hazard); one fall a month is followed, more are not told apart
//!
//! zeta is effective frailty ([`super::frailty`]), which a fracture raises: so falls that break bones breed falls. The mean is that of the
//! population's people at index.
//!
//! Left out: falls that frighten without breaking, the seasons, the place, how hard the fall is.

use crate::numeric::Scalar;
use crate::parameters::Parameters;

/// Equation 3 without risk factors (recruiting, `f64`). `proneness_normal` is a standard normal number, `activity` in MET.min/wk.
pub fn lasting_ratio(p: &Parameters, proneness_normal: f64, activity: f64) -> f64 {
    let f = &p.falls;
    let proneness = libm::exp(f.proneness_sd * proneness_normal - 0.5 * f.proneness_sd * f.proneness_sd);
    let inactive = if activity < f.inactive_below { f.inactivity_ratio } else { 1.0 };
    proneness * inactive
}

/// Constants of this system in the kernel's precision.
#[derive(Clone, Copy, Debug)]
pub struct Falls<S> {
    frailty_exponent: S,
    vitamin_d_low_below: S,
    vitamin_d_low_ratio: S,
}

impl<S: Scalar> Falls<S> {
    /// Takes the constants from the parameters.
    pub fn new(p: &Parameters) -> Self {
        Falls {
            frailty_exponent: S::of(p.falls.frailty_exponent),
            vitamin_d_low_below: S::of(p.falls.vitamin_d_low_below),
            vitamin_d_low_ratio: S::of(p.falls.vitamin_d_low_ratio),
        }
    }

    /// Equation 4; 25-hydroxyvitamin D in nmol/L with what exposures add to it.
    #[inline(always)]
    pub fn changing_ratio(&self, frailty: S, serum_25ohd: S, added: S) -> S {
        let vitamin_d = if serum_25ohd < self.vitamin_d_low_below { self.vitamin_d_low_ratio } else { S::ONE };
        (self.frailty_exponent * frailty + added).exp() * vitamin_d
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_parameters;

    #[test]
    fn the_ratio_is_one_on_average_for_people_without_a_reason_to_fall() {
        let p = test_parameters();
        let n = 4000;
        let mean: f64 = (0..n)
            .map(|k| crate::numeric::normal::quantile((f64::from(k) + 0.5) / f64::from(n)))
            .map(|z| lasting_ratio(&p, z, 1.0e6))
            .sum::<f64>()
            / f64::from(n);
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
        assert_eq!(Falls::<f64>::new(&p).changing_ratio(0.0, 1.0e3, 0.0), 1.0);
    }

    #[test]
    fn the_frail_and_those_short_of_vitamin_d_fall_more_and_vitamin_d_mends_it() {
        let p = test_parameters();
        let f = Falls::<f64>::new(&p);
        assert!(f.changing_ratio(1.0, 80.0, 0.0) > f.changing_ratio(0.0, 80.0, 0.0));
        assert_eq!(f.changing_ratio(0.0, 30.0, 0.0), p.falls.vitamin_d_low_ratio);
        assert_eq!(f.changing_ratio(0.0, 30.0 + 40.0, 0.0), 1.0);
        assert!((f.changing_ratio(0.0, 80.0, libm::log(1.5)) - 1.5).abs() < 1e-12);
    }
}
