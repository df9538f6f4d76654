//! What makes a population's own people come out at its own rates.
//!
//! Published ratios are against the population or the unexposed; published incidence is of the population as it is. So every individual risk is
//! divided by its mean over the population at the same age and sex. The mean is taken over a reference sample of the population itself, recruited and lived
//! to index exactly as a study's people are, with femoral-neck density spread evenly over its distribution: density, turnover, falls,
//! earlier fractures and risk factors enter with the correlations they have, and nothing is counted twice.

use super::{Model, Normalizers, Population};
use crate::biology::remodeling::Balance;
use crate::cohort::at_index::{Lived, death_ratio_after, expected_falls, months_since_fracture};
use crate::cohort::history::Block;
use crate::cohort::recruit::{Recruit, person_of};
use crate::cohort::simulate;
use crate::numeric::normal;
use crate::table::{AGES, Between, ByAgeAndSex, interpolate};
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

/// Fills the normalizers of every population of the model; those that an earlier model has for the same numbers are taken over.
pub fn normalize(model: &mut Model, earlier: Option<&Model>) {
    let all: Vec<Normalizers> = (0..model.populations.len())
        .map(|which| earlier.and_then(|e| known(e, model, which)).unwrap_or_else(|| normalizers(model, which)))
        .collect();
    for (population, mean) in model.populations.iter_mut().zip(all) {
        population.mean = mean;
    }
}

/// The normalizers that an earlier model has for a population, if all that they rest on is the same: the people, what acts on them, their luck.
/// Cohorts, arms and follow-up are no part of the reference sample.
fn known(earlier: &Model, model: &Model, which: usize) -> Option<Normalizers> {
    let same_world = earlier.parameters == model.parameters
        && earlier.risk_factors == model.risk_factors
        && earlier.fracture_sites == model.fracture_sites
        && earlier.luck == model.luck;
    let same_people = |p: &&Population| **p == Population { mean: p.mean.clone(), ..model.populations[which].clone() };
    earlier.populations.iter().filter(|_| same_world).find(same_people).map(|p| p.mean.clone())
}

fn normalizers(model: &Model, which: usize) -> Normalizers {
    let youngest = model.parameters.cohort.youngest_age as usize;
    let ages: Vec<usize> = (youngest..=OLDEST).step_by(EVERY).collect();
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

    let falls: Vec<f64> = people.iter().map(|r| expected_falls(population, r, fall)).collect();
    let mean_of_site = |site: usize| {
        let relative = |j: usize| lived[j].relative_hazard(model, &people[j], site, falls[j], lived[j].prior_fracture);
        (0..people.len()).map(relative).sum::<f64>() / n
    };
    let fracture: Vec<f64> = (0..model.fracture_sites.len()).map(mean_of_site).collect();
    let death_ratio = |j: usize| {
        let with = |ratio: f64, site: usize| {
            let otherwise = lived[j].relative_hazard(model, &people[j], site, falls[j], 0.0) / fracture[site];
            let since = months_since_fracture(model, population, &people[j], site, otherwise);
            ratio * death_ratio_after(model, &people[j], site, since)
        };
        (0..model.fracture_sites.len()).fold(lived[j].death_ratio, with)
    };
    let death = (0..people.len()).map(death_ratio).sum::<f64>() / n;
    Means { fall, fracture, death }
}
