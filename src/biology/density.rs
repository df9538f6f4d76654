//! Density: what a densitometer reads, and what it is called.
//!
//! 1. aBMD = individual scale x relative density; the scale is set at index so that the person starts at the measured density
//! 2. T-score = (aBMD - reference mean) / reference SD, the reference being women aged 20 to 29 for both sexes (WHO)
//! 3. osteoporosis if T <= -2.5, osteopenia if -2.5 < T <= -1, else normal
//!
//! Left out: the error of measurement, differences between machines, deformed vertebrae that read as dense.

use crate::numeric::Scalar;
use crate::parameters::{DENSITY_SITES, Parameters};

/// Classes of bone density, in the order of their codes.
pub const CLASSES: [&str; 3] = ["normal", "osteopenia", "osteoporosis"];

/// Constants of this system in the kernel's precision.
#[derive(Clone, Copy, Debug)]
pub struct Density<S> {
    mean: [S; DENSITY_SITES.len()],
    per_sd: [S; DENSITY_SITES.len()],
    osteopenia: S,
    osteoporosis: S,
}

impl<S: Scalar> Density<S> {
    /// Takes the constants from the parameters.
    pub fn new(p: &Parameters) -> Self {
        Density {
            mean: p.density.reference_mean.map(S::of),
            per_sd: p.density.reference_sd.map(|sd| S::of(1.0 / sd)),
            osteopenia: S::of(p.density.osteopenia_t_score),
            osteoporosis: S::of(p.density.osteoporosis_t_score),
        }
    }

    /// Equation 2: T-score of an areal density (g/cm2) at a site.
    #[inline(always)]
    pub fn t_score(&self, site: usize, abmd: S) -> S {
        (abmd - self.mean[site]) * self.per_sd[site]
    }

    /// Equation 3: code of the class of a T-score.
    #[inline(always)]
    pub fn class(&self, t_score: S) -> usize {
        usize::from(t_score <= self.osteopenia) + usize::from(t_score <= self.osteoporosis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_parameters;

    #[test]
    fn the_thresholds_belong_to_the_worse_class() {
        let d = Density::<f64>::new(&test_parameters());
        let classes: Vec<usize> = [-0.999, -1.0, -2.499, -2.5, -4.0].into_iter().map(|t| d.class(t)).collect();
        assert_eq!(classes, [0, 1, 1, 2, 2]);
        assert!(d.t_score(2, 0.858).abs() < 1e-12);
    }
}
