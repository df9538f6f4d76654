//! Normalization: what makes a population's own people come out at its own rates.
//!
//! Published ratios are against the population or the unexposed; published incidence is of the population as it is. So individual risks of
//! falls and death are divided by their mean over the population, and load is set against strength by an offset at which the mean hazard
//! of a fracture is the incidence that was measured.
//!
//! 1. falls and death: hazard of a person = rate of the population at this age and sex x individual ratio / its mean over the people of
//!    that age and sex
//! 2. fractures: offset b of a site at which the mean over those people of their hazards is the incidence that was measured; for the spine,
//!    of new or worse deformities, with the deformities that people already have
//! 3. between the ages of the reference people (every five years) b lies on the straight line, moved by (how far ln incidence lies from its
//!    own straight line) / (d ln mean / db)
//!
//! The mean is taken over a reference sample of the population itself, recruited and lived to index exactly as a study's people are, with
//! everything that is measured spread evenly over its joint distribution: density, turnover, falls, earlier fractures and risk factors
//! enter with the correlations they have, and nothing is counted twice.
//!
//! Left out: selection after index. The frail die, and those who break a bone break another, so that rates of people who are followed for
//! many years drift from the population's table, past 80 by a tenth and more; before that mostly by less.

use super::offset::{Bones, Offset, OffsetsByAge};
use super::{Model, Normalizers, Population};
use crate::biology::frailty::Frailty;
use crate::biology::remodeling::Balance;
use crate::biology::spine::levels::SEVERE;
use crate::cohort::at_index::{Earlier, Lived, death_ratio_of_earlier, earlier_fractures, expected_falls};
use crate::cohort::history::Block;
use crate::cohort::recruit::{EVEN_PEOPLE, Recruit, even_person};
use crate::cohort::simulate;
use crate::cohort::spine_at_index::{self, Measured};
use crate::error::Problems;
use crate::numeric::cpu::Cpu;
use crate::parameters::LEVELS;
use crate::table::{AGES, Between, ByAgeAndSex, interpolate};
use rayon::prelude::*;

/// Spines that are drawn for each of them: few have many deformities, and they carry much of the hazard.
const SPINES: u32 = 4;
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
    course: [f64; 4],
    /// Share of the compressions that come to clinical attention.
    attention: f64,
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

/// The normalizers that an earlier model has for a population, if all that they rest on is the same: the people, what acts on them, their
/// luck. Cohorts, arms and follow-up are no part of the reference sample.
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
        recorded: recorded(model, population, &table(&|m| m.attention)),
        death: table(&|m| m.death),
        course: std::array::from_fn(|site| table(&|m| m.course[site])),
    })
}

fn sample(model: &Model, population: &Population, sex: usize, age: usize) -> Vec<Recruit> {
    let first = FIRST_REFERENCE_PERSON + (sex * AGES + age) as u64 * EVEN_PEOPLE;
    (0..EVEN_PEOPLE).map(|k| even_person(model, population, first + k, k, sex, (age * 12 + 6) as u32)).collect()
}

/// Means and offsets at one age and sex; where a site's incidence cannot be met, its position.
fn means_at(model: &Model, which: usize, sex: usize, age: usize) -> Result<Means, usize> {
    let population = &model.populations[which];
    let people = sample(model, population, sex, age);
    let offset_history = offset_history(model, population, sex, age, &people)?;
    let balance = Balance::<f32>::new(&model.parameters);
    let mut lived: Vec<Lived> = Vec::with_capacity(people.len());
    let mut ln_relative = [0.0; 4];
    for group in people.chunks(REFERENCE_LANES) {
        let mut block = Block::<f32, REFERENCE_LANES>::of(model, group.to_vec());
        simulate::live_to_index(model, &balance, &mut block);
        lived.extend((0..group.len()).map(|lane| Lived::of(&block, lane)));
        for lane in 0..group.len() {
            let relative = balance.relative_density(&block.person.load(lane), &block.state.load(lane));
            (0..4).for_each(|site| ln_relative[site] += libm::log(f64::from(relative[site])));
        }
    }
    let course = ln_relative.map(|sum| libm::exp(sum / people.len() as f64));
    let cell = Cell { model, population, sex, age, lived };

    // Without what earlier fractures bring: this dates them.
    let unmoved = vec![0.0; people.len()];
    let (fall_undated, falls) = cell.falls(&unmoved);
    let (offset_undated, hazards): (Vec<Offset>, Vec<Vec<f64>>) = (0..model.fracture_sites.len())
        .map(|site| {
            let parts = cell.parts(site, &people, &unmoved, &falls, false);
            let offset = parts.solve(cell.breaking(site)).ok_or(site)?;
            Ok((offset, parts.hazards(offset.value)))
        })
        .collect::<Result<_, usize>>()?;
    let earlier: Vec<Earlier> = (0..people.len())
        .map(|j| earlier_fractures(model, population, &people[j], |site| hazards[site][j] / cell.breaking(site)))
        .collect();

    // With it, and with the deformities that people bring.
    let bring = |draw: u32, r: &Recruit| {
        let mut r = Recruit { attempt: draw, ..r.clone() };
        r.spine = spine_at_index::spine_at(model, population, &r, offset_history.value);
        r
    };
    let brought: Vec<Recruit> = (0..SPINES).flat_map(|draw| people.iter().map(move |r| bring(draw, r))).collect();
    let instability: Vec<f64> = earlier.iter().map(|e| e.instability).collect();
    let (fall, falls) = cell.falls(&instability);
    let mut attention = 1.0;
    let offset = (0..model.fracture_sites.len())
        .map(|site| {
            let of_the_spine = model.fracture_sites[site].of_the_spine;
            let parts = cell.parts(site, if of_the_spine { &brought } else { &people }, &instability, &falls, true);
            let offset = parts.solve(cell.breaking(site)).ok_or(site)?;
            if of_the_spine {
                attention = parts.attention(model, &brought, offset.value);
            }
            Ok(offset)
        })
        .collect::<Result<_, usize>>()?;
    Ok(Means { fall, fall_undated, offset, offset_undated, offset_history, death: cell.death(&earlier), course, attention })
}

/// The reference people of one age and sex, who have lived to index.
struct Cell<'a> {
    model: &'a Model,
    population: &'a Population,
    sex: usize,
    age: usize,
    lived: Vec<Lived>,
}

impl Cell<'_> {
    /// Monthly incidence of what a site's hazard is of.
    fn breaking(&self, site: usize) -> f64 {
        self.population.breaking(&self.model.fracture_sites, site).at(self.sex, self.age)
    }

    /// Mean ratio of falls, and the falls that everybody is expected to have in a month.
    fn falls(&self, instability: &[f64]) -> (f64, Vec<f64>) {
        let ratios: Vec<f64> = self.lived.iter().zip(instability).map(|(l, x)| l.fall_ratio(self.model, *x)).collect();
        let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
        (mean, ratios.iter().map(|ratio| expected_falls(self.population, self.sex, self.age, ratio / mean)).collect())
    }

    /// Everybody's bones at a site; the same people may come several times, one round after the other.
    fn parts(&self, site: usize, people: &[Recruit], instability: &[f64], falls: &[f64], with_prior_fractures: bool) -> Parts {
        let p_fall = expected_falls(self.population, self.sex, self.age, 1.0);
        Parts::new(self.model, people, site, |j| {
            let j = j % self.lived.len();
            let l = &self.lived[j];
            let prior = if with_prior_fractures { l.prior_fracture } else { 0.0 };
            (l.burden(self.model, site, instability[j]), l.weight(self.model, site, falls[j], p_fall, prior))
        })
    }

    /// Mean relative hazard of death.
    fn death(&self, earlier: &[Earlier]) -> f64 {
        let frailty = Frailty::<f64>::new(&self.model.parameters);
        let ratio = |(l, earlier): (&Lived, &Earlier)| {
            l.death_ratio * frailty.death_ratio(l.frailty) * death_ratio_of_earlier(self.model, self.sex, self.age, earlier)
        };
        self.lived.iter().zip(earlier).map(ratio).sum::<f64>() / self.lived.len() as f64
    }
}

/// Everybody's bones at a site, part by part: a spine has a part for each level.
struct Parts {
    cpu: Cpu,
    spread: f64,
    each: usize,
    bones: Bones,
}

impl Parts {
    /// `of` gives burden and weight of a person's bone.
    fn new(model: &Model, people: &[Recruit], site: usize, of: impl Fn(usize) -> (f64, f64)) -> Self {
        let of_the_spine = model.fracture_sites[site].of_the_spine;
        let each = if of_the_spine { LEVELS.len() } else { 1 };
        let mut bones = Bones::default();
        for (j, r) in people.iter().enumerate() {
            let (burden, weight) = of(j);
            if !of_the_spine {
                bones.push(burden, weight);
                continue;
            }
            let burden = burden + model.spine.kyphosis_part(r, r.spine, 0);
            for level in 0..LEVELS.len() {
                let open = r.spine.grade(level) != SEVERE;
                bones.push(burden + model.spine.levels.part(r.spine, level), if open { weight } else { 0.0 });
            }
        }
        Parts { cpu: model.cpu, spread: model.fracture_sites[site].bone.spread, each, bones }
    }

    /// The offset at which the mean hazard of the people is the incidence.
    fn solve(&self, incidence: f64) -> Option<Offset> {
        self.bones.solve(self.cpu, self.spread, incidence / self.each as f64)
    }

    /// Share of the compressions of these spines that come to clinical attention: where a level gives way again, it is worse.
    fn attention(&self, model: &Model, people: &[Recruit], offset: f64) -> f64 {
        let by_grade: [f64; SEVERE as usize + 1] = std::array::from_fn(|before| model.spine.outcome.attention_at(before as u8));
        let (mut noticed, mut all) = (0.0, 0.0);
        for (of_person, r) in self.bones.hazards(self.cpu, self.spread, offset).chunks(self.each).zip(people) {
            for (level, hazard) in of_person.iter().enumerate() {
                noticed += hazard * by_grade[usize::from(r.spine.grade(level))];
                all += hazard;
            }
        }
        noticed / all
    }

    /// Everybody's hazard.
    fn hazards(&self, offset: f64) -> Vec<f64> {
        let of_bones = self.bones.hazards(self.cpu, self.spread, offset);
        of_bones.chunks(self.each).map(|of_person| of_person.iter().sum()).collect()
    }
}

/// The offset of intact spines by what is measured alone: it tells how many deformities people bring.
fn offset_history(model: &Model, population: &Population, sex: usize, age: usize, people: &[Recruit]) -> Result<Offset, usize> {
    let Some(site) = model.spine.site else { return Ok(Offset::NONE) };
    let parts = Parts::new(model, people, site, |j| {
        let measured = Measured::of(model, &people[j], site);
        (measured.demand, measured.ratio)
    });
    parts.solve(population.deformity.at(sex, age)).ok_or(site)
}

/// Share of noticed compressions that registers record: what they count against what comes to attention among all.
fn recorded(model: &Model, population: &Population, attention: &ByAgeAndSex) -> ByAgeAndSex {
    ByAgeAndSex::from_fn(|sex, age| {
        let registered = model.spine.site.map_or(0.0, |site| population.fracture[site].at(sex, age));
        let noticed = population.deformity.at(sex, age) * attention.at(sex, age);
        if registered < noticed { registered / noticed } else { 1.0 }
    })
}
