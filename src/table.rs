//! Values by age and sex, made dense once so that a lookup in the kernel is one load.

use crate::parameters::SEXES;

/// Ages in completed years that tables cover: 0 to 120.
pub const AGES: usize = 121;

/// How a table goes on between its knots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// Straight lines.
    Linear,
    /// Straight lines of the logarithm, for rates.
    LogLinear,
}

/// A piecewise linear function of age, constant outside its knots.
pub fn interpolate(ages: &[f64], values: &[f64], age: f64, between: Between) -> f64 {
    let last = ages.len() - 1;
    if age <= ages[0] {
        return values[0];
    }
    if age >= ages[last] {
        return values[last];
    }
    let upper = ages.partition_point(|a| *a <= age);
    let (a, b) = (ages[upper - 1], ages[upper]);
    let (x, y) = (values[upper - 1], values[upper]);
    let share = (age - a) / (b - a);
    match between {
        Between::Linear => x + (y - x) * share,
        Between::LogLinear => libm::exp(libm::log(x) + (libm::log(y) - libm::log(x)) * share),
    }
}

/// One value for each sex and completed year of age.
#[derive(Clone, Debug, PartialEq)]
pub struct ByAgeAndSex(pub [Vec<f64>; SEXES.len()]);

impl ByAgeAndSex {
    /// Fills the table from a function of sex (0 women, 1 men) and completed years of age.
    pub fn from_fn(mut value: impl FnMut(usize, usize) -> f64) -> Self {
        ByAgeAndSex([0, 1].map(|sex| (0..AGES).map(|age| value(sex, age)).collect()))
    }

    /// The value; ages past the table keep its last.
    pub fn at(&self, sex: usize, age_years: usize) -> f64 {
        self.0[sex][age_years.min(AGES - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolation_meets_its_knots_and_is_constant_outside() {
        let (ages, rates) = ([50.0, 60.0, 80.0], [1.0, 2.0, 8.0]);
        for between in [Between::Linear, Between::LogLinear] {
            for (age, rate) in ages.iter().zip(rates) {
                assert!((interpolate(&ages, &rates, *age, between) - rate).abs() < 1e-15);
            }
            assert_eq!(interpolate(&ages, &rates, 20.0, between), 1.0);
            assert_eq!(interpolate(&ages, &rates, 99.0, between), 8.0);
        }
        assert_eq!(interpolate(&ages, &rates, 70.0, Between::Linear), 5.0);
        assert!((interpolate(&ages, &rates, 70.0, Between::LogLinear) - 4.0).abs() < 1e-14);
    }
}
