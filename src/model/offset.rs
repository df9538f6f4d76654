//! The offset of load against strength at which the people of a population break as often as was measured.
//!
//! It is solved on a reference sample ([`super::normalize`]) at some ages; other ages lie between them.

use crate::numeric::Scalar;
use crate::numeric::cpu::{Cpu, on_cpu};
use crate::numeric::normal;
use crate::table::{Between, interpolate};

/// Bones that are evaluated together.
const LANES: usize = 64;

/// Bones of a reference sample at one site: what loads each, how much each counts.
#[derive(Clone, Debug, Default)]
pub struct Bones {
    /// ln(load / strength) without the offset; rows of so many bones, the last one filled up with bones of weight 0.
    burden: Vec<[f64; LANES]>,
    weight: Vec<[f64; LANES]>,
    n: usize,
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
    pub const NONE: Offset = Offset { value: 0.0, slope: 1.0 };
}

impl Bones {
    /// One bone more.
    pub fn push(&mut self, burden: f64, weight: f64) {
        let lane = self.n % LANES;
        if lane == 0 {
            self.burden.push([0.0; LANES]);
            self.weight.push([0.0; LANES]);
        }
        let last = self.burden.len() - 1;
        (self.burden[last][lane], self.weight[last][lane]) = (burden, weight);
        self.n += 1;
    }

    /// Weight x (share of a standard normal population below (burden + b) / spread) of every bone, in order.
    pub fn hazards(&self, cpu: Cpu, spread: f64, offset: f64) -> Vec<f64> {
        let mut all = Vec::with_capacity(self.burden.len() * LANES);
        for (burden, weight) in self.burden.iter().zip(&self.weight) {
            let (mut hazard, mut density) = ([0.0; LANES], [0.0; LANES]);
            hazards(cpu, burden, weight, offset, spread, &mut hazard, &mut density);
            all.extend(hazard);
        }
        all.truncate(self.n);
        all
    }

    /// Mean hazard and its derivative. Summed in the order of the bones, so that every instruction level gives the same bits.
    fn mean(&self, cpu: Cpu, spread: f64, offset: f64) -> (f64, f64) {
        let (mut mean, mut slope) = (0.0, 0.0);
        for (burden, weight) in self.burden.iter().zip(&self.weight) {
            let (mut hazard, mut density) = ([0.0; LANES], [0.0; LANES]);
            hazards(cpu, burden, weight, offset, spread, &mut hazard, &mut density);
            mean += hazard.iter().sum::<f64>();
            slope += density.iter().sum::<f64>();
        }
        (mean / self.n as f64, slope / (spread * self.n as f64))
    }

    /// Solves mean hazard = `incidence`; `None` if no offset does.
    pub fn solve(&self, cpu: Cpu, spread: f64, incidence: f64) -> Option<Offset> {
        // ln of the mean rises with b from minus infinity to ln(mean weight): an interval that holds the root is halved unless Newton's
        // step is better.
        const WIDEST: f64 = 50.0;
        const STEPS: usize = 200;
        const CLOSE: f64 = 1e-8; // of the last step: the next one would be its square
        let weight = self.weight.iter().flatten().sum::<f64>() / self.n as f64;
        if weight <= incidence * 1.001 {
            return None;
        }
        let (mut low, mut high) = (-WIDEST, WIDEST);
        let mut b = self.near(spread, incidence / weight).clamp(low, high);
        for _ in 0..STEPS {
            let (mean, slope) = self.mean(cpu, spread, b);
            if mean < incidence {
                low = b;
            } else {
                high = b;
            }
            let newton = b - libm::log(mean / incidence) * mean / slope;
            let next = if low < newton && newton < high { newton } else { 0.5 * (low + high) };
            if (next - b).abs() <= CLOSE * (1.0 + b.abs()) {
                return Some(Offset { value: next, slope: slope / mean });
            }
            b = next;
        }
        None
    }

    /// The offset if burdens were normal and as heavy as they count: then the share that breaks is that of a wider normal distribution.
    fn near(&self, spread: f64, share: f64) -> f64 {
        let bones = || self.burden.iter().flatten().take(self.n);
        let mean = bones().sum::<f64>() / self.n as f64;
        let variance = bones().map(|x| (x - mean) * (x - mean)).sum::<f64>() / self.n as f64;
        libm::sqrt(spread * spread + variance) * normal::quantile(share.clamp(1e-300, 1.0 - 1e-9)) - mean
    }
}

on_cpu! {
    /// Hazards and their derivatives by (burden + offset) / spread.
    fn each_hazard<S, const L: usize>(burden: &[S; L], weight: &[S; L], offset: S, per_spread: S,
        hazard: &mut [S; L], density: &mut [S; L]) -> () = each;
}

fn hazards(
    cpu: Cpu,
    burden: &[f64; LANES],
    weight: &[f64; LANES],
    offset: f64,
    spread: f64,
    hazard: &mut [f64; LANES],
    density: &mut [f64; LANES],
) {
    each_hazard(cpu, burden, weight, offset, 1.0 / spread, hazard, density);
}

#[inline(always)]
fn each<S: Scalar, const L: usize>(burden: &[S; L], weight: &[S; L], offset: S, per_spread: S, hazard: &mut [S; L], density: &mut [S; L]) {
    const PER_ROOT_OF_TWO_PI: f64 = 0.398_942_280_401_432_7;
    for lane in 0..L {
        let q = (burden[lane] + offset) * per_spread;
        hazard[lane] = weight[lane] * q.normal_share();
        // Written as `normal_share` has it, so that the exponential is taken once.
        let t = if q < S::ZERO { -q } else { q };
        density[lane] = weight[lane] * (S::of(PER_ROOT_OF_TWO_PI) * (-S::HALF * t * t).exp());
    }
}

/// Offsets of one sex at the ages of the samples.
pub struct OffsetsByAge {
    /// At the ages of the samples.
    pub value: Vec<f64>,
    /// Slopes there.
    pub slope: Vec<f64>,
    /// The population's incidence there.
    pub incidence: Vec<f64>,
}

impl OffsetsByAge {
    /// At a completed year of age: between the samples the offset follows the incidence of the year itself, not only that of the samples.
    pub fn at(&self, knots: &[f64], age: usize, incidence: f64) -> f64 {
        let middle = age as f64 + 0.5;
        let value = interpolate(knots, &self.value, middle, Between::Linear);
        let slope = interpolate(knots, &self.slope, middle, Between::Linear);
        let between = interpolate(knots, &self.incidence, middle, Between::LogLinear);
        value + libm::log(incidence / between) / slope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_hazard_of_people_is_the_incidence_and_its_slope_is_the_derivative() {
        let n = 500;
        let burden: Vec<f64> = (0..n).map(|k| 0.4 * normal::quantile((f64::from(k) + 0.5) / f64::from(n)) - 0.3).collect();
        let weight: Vec<f64> = (0..n).map(|k| 0.02 + 0.0001 * f64::from(k % 7)).collect();
        let mut bones = Bones::default();
        burden.iter().zip(&weight).for_each(|(x, w)| bones.push(*x, *w));
        let mean = |b: f64| burden.iter().zip(&weight).map(|(x, w)| w * ((x + b) / 0.3).normal_share()).sum::<f64>() / f64::from(n);
        for incidence in [1e-7, 1e-5, 1e-3, 0.015] {
            let found = bones.solve(Cpu::Baseline, 0.3, incidence).unwrap();
            assert!((mean(found.value) / incidence - 1.0).abs() < 1e-9, "{incidence}");
            let slope = (libm::log(mean(found.value + 1e-5)) - libm::log(mean(found.value - 1e-5))) / 2e-5;
            assert!((found.slope / slope - 1.0).abs() < 1e-5);
        }
        assert_eq!(bones.solve(Cpu::Baseline, 0.3, 0.05), None);
        for cpu in Cpu::available() {
            assert_eq!(bones.solve(cpu, 0.3, 1e-3), bones.solve(Cpu::Baseline, 0.3, 1e-3));
        }
        let hazards = bones.hazards(Cpu::Baseline, 0.3, -0.2);
        assert!(hazards.len() == 500 && (hazards.iter().sum::<f64>() / 500.0 / mean(-0.2) - 1.0).abs() < 1e-12);
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
