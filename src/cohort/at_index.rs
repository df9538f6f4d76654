//! At index: what the hazards need of a person who has lived to the start of follow-up, and the fractures before it that still count.
//!
//! A fracture with a date is drawn only for people who report an earlier fracture, within the years of history, at the hazard that they
//! have otherwise, divided by the prevalence of such reports: among all people it then comes as often as the population's incidence says,
//! and nobody has a dated fracture without a history of one. Otherwise means: their balance and falls as they are, without the instability
//! and the ratio that earlier fractures bring.

use crate::biology::falls::Falls;
use crate::biology::fracture::{MAX_SITES, SiteHazard};
use crate::biology::frailty::{Frailty, instability_left};
use crate::biology::mortality::ExcessAfter;
use crate::biology::spine::{self, Spine};
use crate::biology::strength::{Material, Strength};
use crate::cohort::history::Block;
use crate::cohort::recruit::Recruit;
use crate::exposure::Target;
use crate::model::{self, Model, Population};
use crate::numeric::Scalar;
use crate::random::Recruiting;
use crate::units::{MONTHS_PER_YEAR, PerMonth};

/// What the hazards need of a person at index.
#[derive(Clone, Debug)]
pub struct Lived {
    /// Frailty without instability.
    pub frailty: f64,
    /// 1 with an earlier fracture.
    pub prior_fracture: f64,
    /// Sum of ln hazard ratios of risk factors, by fracture site.
    pub risk_score: [f64; MAX_SITES],
    /// Death ratio of risk factors and cohort.
    pub death_ratio: f64,
    ln_abmd: [f64; 4],
    lasting_burden: [f64; MAX_SITES],
    material: Material<f64>,
    fall_ratio: f64,
    serum_25ohd: f64,
    falls_added: f64,
}

impl Lived {
    /// Of one lane of a block that has lived to index.
    pub fn of<S: Scalar, const L: usize>(block: &Block<S, L>, lane: usize) -> Self {
        let (state, r) = (&block.state, block.in_lane(lane));
        let input = |target: Target| block.inputs.target[target as usize][lane].to_f64();
        let [resorption, modelling, microdamage] = [&state.resorption, &state.modelling, &state.microdamage].map(|row| row[lane].to_f64());
        Lived {
            frailty: block.frailty[lane].to_f64(),
            prior_fracture: block.prior_fracture[lane].to_f64(),
            risk_score: block.risk_score.map(|row| row[lane].to_f64()),
            death_ratio: block.death_ratio[lane].to_f64(),
            ln_abmd: model::ABMD_OF_SITE.map(|k| libm::log(r.values[k])),
            lasting_burden: block.lasting_burden.map(|row| row[lane].to_f64()),
            material: Material::of(resorption, modelling, microdamage, input(Target::Strength)),
            fall_ratio: r.fall_ratio,
            serum_25ohd: block.person.serum_25ohd[lane].to_f64() + input(Target::Serum25Ohd),
            falls_added: input(Target::Falls),
        }
    }

    /// Individual ratio of falls at an instability; the population's mean is not yet taken out.
    pub fn fall_ratio(&self, model: &Model, instability: f64) -> f64 {
        let falls = Falls::<f64>::new(&model.parameters);
        self.fall_ratio * falls.changing_ratio(self.frailty + instability, self.serum_25ohd, self.falls_added)
    }

    /// ln(load / strength) at a site and an instability, without the population's offset.
    pub fn burden(&self, model: &Model, site: usize, instability: f64) -> f64 {
        let site_of = &model.fracture_sites[site];
        let strength = Strength::<f64>::new(&site_of.bone);
        strength.burden(self.lasting_burden[site], self.ln_abmd[site_of.density_site], &self.material, self.frailty + instability)
    }

    /// Loadings of a month times the ratios of risk factors and of an earlier fracture: what multiplies the probability of breaking.
    pub fn weight(&self, model: &Model, site: usize, expected_falls: f64, p_fall: f64, prior_fracture: f64) -> f64 {
        let hazard = SiteHazard::<f64>::new(&model.fracture_sites[site]);
        hazard.loadings_here(expected_falls, p_fall) * hazard.risk_ratio(self.risk_score[site], prior_fracture)
    }
}

/// Expected months with a fall in a month, for a fall ratio whose population mean is taken out.
pub fn expected_falls(population: &Population, sex: usize, age: usize, ratio: f64) -> f64 {
    PerMonth(population.fall.at(sex, age) * ratio).probability_within(1.0).0
}

/// Months since the last fracture that counts, by fracture site, and the instability that they have left.
#[derive(Clone, Debug)]
pub struct Earlier {
    /// By fracture site; `None` if there was none.
    pub months_since: [Option<f64>; MAX_SITES],
    /// Instability left at index.
    pub instability: f64,
}

/// The fractures before index that still count. `relative_hazard` of a site is without what earlier fractures bring, relative to the
/// population's incidence.
pub fn earlier_fractures(model: &Model, population: &Population, recruit: &Recruit, relative_hazard: impl Fn(usize) -> f64) -> Earlier {
    let mut earlier = Earlier { months_since: [None; MAX_SITES], instability: 0.0 };
    if !recruit.prior_fracture {
        return earlier;
    }
    for (k, site) in model.fracture_sites.iter().enumerate() {
        earlier.months_since[k] = months_since_fracture(model, population, recruit, k, relative_hazard(k));
        if let Some(since) = earlier.months_since[k] {
            earlier.instability += site.instability * instability_left(&model.parameters, since);
        }
    }
    earlier
}

/// The fractures before index of a person of a study.
pub fn earlier_fractures_of(model: &Model, population: &Population, recruit: &Recruit, lived: &Lived) -> Earlier {
    let (sex, age) = (recruit.sex, recruit.age_completed());
    let p_fall = expected_falls(population, sex, age, 1.0);
    let falls = expected_falls(population, sex, age, lived.fall_ratio(model, 0.0) / population.mean.fall_undated.at(sex, age));
    earlier_fractures(model, population, recruit, |site| {
        let offset = population.mean.offset_undated[site].at(sex, age);
        let (burden, weight) = (lived.burden(model, site, 0.0), lived.weight(model, site, falls, p_fall, 0.0));
        let hazard = if model.fracture_sites[site].of_the_spine {
            let demand = burden + model.spine.kyphosis_part(recruit, Spine::INTACT, 0) + offset;
            spine::total(&model.spine.levels.hazards(Spine::INTACT, demand, weight))
        } else {
            weight * Strength::<f64>::new(&model.fracture_sites[site].bone).breaking_probability(burden, offset)
        };
        hazard / population.breaking(&model.fracture_sites, site).at(sex, age)
    })
}

/// Months between the last fracture at a site and index; `None` if there was none within the years of history, or the person would not have
/// survived it.
fn months_since_fracture(model: &Model, population: &Population, recruit: &Recruit, site: usize, relative_hazard: f64) -> Option<f64> {
    let first = Recruiting::EarlierFracture as u32 + 4 * model.fracture_sites[site].decision;
    let luck = |k| model.luck.once(recruit.person, recruit.attempt, first + k);
    let (sex, window) = (recruit.sex, model.parameters.fracture.history_years * f64::from(MONTHS_PER_YEAR));
    let earlier = recruit.age_completed().saturating_sub(model.parameters.cohort.earlier_fracture_age_shift as usize);
    let had = PerMonth(population.fracture[site].at(sex, earlier) * relative_hazard).probability_within(window).0;
    let with_a_history = population.prevalence[0].at(sex, recruit.age_completed());
    if luck(0) >= had / with_a_history {
        return None;
    }
    let since = libm::floor(luck(1) * window);
    let death = population.death.at(population.calendar_year, sex, earlier);
    let excess = |m: u32| (death_ratio_after(model, (sex, earlier), site, f64::from(m)) - 1.0) * death;
    let lost: f64 = (0..since as u32).map(excess).sum();
    (luck(2) < libm::exp(-lost)).then_some(since)
}

/// Relative hazard of death that a fracture at a site causes so many months after it, by itself and by its instability.
fn death_ratio_after(model: &Model, (sex, age): (usize, usize), site: usize, months_since: f64) -> f64 {
    let of = &model.fracture_sites[site];
    let instability = of.instability * instability_left(&model.parameters, months_since);
    let itself = of.mortality.as_ref().map_or(1.0, |after| ExcessAfter::<f64>::new(after).ratio(sex, age, months_since));
    itself * Frailty::<f64>::new(&model.parameters).death_ratio(instability)
}

/// Relative hazard of death that fractures before index cause.
pub fn death_ratio_of_earlier(model: &Model, sex: usize, age: usize, earlier: &Earlier) -> f64 {
    let of_site = |(site, since): (usize, &Option<f64>)| since.map_or(1.0, |since| death_ratio_after(model, (sex, age), site, since));
    earlier.months_since.iter().enumerate().map(of_site).product()
}
