//! What makes a population's own people come out at its own rates.
//!
//! Published ratios are against the population or the unexposed; published incidence is of the population as it is. So every individual risk is
//! divided by its mean over the population at the same age and sex. The mean is taken over a reference sample of the population itself, recruited and lived
//! to index exactly as a study's people are, with femoral-neck density spread evenly over its distribution: density, turnover, falls,
//! earlier fractures and risk factors enter with the correlations they have, and nothing is counted twice.

use super::{Model, Normalizers, Population};
use crate::biology::fracture::SiteHazard;
use crate::biology::mortality::ExcessAfter;
use crate::biology::remodeling::Balance;
use crate::cohort::history::Block;
use crate::cohort::recruit::{Recruit, person_of};
use crate::cohort::simulate::{self, Lived};
use crate::numeric::normal;
use crate::random::Recruiting;
use crate::table::{AGES, Between, ByAgeAndSex, interpolate};
use crate::units::PerMonth;
use rayon::prelude::*;

/// People of the reference sample at each age and sex.
const SAMPLE: usize = 2048;
/// Ages between the samples, years.
const EVERY: usize = 5;
/// Oldest age of a sample; older ages keep its means.
const OLDEST: usize = 100;
/// Numbers of reference people lie above those of any study.
const FIRST_REFERENCE_PERSON: u64 = 1 << 62;
/// People in a block of the reference sample.
const REFERENCE_LANES: usize = 64;

/// Means of one age and sex.
struct Means {
    fall: f64,
    fracture: Vec<f64>,
    death: f64,
}

/// Fills the normalizers of every population of the model.
pub fn normalize(model: &mut Model) {
    let youngest = model.parameters.cohort.youngest_age as usize;
    let ages: Vec<usize> = (youngest..=OLDEST).step_by(EVERY).collect();
    let all: Vec<Normalizers> = (0..model.populations.len())
        .map(|which| {
            let cells: Vec<(usize, usize)> = (0..2).flat_map(|sex| ages.iter().map(move |age| (sex, *age))).collect();
            let means: Vec<Means> = cells.par_iter().map(|(sex, age)| means_at(model, which, *sex, *age)).collect();
            let table = |pick: &dyn Fn(&Means) -> f64| {
                let knots: Vec<f64> = ages.iter().map(|a| *a as f64 + 0.5).collect();
                ByAgeAndSex::from_fn(|sex, age| {
                    let values: Vec<f64> = means[sex * ages.len()..(sex + 1) * ages.len()].iter().map(pick).collect();
                    interpolate(&knots, &values, age as f64 + 0.5, Between::LogLinear)
                })
            };
            Normalizers {
                fall: table(&|m| m.fall),
                fracture: (0..model.fracture_sites.len()).map(|site| table(&|m: &Means| m.fracture[site])).collect(),
                death: table(&|m| m.death),
            }
        })
        .collect();
    for (population, mean) in model.populations.iter_mut().zip(all) {
        population.mean = mean;
    }
}

fn sample(model: &Model, population: &Population, sex: usize, age: usize) -> Vec<Recruit> {
    let first = FIRST_REFERENCE_PERSON + ((sex * AGES + age) * SAMPLE) as u64;
    (0..SAMPLE)
        .map(|k| {
            let z = normal::quantile((k as f64 + 0.5) / SAMPLE as f64);
            person_of(model, population, first + k as u64, sex, (age * 12 + 6) as u32, Some(z))
        })
        .collect()
}

fn means_at(model: &Model, which: usize, sex: usize, age: usize) -> Means {
    let population = &model.populations[which];
    let people = sample(model, population, sex, age);
    let n = people.len() as f64;
    let fall = people.iter().map(|r| r.fall_ratio).sum::<f64>() / n;

    let balance = Balance::<f32>::new(&model.parameters);
    let mut lived: Vec<Lived> = Vec::with_capacity(people.len());
    for group in people.chunks(REFERENCE_LANES) {
        let mut block = Block::<f32, REFERENCE_LANES>::of(model, group.to_vec());
        simulate::live_to_index(model, &balance, &mut block);
        lived.extend((0..group.len()).map(|lane| Lived::of(&block, lane)));
    }

    let population_fall = PerMonth(population.fall.at(sex, age)).probability_within(1.0).0;
    let relative: Vec<Vec<f64>> = model
        .fracture_sites
        .iter()
        .enumerate()
        .map(|(k, site)| {
            let hazard = SiteHazard::<f64>::new(site);
            people
                .iter()
                .zip(&lived)
                .map(|(r, l)| {
                    let fall_hazard = PerMonth(population.fall.at(sex, age) * r.fall_ratio / fall);
                    let falls = fall_hazard.probability_within(1.0).0 / population_fall;
                    let abmd = r.values[super::ABMD_OF_SITE[hazard.density_site]];
                    libm::exp(hazard.ln_relative_hazard(abmd, l.ln_resorption, l.prior_fracture, l.risk_score[k]))
                        * hazard.fall_factor(falls)
                })
                .collect()
        })
        .collect();
    let fracture: Vec<f64> = relative.iter().map(|r| r.iter().sum::<f64>() / n).collect();

    // Death: earlier fractures come at the hazard that these people have, some years before index.
    let earlier = EarlierFractures::new(model, population, sex, age);
    let death = people
        .iter()
        .enumerate()
        .map(|(j, r)| {
            let own = lived[j].death_ratio;
            (0..model.fracture_sites.len()).fold(own, |ratio, k| ratio * earlier.ratio(model, r, k, relative[k][j] / fracture[k]))
        })
        .sum::<f64>()
        / n;
    Means { fall, fracture, death }
}

/// Fractures before index that still raise mortality, drawn at a person's own hazard.
pub struct EarlierFractures {
    sex: usize,
    /// Hazard of the population some years before index, by fracture site, per month.
    hazard: Vec<f64>,
    death: f64,
}

impl EarlierFractures {
    /// Of people of this sex and age at index.
    pub fn new(model: &Model, population: &Population, sex: usize, age: usize) -> Self {
        let earlier = age.saturating_sub(model.parameters.cohort.earlier_fracture_age_shift as usize);
        EarlierFractures {
            sex,
            hazard: population.fracture.iter().map(|t| t.at(sex, earlier)).collect(),
            death: population.death.at(sex, earlier),
        }
    }

    /// Months between the last fracture at a site and index; `None` if there was none within the time that counts, or the person would not have survived it.
    pub fn months_since(&self, model: &Model, recruit: &Recruit, site: usize, relative_hazard: f64) -> Option<f64> {
        let after = model.fracture_sites[site].mortality.as_ref()?;
        let first = Recruiting::EarlierFracture as u32 + 4 * model.fracture_sites[site].decision;
        let luck = |k| model.luck.once(recruit.person, first + k);
        let window = after.until_month;
        if luck(0) >= PerMonth(self.hazard[site] * relative_hazard).probability_within(window).0 {
            return None;
        }
        let since = libm::floor(luck(1) * window);
        let excess = ExcessAfter::<f64>::new(after);
        let male = self.sex as f64;
        let lost: f64 = (0..since as u32).map(|m| (excess.ratio(male, f64::from(m)) - 1.0) * self.death).sum();
        (luck(2) < libm::exp(-lost)).then_some(since)
    }

    fn ratio(&self, model: &Model, recruit: &Recruit, site: usize, relative_hazard: f64) -> f64 {
        match (self.months_since(model, recruit, site, relative_hazard), &model.fracture_sites[site].mortality) {
            (Some(since), Some(after)) => ExcessAfter::<f64>::new(after).ratio(self.sex as f64, since),
            _ => 1.0,
        }
    }
}
