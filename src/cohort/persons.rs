//! Persons: people whom the user has, in place of people who are drawn.

use std::collections::BTreeMap;

/// Columns of numbers by name; missing values are NaN.
pub type Columns = BTreeMap<String, Vec<f64>>;

/// The people of one cohort, one row each.
#[derive(Clone, Debug)]
pub struct Persons {
    /// Rows.
    pub rows: usize,
    /// Columns, each of so many rows.
    pub columns: Columns,
}
