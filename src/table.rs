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

/// Tables of several calendar years, of positive rates or zero.
#[derive(Clone, Debug, PartialEq)]
pub struct ByYear {
    /// Years, ascending.
    pub years: Vec<i32>,
    /// A table for each.
    pub tables: Vec<ByAgeAndSex>,
}

impl ByYear {
    /// The value in a calendar year: log-linear between years, constant outside them.
    pub fn at(&self, year: i32, sex: usize, age_years: usize) -> f64 {
        let last = self.years.len() - 1;
        let upper = self.years.partition_point(|y| *y <= year);
        if upper == 0 || upper > last || self.years[upper - 1] == year {
            return self.tables[upper.saturating_sub(1).min(last)].at(sex, age_years);
        }
        let [a, b] = [upper - 1, upper].map(|k| self.tables[k].at(sex, age_years));
        let share = f64::from(year - self.years[upper - 1]) / f64::from(self.years[upper] - self.years[upper - 1]);
        if a > 0.0 && b > 0.0 { libm::exp(libm::log(a) + (libm::log(b) - libm::log(a)) * share) } else { a + (b - a) * share }
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

    #[test]
    fn rates_move_evenly_between_the_years_that_have_a_table() {
        let of = |rate: f64| ByAgeAndSex::from_fn(|_, _| rate);
        let rates = ByYear { years: vec![1990, 2010, 2020], tables: vec![of(4.0), of(1.0), of(0.5)] };
        let at = |year| rates.at(year, 0, 70);
        assert_eq!([at(1900), at(1990), at(2010), at(2020), at(2100)], [4.0, 4.0, 1.0, 0.5, 0.5]);
        assert!((at(2000) - 2.0).abs() < 1e-14);
    }
}
