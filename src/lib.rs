//! The bone remodeling balance of a person, month by month, for whole populations.
//!
//! Bone-resorbing cells take bone apart, bone-making cells build it; hormones, minerals, load and medicines tip the balance; bone becomes thin
//! and breaks. This crate knows that biology and nothing of files or Python: a [`model::Model`] is compiled from one JSON text, and
//! [`cohort::simulate::simulate`] turns a range of person numbers into tables.
//!
//! Modules in reading order:
//! [`biology`] (what happens in a body) - [`cohort`] (who the people are, one month, all of it) - [`model`] (a study, compiled) -
//! [`exposure`] (what acts from outside) - [`record`] (what is observed) - [`random`] (luck has an address) -
//! [`parameters`], [`table`], [`units`], [`error`], [`block`], [`numeric`].

pub mod biology;
pub mod block;
pub mod cohort;
pub mod error;
pub mod exposure;
pub mod model;
pub mod numeric;
pub mod parameters;
pub mod random;
pub mod record;
pub mod table;
pub mod units;
