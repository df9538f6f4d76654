//! Fracture: the hazard of breaking a bone at a site, from data files.
//!
//! 1. loadings of a month n = fell + p (1 - s) / s
//! 2. hazard = n x probability of breaking at one loading ([`super::strength`]) x exp(risk score + prior ln(prior ratio)) x trend
//! 3. loadings of a month of a bone of the spine n = (1 - s) + s fell / p
//!
//! s is the share of fractures at this site that falls cause, `fell` is 1 in a month with a fall, p the population's probability of one:
//! at a site that only falls break, a loading is a fall; elsewhere the hardest loads of daily life are counted in the same coin. The risk
//! score is the sum of the logarithms of the ratios of risk factors, `prior` is 1 after an earlier fracture, and the trend is that of the
//! calendar: exp(change of ln incidence per year x (year - year of the incidence)).
//!
//! 4. a fracture adds its draw to the healing state of the balance ([`super::remodeling`], equation 8), its instability and its loss of
//!    mobility to frailty ([`super::frailty`]), and some of those who break a bone enter a nursing home
//!
//! Left out: how well it heals, the side, the cause other than a fall, how hard the fall was.

use crate::biology::strength::{Bone, Strength};
use crate::numeric::Scalar;
use crate::parameters::SEXES;
use crate::table::ByAgeAndSex;

/// Most fracture sites a scenario may have.
pub const MAX_SITES: usize = 12;

/// Death after a fracture: relative hazard by months since.
#[derive(Clone, Debug, PartialEq)]
pub struct MortalityAfter {
    /// Months since fracture from which each ratio holds, ascending from 0.
    pub from_month: Vec<f64>,
    /// Ratio by interval and sex.
    pub ratio: Vec<[f64; SEXES.len()]>,
    /// Months since fracture after which there is no excess.
    pub until_month: f64,
    /// Change of ln of the excess per decade of age, by sex; the ratios hold at [`super::mortality::RATIOS_AT_AGE`].
    pub age_slope: [f64; SEXES.len()],
}

/// One fracture site, compiled from its data file.
#[derive(Clone, Debug, PartialEq)]
pub struct FractureSite {
    /// Id of the data file.
    pub id: String,
    /// Permanent number of its decision.
    pub decision: u32,
    /// Whether it is a bone of the spine, which breaks level by level.
    pub of_the_spine: bool,
    /// Density site whose aBMD counts.
    pub density_site: usize,
    /// Load against strength.
    pub bone: Bone,
    /// What a healing fracture here draws from the skeleton, 1 = that of a broken thigh.
    pub healing_draw: f64,
    /// ln of the ratio for people with an earlier fracture.
    pub ln_prior_ratio: f64,
    /// Share of fractures that a fall causes.
    pub share_from_falls: f64,
    /// Instability after a fracture here.
    pub instability: f64,
    /// Frailty that a fracture here leaves for good.
    pub mobility_loss: f64,
    /// Excess death that a fracture here causes.
    pub mortality: Option<MortalityAfter>,
    /// Probability of entering a nursing home at a fracture here.
    pub nursing_home: Option<ByAgeAndSex>,
}

/// Constants of one site in the kernel's precision.
#[derive(Clone, Copy, Debug)]
pub struct SiteHazard<S> {
    /// Whether it is a bone of the spine.
    pub of_the_spine: bool,
    /// Density site whose aBMD counts.
    pub density_site: usize,
    /// Load against strength.
    pub strength: Strength<S>,
    /// What a healing fracture draws from the skeleton.
    pub healing_draw: S,
    /// Instability after a fracture.
    pub instability: S,
    /// Frailty that a fracture leaves for good.
    pub mobility_loss: S,
    ln_prior_ratio: S,
    share_from_falls: S,
    others_per_fall: S,
}

impl<S: Scalar> SiteHazard<S> {
    /// Takes the constants from a compiled site.
    pub fn new(site: &FractureSite) -> Self {
        SiteHazard {
            of_the_spine: site.of_the_spine,
            density_site: site.density_site,
            strength: Strength::new(&site.bone),
            healing_draw: S::of(site.healing_draw),
            instability: S::of(site.instability),
            mobility_loss: S::of(site.mobility_loss),
            ln_prior_ratio: S::of(site.ln_prior_ratio),
            share_from_falls: S::of(site.share_from_falls),
            others_per_fall: S::of((1.0 - site.share_from_falls) / site.share_from_falls),
        }
    }

    /// Equation 1; `p_fall` is the population's probability of a fall in a month, `fell` a person's own or whether it happened.
    #[inline(always)]
    pub fn loadings(&self, fell: S, p_fall: S) -> S {
        fell + p_fall * self.others_per_fall
    }

    /// Equation 3.
    #[inline(always)]
    pub fn loadings_of_the_spine(&self, fell: S, p_fall: S) -> S {
        (S::ONE - self.share_from_falls) + self.share_from_falls * fell / p_fall
    }

    /// Equation 1 or 3, whichever is the site's.
    pub fn loadings_here(&self, fell: S, p_fall: S) -> S {
        if self.of_the_spine { self.loadings_of_the_spine(fell, p_fall) } else { self.loadings(fell, p_fall) }
    }

    /// Equation 2, ratios: of risk factors and of an earlier fracture.
    #[inline(always)]
    pub fn risk_ratio(&self, risk_score: S, prior_fracture: S) -> S {
        (risk_score + self.ln_prior_ratio * prior_fracture).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::biology::strength::tests::bone;

    fn thigh(share_from_falls: f64) -> SiteHazard<f64> {
        SiteHazard::new(&FractureSite {
            id: "thigh".into(),
            decision: 0,
            of_the_spine: false,
            density_site: 2,
            bone: bone(),
            healing_draw: 1.0,
            ln_prior_ratio: libm::log(1.7),
            share_from_falls,
            instability: 0.5,
            mobility_loss: 0.2,
            mortality: None,
            nursing_home: None,
        })
    }

    #[test]
    fn falls_cause_their_share_of_all_loadings() {
        for share in [0.25, 0.95, 1.0] {
            let (h, p) = (thigh(share), 0.05);
            let all = p * h.loadings(1.0, p) + (1.0 - p) * h.loadings(0.0, p);
            assert!((p / all - share).abs() < 1e-12);
            let of_the_spine = p * h.loadings_of_the_spine(1.0, p) + (1.0 - p) * h.loadings_of_the_spine(0.0, p);
            assert!((of_the_spine - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn an_earlier_fracture_and_risk_factors_multiply_the_hazard() {
        let h = thigh(0.95);
        assert_eq!(h.risk_ratio(0.0, 0.0), 1.0);
        assert!((h.risk_ratio(libm::log(2.0), 1.0) - 3.4).abs() < 1e-12);
    }
}
