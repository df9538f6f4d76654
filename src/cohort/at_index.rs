//! At index: the hazards of a person who has lived to the start of follow-up, and the fractures before it that still raise mortality.
//!
//! A fracture with a date is drawn only for people who report an earlier fracture, at the hazard that they have otherwise, divided by the
//! prevalence of such reports: among all people it then comes as often as the population's incidence says, and nobody has a dated fracture
//! without a history of one.

use crate::biology::fracture::{MAX_SITES, SiteHazard};
use crate::biology::mortality::ExcessAfter;
use crate::cohort::history::Block;
use crate::cohort::recruit::Recruit;
use crate::model::{self, Model, Population};
use crate::numeric::Scalar;
use crate::random::Recruiting;
use crate::units::PerMonth;

/// What the hazards need of a person at index.
#[derive(Clone, Debug)]
pub struct Lived {
    ln_resorption: f64,
    /// 1 with an earlier fracture.
    pub prior_fracture: f64,
    risk_score: [f64; MAX_SITES],
    /// Death ratio of risk factors.
    pub death_ratio: f64,
}

impl Lived {
    /// Of one lane of a block at index.
    pub fn of<S: Scalar, const L: usize>(block: &Block<S, L>, lane: usize) -> Self {
        Lived {
            ln_resorption: libm::log(block.state.resorption[lane].to_f64()),
            prior_fracture: block.prior_fracture[lane].to_f64(),
            risk_score: std::array::from_fn(|k| block.risk_score[k][lane].to_f64()),
            death_ratio: block.death_ratio[lane].to_f64(),
        }
    }

    /// Relative hazard of a fracture site with the expected number of falls; the population's mean is not yet taken out.
    pub fn relative_hazard(&self, model: &Model, recruit: &Recruit, site: usize, falls: f64, prior_fracture: f64) -> f64 {
        let hazard = SiteHazard::<f64>::new(&model.fracture_sites[site]);
        let abmd = recruit.values[model::ABMD_OF_SITE[hazard.density_site]];
        libm::exp(hazard.ln_relative_hazard(abmd, self.ln_resorption, prior_fracture, self.risk_score[site])) * hazard.fall_factor(falls)
    }
}

/// Expected months with a fall relative to the population's, for a fall ratio whose population mean is `mean_ratio`.
pub fn expected_falls(population: &Population, recruit: &Recruit, mean_ratio: f64) -> f64 {
    let hazard = population.fall.at(recruit.sex, recruit.age_completed());
    PerMonth(hazard * recruit.fall_ratio / mean_ratio).probability_within(1.0).0 / PerMonth(hazard).probability_within(1.0).0
}

/// Months between the last fracture at a site and index; `None` if there was none within the time that counts, or the person would not have survived
/// it. `relative_hazard` is without the ratio for an earlier fracture, the population's mean taken out.
pub fn months_since_fracture(model: &Model, population: &Population, recruit: &Recruit, site: usize, relative_hazard: f64) -> Option<f64> {
    let after = model.fracture_sites[site].mortality.as_ref()?;
    if !recruit.prior_fracture {
        return None;
    }
    let first = Recruiting::EarlierFracture as u32 + 4 * model.fracture_sites[site].decision;
    let luck = |k| model.luck.once(recruit.person, recruit.attempt, first + k);
    let (sex, window) = (recruit.sex, after.until_month);
    let earlier = recruit.age_completed().saturating_sub(model.parameters.cohort.earlier_fracture_age_shift as usize);
    let had = PerMonth(population.fracture[site].at(sex, earlier) * relative_hazard).probability_within(window).0;
    let with_a_history = population.prevalence[0].at(sex, recruit.age_completed());
    if luck(0) >= had / with_a_history {
        return None;
    }
    let since = libm::floor(luck(1) * window);
    let excess = ExcessAfter::<f64>::new(after);
    let death = population.death.at(sex, earlier);
    let lost: f64 = (0..since as u32).map(|m| (excess.ratio(sex as f64, f64::from(m)) - 1.0) * death).sum();
    (luck(2) < libm::exp(-lost)).then_some(since)
}

/// Relative hazard of death by a fracture at a site before index.
pub fn death_ratio_after(model: &Model, recruit: &Recruit, site: usize, months_since: Option<f64>) -> f64 {
    match (months_since, &model.fracture_sites[site].mortality) {
        (Some(since), Some(after)) => ExcessAfter::<f64>::new(after).ratio(recruit.sex as f64, since),
        _ => 1.0,
    }
}
