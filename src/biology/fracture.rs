//! Fracture: the hazard of breaking a bone at a site, from data files.
//!
//! 1. relative hazard r = exp(-slope (aBMD - reference) + gamma ln R + prior ln(prior ratio) + sum of ln(ratios of risk factors))
//! 2. fall factor f = (1 - s) + s x fall / p_fall
//! 3. hazard = incidence of the population at this age and sex x r f / mean(r f)
//!
//! R is resorption relative to the young adult: turnover weakens bone beyond its density. s is the share of fractures at this site that falls cause;
//! `fall` is 1 in a month with a fall and `p_fall` is the population's probability of one, so that who falls more often breaks more
//! often and the population's incidence stays what was measured. The mean is taken over the population at the same age and sex, with its
//! joint distribution of density, turnover, falls and risk factors: nothing is counted twice.
//!
//! 4. a fracture adds its draw to the healing state of the balance ([`super::remodeling`], equation 8)
//!
//! Left out: load against strength, how well it heals, the side, the cause other than a fall, how hard the fall was.

use crate::numeric::Scalar;
use crate::parameters::SEXES;

/// Most fracture sites a scenario may have.
pub const MAX_SITES: usize = 8;

/// Death after a fracture: relative hazard by months since.
#[derive(Clone, Debug, PartialEq)]
pub struct MortalityAfter {
    /// Months since fracture from which each ratio holds, ascending from 0.
    pub from_month: Vec<f64>,
    /// Ratio by interval and sex.
    pub ratio: Vec<[f64; SEXES.len()]>,
    /// Months since fracture after which there is no excess.
    pub until_month: f64,
}

/// One fracture site, compiled from its data file.
#[derive(Clone, Debug, PartialEq)]
pub struct FractureSite {
    /// Id of the data file.
    pub id: String,
    /// Permanent number of its decision.
    pub decision: u32,
    /// Density site whose aBMD counts.
    pub density_site: usize,
    /// ln(gradient per SD) / SD, per g/cm2.
    pub slope: f64,
    /// aBMD that the slope is taken from; any number would do, a close one keeps numbers small. g/cm2.
    pub reference: f64,
    /// Exponent of resorption.
    pub turnover_exponent: f64,
    /// What a healing fracture here draws from the skeleton, 1 = hip.
    pub healing_draw: f64,
    /// ln of the ratio for people with an earlier fracture.
    pub ln_prior_ratio: f64,
    /// Share of fractures that a fall causes.
    pub share_from_falls: f64,
    /// Excess death after a fracture here.
    pub mortality: Option<MortalityAfter>,
}

/// Constants of one site in the kernel's precision.
#[derive(Clone, Copy, Debug)]
pub struct SiteHazard<S> {
    /// Density site whose aBMD counts.
    pub density_site: usize,
    slope: S,
    reference: S,
    turnover_exponent: S,
    /// What a healing fracture draws from the skeleton.
    pub healing_draw: S,
    ln_prior_ratio: S,
    share_from_falls: S,
}

impl<S: Scalar> SiteHazard<S> {
    /// Takes the constants from a compiled site.
    pub fn new(site: &FractureSite) -> Self {
        SiteHazard {
            density_site: site.density_site,
            slope: S::of(site.slope),
            reference: S::of(site.reference),
            turnover_exponent: S::of(site.turnover_exponent),
            healing_draw: S::of(site.healing_draw),
            ln_prior_ratio: S::of(site.ln_prior_ratio),
            share_from_falls: S::of(site.share_from_falls),
        }
    }

    /// Equation 1, logarithm; `risk_score` is the sum of the logarithms of the ratios of risk factors.
    #[inline(always)]
    pub fn ln_relative_hazard(&self, abmd: S, ln_resorption: S, prior_fracture: S, risk_score: S) -> S {
        risk_score + self.turnover_exponent * ln_resorption + self.ln_prior_ratio * prior_fracture - self.slope * (abmd - self.reference)
    }

    /// Equation 2; `fall_per_expected` is fall / p_fall.
    #[inline(always)]
    pub fn fall_factor(&self, fall_per_expected: S) -> S {
        (S::ONE - self.share_from_falls) + self.share_from_falls * fall_per_expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hip() -> FractureSite {
        FractureSite {
            id: "hip".into(),
            decision: 0,
            density_site: 2,
            slope: libm::log(2.9) / 0.12,
            reference: 0.7,
            turnover_exponent: 0.3,
            healing_draw: 1.0,
            ln_prior_ratio: libm::log(1.7),
            share_from_falls: 0.95,
            mortality: None,
        }
    }

    #[test]
    fn one_sd_less_density_is_one_gradient_more_hazard() {
        let h = SiteHazard::<f64>::new(&hip());
        let at = |abmd| libm::exp(h.ln_relative_hazard(abmd, 0.0, 0.0, 0.0));
        assert!((at(0.58) / at(0.70) - 2.9).abs() < 1e-12);
    }

    #[test]
    fn falls_move_the_hazard_and_keep_its_mean() {
        let h = SiteHazard::<f64>::new(&hip());
        let p_fall = 0.05;
        let mean = p_fall * h.fall_factor(1.0 / p_fall) + (1.0 - p_fall) * h.fall_factor(0.0);
        assert!((mean - 1.0).abs() < 1e-12);
    }
}
