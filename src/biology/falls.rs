//! Falls: how often a person falls, and whether this month.
//!
//! 1. hazard = rate of the population at this age and sex x individual ratio / mean ratio of the population
//! 2. individual ratio = proneness x (vitamin D low) x (inactive) x risk factors; proneness is lognormal between people
//! 3. a person falls in a month with probability 1 - exp(-hazard); one fall a month is followed, more are not told apart
//!
//! Left out: falls that breed falls, medicines that make people fall, the seasons, the place.

use crate::parameters::Parameters;

/// Equation 2 without risk factors (recruiting, `f64`). `proneness_normal` is a standard normal number.
pub fn individual_ratio(p: &Parameters, proneness_normal: f64, serum_25ohd: f64, activity: f64) -> f64 {
    let f = &p.falls;
    let proneness = libm::exp(f.proneness_sd * proneness_normal - 0.5 * f.proneness_sd * f.proneness_sd);
    let vitamin_d = if serum_25ohd < f.vitamin_d_low_below { f.vitamin_d_low_ratio } else { 1.0 };
    let inactive = if activity < f.inactive_below { f.inactivity_ratio } else { 1.0 };
    proneness * vitamin_d * inactive
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
            .map(|z| individual_ratio(&p, z, 1.0e3, 1.0e6))
            .sum::<f64>()
            / f64::from(n);
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
    }
}
