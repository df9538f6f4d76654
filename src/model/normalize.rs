//! What makes a population's own people come out at its own rates.
//!
//! Published ratios are against the population or the unexposed; published incidence is of the population as it is. So individual risks of falls and
//! death are divided by their mean over the population at the same age and sex, and load is set against strength by an offset b at which the mean
//! hazard of a fracture is the incidence that was measured. The mean is taken over a reference sample of the population itself, recruited and lived
//! to index exactly as a study's people are, with everything that is measured spread evenly over its joint distribution: density, turnover, falls,
//! earlier fractures and risk factors enter with the correlations they have, and nothing is counted twice.

use super::{Model, Normalizers, Population};
use crate::biology::frailty::Frailty;
use crate::biology::remodeling::Balance;
use crate::biology::spine::levels::SEVERE;
use crate::cohort::at_index::{Earlier, Lived, death_ratio_after, earlier_fractures, expected_falls};
use crate::cohort::history::Block;
use crate::cohort::recruit::{EVEN_PEOPLE, Recruit, even_person};
use crate::cohort::simulate;
use crate::cohort::spine_at_index::{self, Measured};
use crate::error::Problems;
use crate::numeric::Scalar;
use crate::parameters::LEVELS;
use crate::table::{AGES, Between, ByAgeAndSex, interpolate};
use rayon::prelude::*;

/// Ages between the samples, years.
const EVERY: usize = 5;
/// Oldest age of a sample; older ages keep its means.
const OLDEST: usize = 100;
/// Numbers of reference people lie above those of any study.
const FIRST_REFERENCE_PERSON: u64 = 1 << 62;
/// People in a block of the reference sample.
const REFERENCE_LANES: usize = 64;

/// Means and offsets of one age and sex.
struct Means {
    fall: f64,
    fall_undated: f64,
    offset: Vec<Offset>,
    offset_undated: Vec<Offset>,
    offset_history: Offset,
    death: f64,
}

/// Fills the normalizers of every population of the model; those that an earlier model has for the same numbers are taken over.
pub fn normalize(model: &mut Model, earlier: Option<&Model>, problems: &mut Problems) {
    let mut all = Vec::new();
    for which in 0..model.populations.len() {
        match earlier.and_then(|e| known(e, model, which)) {
            Some(known) => all.push(known),
            None => all.extend(normalizers(model, which, problems)),
        }
    }
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

fn normalizers(model: &Model, which: usize, problems: &mut Problems) -> Option<Normalizers> {
    let population = &model.populations[which];
    let youngest = model.parameters.cohort.youngest_age as usize;
    let ages: Vec<usize> = (youngest..=OLDEST).step_by(EVERY).collect();
    let cells: Vec<(usize, usize)> = (0..2).flat_map(|sex| ages.iter().map(move |age| (sex, *age))).collect();
    let found: Vec<Result<Means, usize>> = cells.par_iter().map(|(sex, age)| means_at(model, which, *sex, *age)).collect();
    for ((sex, age), site) in cells.iter().zip(&found).filter_map(|(cell, found)| found.as_ref().err().map(|site| (cell, site))) {
        let broken = &model.fracture_sites[*site];
        let table = if broken.of_the_spine { "vertebral_deformity".into() } else { format!("fracture_incidence.{}", broken.id) };
        let place = format!("populations[{which}].{table}");
        let found = format!("{} a month at sex {sex}, age {age}", population.breaking(&model.fracture_sites, *site).at(*sex, *age));
        problems.add(place, found, "an incidence that the people of the population, with their falls, can have");
    }
    let means: Vec<Means> = found.into_iter().collect::<Result<_, _>>().ok()?;
    let knots: Vec<f64> = ages.iter().map(|a| *a as f64 + 0.5).collect();
    let of_sex =
        |sex: usize, pick: &dyn Fn(&Means) -> f64| -> Vec<f64> { means[sex * ages.len()..][..ages.len()].iter().map(pick).collect() };
    let table = |pick: &dyn Fn(&Means) -> f64| {
        let both = [0, 1].map(|sex| of_sex(sex, pick));
        ByAgeAndSex::from_fn(|sex, age| interpolate(&knots, &both[sex], age as f64 + 0.5, Between::LogLinear))
    };
    let offsets = |table: &ByAgeAndSex, pick: &dyn Fn(&Means) -> Offset| {
        let both = [0, 1].map(|sex| {
            let incidence = ages.iter().map(|age| table.at(sex, *age)).collect();
            OffsetsByAge { value: of_sex(sex, &|m| pick(m).value), slope: of_sex(sex, &|m| pick(m).slope), incidence }
        });
        ByAgeAndSex::from_fn(|sex, age| both[sex].at(&knots, age, table.at(sex, age)))
    };
    let incidence = |site: usize| population.breaking(&model.fracture_sites, site);
    let sites = 0..model.fracture_sites.len();
    Some(Normalizers {
        fall: table(&|m| m.fall),
        fall_undated: table(&|m| m.fall_undated),
        offset: sites.clone().map(|site| offsets(incidence(site), &|m| m.offset[site])).collect(),
        offset_undated: sites.map(|site| offsets(incidence(site), &|m| m.offset_undated[site])).collect(),
        offset_history: offsets(&population.deformity, &|m| m.offset_history),
        recorded: recorded(model, population),
        death: table(&|m| m.death),
    })
}

/// The offset of load against strength at which the mean hazard is the incidence, and how the logarithm of the mean rises with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offset {
    /// b.
    pub value: f64,
    /// d ln(mean) / db.
    pub slope: f64,
}

impl Offset {
    /// Where there is nothing to solve.
    const NONE: Offset = Offset { value: 0.0, slope: 1.0 };

    /// Solves mean of weight x (share of a standard normal population below (burden + b) / spread) = incidence; `None` if no b does.
    pub fn solve(burden: &[f64], weight: &[f64], spread: f64, incidence: f64) -> Option<Offset> {
        // ln of the mean rises with b from minus infinity to ln(mean weight): an interval that holds the root is halved unless Newton's step is better.
        const WIDEST: f64 = 50.0;
        const STEPS: usize = 200;
        const CLOSE: f64 = 1e-8; // of the last step: the next one would be its square
        let n = burden.len() as f64;
        if weight.iter().sum::<f64>() / n <= incidence * 1.001 {
            return None;
        }
        let at = |b: f64| {
            let (mut mean, mut density) = (0.0, 0.0);
            for (x, w) in burden.iter().zip(weight) {
                let q = (x + b) / spread;
                mean += w * q.normal_share();
                density += w * Scalar::exp(-0.5 * q * q);
            }
            const PER_ROOT_OF_TWO_PI: f64 = 0.398_942_280_401_432_7;
            (mean / n, density * PER_ROOT_OF_TWO_PI / (spread * n))
        };
        let (mut low, mut high) = (-WIDEST, WIDEST);
        let mut b = -burden.iter().sum::<f64>() / n - 2.0 * spread;
        for _ in 0..STEPS {
            let (mean, density) = at(b);
            if mean < incidence {
                low = b
            } else {
                high = b
            }
            let newton = b - libm::log(mean / incidence) * mean / density;
            let next = if low < newton && newton < high { newton } else { 0.5 * (low + high) };
            if (next - b).abs() <= CLOSE * (1.0 + b.abs()) {
                return Some(Offset { value: next, slope: density / mean });
            }
            b = next;
        }
        None
    }
}

/// Offsets of one sex at the ages of the samples.
struct OffsetsByAge {
    value: Vec<f64>,
    slope: Vec<f64>,
    incidence: Vec<f64>,
}

impl OffsetsByAge {
    /// At a completed year of age: between the samples the offset follows the incidence of the year itself, not only that of the samples.
    fn at(&self, knots: &[f64], age: usize, incidence: f64) -> f64 {
        let middle = age as f64 + 0.5;
        let value = interpolate(knots, &self.value, middle, Between::Linear);
        let slope = interpolate(knots, &self.slope, middle, Between::Linear);
        let between = interpolate(knots, &self.incidence, middle, Between::LogLinear);
        value + libm::log(incidence / between) / slope
    }
}

fn sample(model: &Model, population: &Population, sex: usize, age: usize) -> Vec<Recruit> {
    let first = FIRST_REFERENCE_PERSON + (sex * AGES + age) as u64 * EVEN_PEOPLE;
    (0..EVEN_PEOPLE).map(|k| even_person(model, population, first + k, k, sex, (age * 12 + 6) as u32)).collect()
}

/// Means and offsets at one age and sex; where a site's incidence cannot be met, its position.
fn means_at(model: &Model, which: usize, sex: usize, age: usize) -> Result<Means, usize> {
    let population = &model.populations[which];
    let mut people = sample(model, population, sex, age);
    let offset_history = offset_history(model, population, sex, age, &people)?;
    let n = people.len() as f64;
    let balance = Balance::<f32>::new(&model.parameters);
    let mut lived: Vec<Lived> = Vec::with_capacity(people.len());
    for group in people.chunks(REFERENCE_LANES) {
        let mut block = Block::<f32, REFERENCE_LANES>::of(model, group.to_vec());
        simulate::live_to_index(model, &balance, &mut block);
        lived.extend((0..group.len()).map(|lane| Lived::of(&block, lane)));
    }

    // Without what earlier fractures bring: this dates them.
    let breaking = |site: usize| population.breaking(&model.fracture_sites, site).at(sex, age);
    let unmoved = vec![0.0; people.len()];
    let (fall_undated, falls) = falls(model, population, sex, age, &lived, &unmoved);
    let all_sites = 0..model.fracture_sites.len();
    let before: Vec<Solved> = all_sites
        .clone()
        .map(|site| solved(model, population, (sex, age, site), &people, &lived, &unmoved, &falls, false))
        .collect::<Result<_, _>>()?;
    let earlier: Vec<Earlier> = (0..people.len())
        .map(|j| earlier_fractures(model, population, &people[j], |site| before[site].hazard[j] / breaking(site)))
        .collect();

    // With it, and with the deformities that people bring.
    people.iter_mut().for_each(|r| r.spine = spine_at_index::spine_at(model, population, r, offset_history.value));
    let instability: Vec<f64> = earlier.iter().map(|e| e.instability).collect();
    let (fall, falls) = self::falls(model, population, sex, age, &lived, &instability);
    let now: Vec<Solved> = all_sites
        .map(|site| solved(model, population, (sex, age, site), &people, &lived, &instability, &falls, true))
        .collect::<Result<_, _>>()?;
    let frailty = Frailty::<f64>::new(&model.parameters);
    let death_ratio = |j: usize| {
        lived[j].death_ratio * frailty.death_ratio(lived[j].frailty + instability[j]) * death_ratio_after(model, sex, &earlier[j])
    };
    let death = (0..people.len()).map(death_ratio).sum::<f64>() / n;
    let offsets = |solved: &[Solved]| solved.iter().map(|s| s.offset).collect();
    Ok(Means { fall, fall_undated, offset: offsets(&now), offset_undated: offsets(&before), offset_history, death })
}

/// Mean ratio of falls, and the falls that everybody of the sample is expected to have in a month.
fn falls(model: &Model, population: &Population, sex: usize, age: usize, lived: &[Lived], instability: &[f64]) -> (f64, Vec<f64>) {
    let ratios: Vec<f64> = lived.iter().zip(instability).map(|(l, x)| l.fall_ratio(model, *x)).collect();
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    (mean, ratios.iter().map(|ratio| expected_falls(population, sex, age, ratio / mean)).collect())
}

/// What was found for one site, and the hazard that everybody of the sample then has.
struct Solved {
    offset: Offset,
    hazard: Vec<f64>,
}

/// Burden and weight of everybody's bone at a site, part by part: a spine has a part for each level.
struct Parts {
    each: usize,
    burden: Vec<f64>,
    weight: Vec<f64>,
}

impl Parts {
    /// `of` gives burden and weight of a person's bone.
    fn new(model: &Model, people: &[Recruit], site: usize, of: impl Fn(usize) -> (f64, f64)) -> Self {
        let of_the_spine = model.fracture_sites[site].of_the_spine;
        let each = if of_the_spine { LEVELS.len() } else { 1 };
        let mut parts = Parts { each, burden: Vec::new(), weight: Vec::new() };
        for (j, r) in people.iter().enumerate() {
            let (burden, weight) = of(j);
            if !of_the_spine {
                parts.burden.push(burden);
                parts.weight.push(weight);
                continue;
            }
            let burden = burden + model.spine.kyphosis_part(r, r.spine, 0);
            for level in 0..LEVELS.len() {
                parts.burden.push(burden + model.spine.levels.part(r.spine, level));
                parts.weight.push(if r.spine.grade(level) == SEVERE { 0.0 } else { weight });
            }
        }
        parts
    }

    /// The offset at which the mean hazard of the people is the incidence.
    fn solve(&self, spread: f64, incidence: f64) -> Option<Offset> {
        Offset::solve(&self.burden, &self.weight, spread, incidence / self.each as f64)
    }

    /// Everybody's hazard.
    fn hazards(&self, spread: f64, offset: f64) -> Vec<f64> {
        let of_part = |(x, w): (&f64, &f64)| w * ((x + offset) / spread).normal_share();
        let of_person = |(x, w): (&[f64], &[f64])| x.iter().zip(w).map(of_part).sum();
        self.burden.chunks(self.each).zip(self.weight.chunks(self.each)).map(of_person).collect()
    }
}

/// The offset of intact spines by what is measured alone: it tells how many deformities people bring.
fn offset_history(model: &Model, population: &Population, sex: usize, age: usize, people: &[Recruit]) -> Result<Offset, usize> {
    let Some(site) = model.spine.site else { return Ok(Offset::NONE) };
    let parts = Parts::new(model, people, site, |j| {
        let measured = Measured::of(model, &people[j], site);
        (measured.demand, measured.ratio)
    });
    parts.solve(model.fracture_sites[site].bone.spread, population.deformity.at(sex, age)).ok_or(site)
}

/// Share of noticed compressions that registers record: what they count against what comes to attention among all.
fn recorded(model: &Model, population: &Population) -> ByAgeAndSex {
    ByAgeAndSex::from_fn(|sex, age| {
        let registered = model.spine.site.map_or(0.0, |site| population.fracture[site].at(sex, age));
        let noticed = population.deformity.at(sex, age) * model.spine.outcome.mean_attention();
        if registered < noticed { registered / noticed } else { 1.0 }
    })
}

#[allow(clippy::too_many_arguments)]
fn solved(
    model: &Model,
    population: &Population,
    (sex, age, site): (usize, usize, usize),
    people: &[Recruit],
    lived: &[Lived],
    instability: &[f64],
    falls: &[f64],
    with_prior_fractures: bool,
) -> Result<Solved, usize> {
    let p_fall = expected_falls(population, sex, age, 1.0);
    let prior = |l: &Lived| if with_prior_fractures { l.prior_fracture } else { 0.0 };
    let parts = Parts::new(model, people, site, |j| {
        let l = &lived[j];
        (l.burden(model, site, instability[j]), l.weight(model, site, falls[j], p_fall, prior(l)))
    });
    let spread = model.fracture_sites[site].bone.spread;
    let offset = parts.solve(spread, population.breaking(&model.fracture_sites, site).at(sex, age)).ok_or(site)?;
    Ok(Solved { offset, hazard: parts.hazards(spread, offset.value) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::normal;

    #[test]
    fn the_mean_hazard_of_people_is_the_incidence_and_its_slope_is_the_derivative() {
        let n = 500;
        let burden: Vec<f64> = (0..n).map(|k| 0.4 * normal::quantile((f64::from(k) + 0.5) / f64::from(n)) - 0.3).collect();
        let weight: Vec<f64> = (0..n).map(|k| 0.02 + 0.0001 * f64::from(k % 7)).collect();
        let mean = |b: f64| burden.iter().zip(&weight).map(|(x, w)| w * ((x + b) / 0.3).normal_share()).sum::<f64>() / f64::from(n);
        for incidence in [1e-7, 1e-5, 1e-3, 0.015] {
            let found = Offset::solve(&burden, &weight, 0.3, incidence).unwrap();
            assert!((mean(found.value) / incidence - 1.0).abs() < 1e-9, "{incidence}");
            let slope = (libm::log(mean(found.value + 1e-5)) - libm::log(mean(found.value - 1e-5))) / 2e-5;
            assert!((found.slope / slope - 1.0).abs() < 1e-5);
        }
        assert_eq!(Offset::solve(&burden, &weight, 0.3, 0.05), None);
    }

    #[test]
    fn between_samples_the_offset_follows_the_incidence_of_the_year() {
        let offsets = OffsetsByAge { value: vec![-1.0, -0.8], slope: vec![5.0, 3.0], incidence: vec![1e-4, 4e-4] };
        let knots = [60.5, 65.5];
        assert_eq!(offsets.at(&knots, 60, 1e-4), -1.0);
        assert_eq!(offsets.at(&knots, 65, 4e-4), -0.8);
        let as_between = interpolate(&knots, &offsets.incidence, 62.5, Between::LogLinear);
        assert!((offsets.at(&knots, 62, as_between) - -0.92).abs() < 1e-12);
        assert!((offsets.at(&knots, 62, 1.1 * as_between) - (-0.92 + libm::log(1.1) / 4.2)).abs() < 1e-12);
        assert!((offsets.at(&knots, 80, 8e-4) - (-0.8 + libm::log(2.0) / 3.0)).abs() < 1e-12);
    }
}
