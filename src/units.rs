//! Units of time and risk, and the only conversions between them.

/// Months in a year; the step of the simulation is one month.
pub const MONTHS_PER_YEAR: u32 = 12;
/// One month in years.
pub const MONTH_IN_YEARS: f64 = 1.0 / 12.0;
/// Minutes in a month of 365.25/12 days: the integer unit of person-time.
pub const MINUTES_PER_MONTH: u32 = 43_830;

/// A hazard per person and month.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct PerMonth(pub f64);

/// A hazard per person and year.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct PerYear(pub f64);

/// A probability.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Probability(pub f64);

impl PerYear {
    /// The same hazard per month.
    pub fn per_month(self) -> PerMonth {
        PerMonth(self.0 * MONTH_IN_YEARS)
    }
}

impl Probability {
    /// The constant hazard that gives this probability within one year: -ln(1 - q).
    pub fn as_constant_hazard_of_a_year(self) -> PerYear {
        PerYear(-libm::log1p(-self.0))
    }
}

impl PerMonth {
    /// The probability of at least one event in `months` of constant hazard: 1 - exp(-hazard * months).
    pub fn probability_within(self, months: f64) -> Probability {
        Probability(-libm::expm1(-self.0 * months))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_table_probability_survives_the_way_to_months_and_back() {
        for q in [1e-4, 0.01, 0.3, 0.9] {
            let monthly = Probability(q).as_constant_hazard_of_a_year().per_month();
            assert!((monthly.probability_within(12.0).0 - q).abs() < 1e-15);
        }
    }
}
