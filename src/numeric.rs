//! Arithmetic: the one place where speed and reproducibility are clever, so that nothing else has to be.

pub mod conditional;
pub mod cpu;
pub mod normal;
pub mod relaxation;
pub mod scalar;

pub use scalar::Scalar;
