//! The spine at index: deformities that a person brings, drawn one after the other from what a survey would find of them.
//!
//! 1. expected so far, for a person whose relative hazard is r: early deformities (by sex) + ratio x sum over the years since 50 of the yearly incidence x r
//! 2. r = hazard of equation 3 of [`crate::biology::spine`] / incidence, from measured density, weight, height, frailty, risk factors and the curve of the back
//!    alone, without turnover, microdamage and falls; an offset of its own makes its mean over intact spines 1
//! 3. the k-th deformity comes after a waiting time -ln(u) / (early + later r) of the time from 0 to 1, with the r of the spine as it then is; level, grade,
//!    shape and whether it was noticed are drawn as in follow-up
//!
//! It needs nothing that only a life to index would tell, so entry rules can ask for it.
//!
//! Left out: what the deformity did to death, so that the deformed of old age are as many as fell ill, not as survived; that risk was lower when people were younger
//! than the incidence of their age says.

use crate::biology::spine::{Draws, Spine, total};
use crate::biology::strength::{Material, Strength};
use crate::cohort::recruit::Recruit;
use crate::model::spine::SpineModel;
use crate::model::{self, Model, Population};
use crate::parameters::LEVELS;
use crate::random::Recruiting;
use crate::units::MONTHS_PER_YEAR;

/// Age from which deformities are counted year by year.
const FROM_AGE: usize = 50;

/// What a survey would find of a person, as far as the spine is concerned.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Demand on the spine without offset and kyphosis.
    pub demand: f64,
    /// Ratio of risk factors and of an earlier fracture.
    pub ratio: f64,
}

impl Measured {
    /// Of a person; `site` is the fracture site of the spine.
    pub fn of(model: &Model, recruit: &Recruit, site: usize) -> Self {
        let of_site = &model.fracture_sites[site];
        let abmd = recruit.values[model::ABMD_OF_SITE[of_site.density_site]];
        let lasting = of_site.bone.lasting_burden(recruit.values[model::BODY_WEIGHT], recruit.values[model::HEIGHT], abmd);
        let usual = Material { ln_resorption: 0.0, ln_modelling: 0.0, ln_microdamage: 0.0, added: 0.0 };
        let demand = Strength::<f64>::new(&of_site.bone).burden(lasting, libm::log(abmd), &usual, recruit.values[model::FRAILTY]);
        let factors = model.risk_factors.iter().enumerate().filter(|(k, _)| recruit.has(*k));
        let score: f64 = factors.map(|(_, f)| f.ln_ratio[site]).sum();
        let prior = if recruit.prior_fracture { of_site.ln_prior_ratio } else { 0.0 };
        Measured { demand, ratio: libm::exp(score + prior) }
    }
}

/// Expected deformities before index of a person whose relative hazard is 1, after and before the age from which years are counted.
fn expected(model: &Model, population: &Population, recruit: &Recruit) -> (f64, f64) {
    let (p, sex, age) = (&model.parameters.spine, recruit.sex, recruit.age_completed());
    let yearly = |age: usize| population.deformity.at(sex, age) * f64::from(MONTHS_PER_YEAR);
    let this_year = f64::from(recruit.age_months % MONTHS_PER_YEAR) / f64::from(MONTHS_PER_YEAR);
    let begun = if age < FROM_AGE { 0.0 } else { this_year * yearly(age) };
    let later = (FROM_AGE..age).map(yearly).sum::<f64>() + begun;
    (p.past_incidence_ratio * later, p.early_deformities[sex])
}

/// The spine of a person of a population at index.
pub fn spine(model: &Model, population: &Population, recruit: &Recruit) -> Spine {
    spine_at(model, population, recruit, population.mean.offset_history.at(recruit.sex, recruit.age_completed()))
}

/// The same with a given offset.
pub fn spine_at(model: &Model, population: &Population, recruit: &Recruit, offset: f64) -> Spine {
    let Some(site) = model.spine.site else { return Spine::INTACT };
    let measured = Measured::of(model, recruit, site);
    let incidence = population.deformity.at(recruit.sex, recruit.age_completed());
    let by_level = |spine: Spine| {
        let demand = measured.demand + model.spine.kyphosis_part(recruit, spine, 0) + offset;
        model.spine.levels.hazards(spine, demand, measured.ratio / incidence)
    };
    let luck = |number: u32| model.luck.once(recruit.person, recruit.attempt, Recruiting::EarlierDeformity as u32 + number);
    let persistence = model.parameters.spine.past_persistence;
    drawn(&model.spine, expected(model, population, recruit), persistence, by_level, luck)
}

/// Equation 3: `relative` is the relative hazard of a spine, by level; `luck` a uniform number for each decision.
fn drawn(
    model: &SpineModel,
    (later, early): (f64, f64),
    persistence: f64,
    relative: impl Fn(Spine) -> [f64; LEVELS.len()],
    luck: impl Fn(u32) -> f64,
) -> Spine {
    let mut spine = Spine::INTACT;
    let mut left = 1.0;
    let today = total(&relative(spine));
    let later = if today > 0.0 { later * libm::pow(today, persistence - 1.0) } else { later };
    for k in 0..LEVELS.len() as u32 {
        let hazards = relative(spine);
        let sum = total(&hazards);
        let rate = if sum > 0.0 { early + later * sum } else { 0.0 };
        let luck = |what: u32| luck(8 * k + what);
        // Where nothing can happen the waiting time is infinite.
        left += libm::log(luck(0)) / rate;
        if left <= 0.0 {
            break;
        }
        let draws = Draws { level: luck(1), grade: luck(2), shape: luck(3), attention: luck(4) };
        spine = model.outcome.of(spine, &hazards, &draws).of(spine);
    }
    spine
}
