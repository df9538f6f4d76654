//! Medicines in bone: bisphosphonate binds to the surface, inhibits resorption there, is buried as new bone covers it, and comes
//! back when that bone is resorbed.
//!
//! Equations (Z1 at the surface, Z2 buried, in units of the half-effect amount; R resorption; u uptake per year):
//!
//! 1. inhibition = 1 - E Z1 / (1 + Z1)
//! 2. Z1' = u + release R Z2 - (elimination + burial) Z1
//! 3. Z2' = burial Z1 - release R Z2
//!
//! The pools are effective, not milligrams. Two pools cannot follow single doses within weeks. Exponents are exact within a step in which R is held.

use crate::numeric::Scalar;
use crate::parameters::Parameters;

/// Constants of this system in the kernel's precision.
#[derive(Clone, Copy, Debug)]
pub struct Medicines<S> {
    max_inhibition: S,
    leaving: S,
    per_leaving: S,
    burial: S,
    release: S,
}

/// Smallest release rate that is divided by.
const LEAST_RELEASE: f64 = 1.0e-9;

impl<S: Scalar> Medicines<S> {
    /// Takes the constants from the parameters.
    pub fn new(p: &Parameters) -> Self {
        let m = &p.medicines;
        let leaving = m.bisphosphonate_elimination + m.bisphosphonate_burial;
        Medicines {
            max_inhibition: S::of(m.bisphosphonate_max_inhibition),
            leaving: S::of(leaving),
            per_leaving: S::of(1.0 / leaving),
            burial: S::of(m.bisphosphonate_burial),
            release: S::of(m.bisphosphonate_release),
        }
    }

    /// Equation 1: what is left of resorption.
    #[inline(always)]
    pub fn resorption_left(&self, surface: S) -> S {
        S::ONE - self.max_inhibition * surface / (S::ONE + surface)
    }

    /// Equations 2 and 3 over `years` of constant uptake and resorption: (surface, buried).
    #[inline(always)]
    pub fn pools_after(&self, surface: S, buried: S, uptake: S, resorption: S, years: S) -> (S, S) {
        let release = self.release * resorption;
        let surface_target = (uptake + release * buried) * self.per_leaving;
        let surface_after = surface + (surface_target - surface) * (self.leaving * years).closed_share();
        let surface_mean = S::HALF * (surface + surface_after);
        let buried_target = self.burial * surface_mean / release.at_least(S::of(LEAST_RELEASE));
        let buried_after = buried + (buried_target - buried) * (release * years).closed_share();
        (surface_after, buried_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_parameters;

    #[test]
    fn without_uptake_the_pools_stay_empty_to_the_last_bit() {
        let m = Medicines::<f32>::new(&test_parameters());
        assert_eq!(m.pools_after(0.0, 0.0, 0.0, 1.3, 1.0 / 12.0), (0.0, 0.0));
        assert_eq!(m.resorption_left(0.0), 1.0);
    }

    #[test]
    fn drug_is_neither_made_nor_lost_but_for_elimination() {
        // At steady resorption, over many short steps: uptake = change of both pools + eliminated.
        let p = test_parameters();
        let m = Medicines::<f64>::new(&p);
        let (mut surface, mut buried, mut eliminated) = (0.0, 0.0, 0.0);
        let (uptake, years, steps) = (40.0, 1.0 / 1200.0, 1200);
        for _ in 0..steps {
            let before = surface;
            (surface, buried) = m.pools_after(surface, buried, uptake, 0.5, years);
            eliminated += p.medicines.bisphosphonate_elimination * 0.5 * (before + surface) * years;
        }
        let total = surface + buried + eliminated;
        assert!((total / uptake - 1.0).abs() < 2e-3, "{total}");
    }
}
