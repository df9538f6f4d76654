//! What can be wrong, as data: a place, what was found there, what is needed. All problems are collected before one is reported.

use thiserror::Error;

/// One mistake in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the request, as a path such as `cohorts[0].share`.
    pub place: String,
    /// What was found there.
    pub found: String,
    /// What is needed instead.
    pub needed: String,
}

/// Everything that is wrong with a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Notes one mistake and goes on.
    pub fn add(&mut self, place: impl Into<String>, found: impl Into<String>, needed: impl Into<String>) {
        self.0.push(Problem { place: place.into(), found: found.into(), needed: needed.into() });
    }

    /// Notes a mistake unless `number` is finite and within `low..=high`.
    pub fn require_within(&mut self, place: &str, number: f64, low: f64, high: f64) {
        if !(number.is_finite() && (low..=high).contains(&number)) {
            self.add(place, number.to_string(), format!("a number from {low} to {high}"));
        }
    }
}

/// Why the core refused or stopped.
#[derive(Clone, Debug, Error)]
pub enum ModelError {
    /// The request is not what the core understands.
    #[error("{}", .0.0.iter().map(|p| format!("{}: {}; {}", p.place, p.found, p.needed)).collect::<Vec<_>>().join("\n"))]
    Request(Problems),
    /// A state left the numbers it may take; the run stops rather than report it.
    #[error(
        "person {person}, arm {arm}, month {month}: {what} is {value}; needed: a finite, positive number; trace this person to see how it came"
    )]
    Numerical {
        /// Which person.
        person: u64,
        /// Which arm, by position.
        arm: usize,
        /// Which month of follow-up.
        month: u32,
        /// Which quantity.
        what: &'static str,
        /// Its value.
        value: f64,
    },
}
