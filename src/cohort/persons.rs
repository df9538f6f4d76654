//! People of a user's own file: what is known of them, who of them is person n, and what is drawn where nothing is known.
//!
//! 1. Which row: rows of the cohort's sexes and ages lie side by side, each as long as its weight. Of N people, person n is the one at
//!    (n + 1/2) / N of the whole length, so that every row is there as often as its weight says, to within one; candidates after the
//!    first, who are screened where there are entry rules, are drawn at random.
//! 2. What is not known is drawn from the latent normal numbers of the population given those that are known (`numeric::conditional`):
//!    a known value is its own distribution inverted at the person's sex and age, no further than the widest number of a recruit; a
//!    known yes or no, and a value at the floor of its distribution (no activity), say on which side of a bound the number lies.
//! 3. Known values are then used exactly as given. Ages in whole years get a month of birth at random, as everybody's; others are exact.
//!
//! Left out: that what a survey could not measure may differ from what it measured in ways that nothing known tells.

use std::collections::BTreeMap;

use crate::cohort::recruit::{self, WIDEST};
use crate::error::Problems;
use crate::model::{CHARACTERISTICS, PRIOR_FRACTURE, Population, Transform};
use crate::numeric::conditional::{Conditional, Known};
use crate::numeric::normal;
use crate::random::{Luck, Recruiting};

/// Columns of one file: name -> values, NaN where nothing is known.
pub type Columns = BTreeMap<String, Vec<f64>>;

/// Columns that are not characteristics.
const SEX: &str = "sex";
const AGE: &str = "age";
const WEIGHT: &str = "weight";
/// Most patterns of what is known whose factor is kept; those beyond are factored at each draw.
const MOST_PATTERNS: usize = 4096;
/// A correlation must stay positive definite with this taken from its diagonal, so that it can be factored in any order.
const SINGULAR: f64 = 1e-9;
/// Prevalences this near 0 or 1 count as this, so that what is known against all odds still has a place in the distribution.
const RAREST: f64 = 1e-6;
/// Months are complete when they are up to this; ages given as decimals are rounded.
const MONTH_TOLERANCE: f64 = 1e-6;

/// People of a file who belong to a cohort.
#[derive(Clone, Debug, PartialEq)]
pub struct Persons {
    /// Sex of each row of the file, 0 women, 1 men.
    sex: Vec<usize>,
    /// Age of each row, years.
    age: Vec<f64>,
    whole_years: bool,
    /// Numbers that each row may know: continuous characteristics, prior fracture, risk factors.
    width: usize,
    /// `width` values for each row; NaN where nothing is known.
    values: Vec<f64>,
    /// Rows of the cohort's sexes and ages with a weight, and the share of all weight up to each.
    eligible: Vec<(u32, f64)>,
    /// What each pattern of (sex, exact, bounded) is drawn from.
    patterns: BTreeMap<(usize, u64, u64), Conditional>,
}

/// What is known and drawn of a person at index.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Row of the file, from 0.
    pub row: usize,
    /// 0 women, 1 men.
    pub sex: usize,
    /// Age, months.
    pub age_months: u32,
    /// Continuous characteristics.
    pub values: [f64; CHARACTERISTICS.len()],
    /// Prior fracture, then risk factors.
    pub present: Vec<bool>,
}

impl Persons {
    /// Of the columns of a file, for a cohort of certain sexes and ages (completed years, both included). Notes every mistake.
    pub fn new(
        columns: &Columns,
        population: &Population,
        factor_ids: &[&str],
        (sexes, ages): ([bool; 2], (usize, usize)),
        place: &str,
        problems: &mut Problems,
    ) -> Option<Self> {
        let before = problems.0.len();
        let known: Vec<&str> =
            CHARACTERISTICS.iter().map(|(id, _)| *id).chain([PRIOR_FRACTURE]).chain(factor_ids.iter().copied()).collect();
        check_columns(columns, &known, place, problems);
        if problems.0.len() > before {
            return None;
        }
        let rows = columns[SEX].len();
        check_cells(columns, &known, place, problems);
        if population.factor.iter().any(|factor| nearly_singular(factor)) {
            problems.add(place, "a correlation of its population that is nearly singular", "one that can be drawn from in any order");
        }
        let sex: Vec<usize> = columns[SEX].iter().map(|x| usize::from(*x == 1.0)).collect();
        let age = columns[AGE].clone();
        let inside = |row: usize| sexes[sex[row]] && (ages.0..=ages.1).contains(&(age[row] as usize));
        let weight = |row: usize| columns.get(WEIGHT).map_or(1.0, |weights| weights[row]);
        let mut total = 0.0;
        let mut eligible = Vec::new();
        for row in (0..rows).filter(|row| inside(*row) && weight(*row) > 0.0) {
            total += weight(row);
            eligible.push((row as u32, total));
        }
        if eligible.is_empty() {
            problems.add(place, format!("nobody of the cohort's sexes, aged {} to {}", ages.0, ages.1), "a row with a weight");
        }
        if problems.0.len() > before {
            return None;
        }
        eligible.iter_mut().for_each(|(_, sum)| *sum /= total);
        let values = (0..rows).flat_map(|row| known.iter().map(move |id| columns.get(*id).map_or(f64::NAN, |c| c[row]))).collect();
        let whole_years = age.iter().all(|x| x.fract() == 0.0);
        let mut persons = Persons { sex, age, whole_years, width: known.len(), values, eligible, patterns: BTreeMap::new() };
        persons.factor_patterns(population);
        Some(persons)
    }

    /// Each sex and completed years of age of the rows that belong to the cohort, with the share of all weight up to it.
    pub fn cells(&self) -> Vec<(usize, usize, f64)> {
        let mut cells: BTreeMap<(usize, usize), f64> = BTreeMap::new();
        let mut before = 0.0;
        for (row, share) in &self.eligible {
            *cells.entry((self.sex[*row as usize], self.age[*row as usize] as usize)).or_default() += share - before;
            before = *share;
        }
        let mut sum = 0.0;
        let up_to = |((sex, age), share): (&(usize, usize), &f64)| {
            sum += share;
            (*sex, *age, sum)
        };
        cells.iter().map(up_to).collect()
    }

    /// Equation 1: which row person n of `people` is.
    pub fn row(&self, luck: Luck, people: u64, person: u64, attempt: u32) -> usize {
        let position = if attempt == 0 && person < people {
            (person as f64 + 0.5) / people as f64
        } else {
            luck.once(person, attempt, Recruiting::FileRow as u32)
        };
        let k = self.eligible.partition_point(|(_, share)| *share <= position).min(self.eligible.len() - 1);
        self.eligible[k].0 as usize
    }

    /// A person of the file, with all that is not known of them drawn from the population.
    pub fn find(&self, population: &Population, luck: Luck, people: u64, person: u64, attempt: u32) -> Found {
        let once = |decision: u32| luck.once(person, attempt, decision);
        let row = self.row(luck, people, person, attempt);
        let sex = self.sex[row];
        let within_year = if self.whole_years {
            (once(Recruiting::BirthMonth as u32) * 12.0) as u32
        } else {
            (self.age[row].fract() * 12.0 + MONTH_TOLERANCE) as u32
        };
        let age_months = self.age[row] as u32 * 12 + within_year;
        let cells = self.cells_of(row);
        let known = known(population, sex, age_months, cells);
        let key = self.pattern(population, row);
        let of_pattern = |c: &Conditional| c.draw(&known, |k| once(Recruiting::Characteristic as u32 + k as u32));
        let z = match self.patterns.get(&key) {
            Some(conditional) => of_pattern(conditional),
            None => of_pattern(&conditional(population, key)),
        };
        let age = f64::from(age_months) / 12.0;
        let mut values = [0.0; CHARACTERISTICS.len()];
        for (k, d) in population.characteristics.iter().enumerate() {
            values[k] = if cells[k].is_nan() { recruit::value(d, sex, age, z[k].clamp(-WIDEST, WIDEST)) } else { cells[k] };
        }
        let present = (CHARACTERISTICS.len()..self.width)
            .map(|k| match cells[k] {
                yes if yes.is_nan() => {
                    recruit::is_present(population, k - CHARACTERISTICS.len(), sex, age_months, z[k].clamp(-WIDEST, WIDEST))
                }
                yes => yes == 1.0,
            })
            .collect();
        Found { row, sex, age_months, values, present }
    }

    fn cells_of(&self, row: usize) -> &[f64] {
        &self.values[row * self.width..(row + 1) * self.width]
    }

    /// Sex of a row, and which of its numbers are known exactly and which by a bound, bit by bit.
    fn pattern(&self, population: &Population, row: usize) -> (usize, u64, u64) {
        let (mut exact, mut bounded) = (0, 0);
        for (k, x) in self.cells_of(row).iter().enumerate().filter(|(_, x)| !x.is_nan()) {
            match population.characteristics.get(k) {
                Some(d) if !at_floor(d.transform, *x) => exact |= 1 << k,
                _ => bounded |= 1 << k,
            }
        }
        (self.sex[row], exact, bounded)
    }

    fn factor_patterns(&mut self, population: &Population) {
        for k in 0..self.eligible.len() {
            let key = self.pattern(population, self.eligible[k].0 as usize);
            if self.patterns.len() == MOST_PATTERNS {
                return;
            }
            self.patterns.entry(key).or_insert_with(|| conditional(population, key));
        }
    }
}

fn conditional(population: &Population, (sex, exact, bounded): (usize, u64, u64)) -> Conditional {
    Conditional::new(&population.factor[sex], exact, bounded).expect("checked not to be nearly singular")
}

/// Equation 2: what the cells of a row say of the latent normal numbers.
fn known(population: &Population, sex: usize, age_months: u32, cells: &[f64]) -> Vec<Known> {
    let age = f64::from(age_months) / 12.0;
    let of_value = |k: usize, x: f64| {
        let d = &population.characteristics[k];
        let z = recruit::latent(d, sex, age, x).clamp(-WIDEST, WIDEST);
        if at_floor(d.transform, x) { Known::AtMost(z) } else { Known::At(z) }
    };
    let of_yes_or_no = |k: usize, x: f64| {
        let prevalence = population.prevalence[k].at(sex, age_months as usize / 12).clamp(RAREST, 1.0 - RAREST);
        let bound = -normal::quantile(prevalence);
        if x == 1.0 { Known::Above(bound) } else { Known::AtMost(bound) }
    };
    let continuous = CHARACTERISTICS.len();
    let of = |(k, x): (usize, &f64)| match *x {
        x if x.is_nan() => Known::Nothing,
        x if k < continuous => of_value(k, x),
        x => of_yes_or_no(k - continuous, x),
    };
    cells.iter().enumerate().map(of).collect()
}

/// Whether a value only says that the latent number is low: distributions end at 0 where they would go below.
fn at_floor(transform: Transform, x: f64) -> bool {
    matches!(transform, Transform::Identity | Transform::Log1p) && x <= 0.0
}

fn nearly_singular(factor: &[Vec<f64>]) -> bool {
    let of = |i: usize, j: usize| factor[i].iter().zip(&factor[j]).map(|(a, b)| a * b).sum::<f64>() - if i == j { SINGULAR } else { 0.0 };
    let n = factor.len();
    let reduced: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| of(i, j)).collect()).collect();
    normal::cholesky(&reduced).is_none()
}

fn check_columns(columns: &Columns, known: &[&str], place: &str, problems: &mut Problems) {
    for name in [SEX, AGE].iter().filter(|name| !columns.contains_key(**name)) {
        problems.add(place, format!("no column {name:?}"), "sex and age of everybody");
    }
    for name in columns.keys().filter(|name| ![SEX, AGE, WEIGHT].contains(&name.as_str()) && !known.contains(&name.as_str())) {
        problems.add(place, format!("no characteristic {name:?}"), known.join(", "));
    }
    let rows = columns.get(SEX).map_or(0, Vec::len);
    if columns.values().any(|column| column.len() != rows) || rows == 0 || rows > u32::MAX as usize {
        let lengths: Vec<String> = columns.iter().map(|(name, column)| format!("{name} {}", column.len())).collect();
        problems.add(place, format!("rows: {}", lengths.join(", ")), "as many in every column, at least one");
    }
}

fn check_cells(columns: &Columns, known: &[&str], place: &str, problems: &mut Problems) {
    for (name, column) in columns {
        let continuous = CHARACTERISTICS.iter().any(|(id, _)| id == name);
        let (needed, good): (&str, fn(f64) -> bool) = match name.as_str() {
            SEX => ("0 or 1", |x| x == 0.0 || x == 1.0),
            AGE => ("an age from 0 to 120 years", |x| (0.0..=120.0).contains(&x)),
            WEIGHT => ("a finite number, 0 or more", |x| x.is_finite() && x >= 0.0),
            _ if continuous => ("a finite number, or NaN", |x| !x.is_infinite()),
            _ => ("0, 1 or NaN", |x| x.is_nan() || x == 0.0 || x == 1.0),
        };
        if let Some((row, x)) = column.iter().enumerate().find(|(_, x)| !good(**x)) {
            problems.add(format!("{place}.{name}[{row}]"), x.to_string(), needed);
        }
        debug_assert!([SEX, AGE, WEIGHT].contains(&name.as_str()) || known.contains(&name.as_str()));
    }
}

#[cfg(test)]
mod tests;
