//! Medicines in the body: how much of each class is there, and what it does to the cells.
//!
//! Four classes have pools of their own. Which medicine belongs to which class, and at which dose, is data (`data/medicines`).
//!
//! - **Bisphosphonates** bind to the surface, stop resorption there, are buried as new bone covers them, and come back when that bone is resorbed.
//! - **RANKL antibody** blocks the drive of resorption while it circulates; what it holds back piles up as precursors ([`super::remodeling`], equation 2).
//! - **Sclerostin antibody** stimulates modelling and holds resorption down; the skeleton adapts, and what has adapted drives resorption when the
//!   antibody goes.
//! - **PTH analogues** stimulate modelling at once and resorption with a delay; to the second, tolerance builds up. Cortical bone is resorbed more.
//!
//! Equations (Z1, Z2 bisphosphonate at the surface and buried, in half-effect amounts; D antibody in doses of 60 mg; X sclerostin antibody and
//! A adaptation to it; B rebound, T, Q resorption signal of PTH analogues and tolerance; R resorption; z individual sensitivity):
//!
//! 1. what bisphosphonate leaves of resorption = 1 - E Z1 / (1 + Z1)
//! 2. Z1' = z u + release R Z2 - (elimination + burial) Z1; a dose adds z x its amount to Z1
//! 3. Z2' = burial Z1 - release R Z2 (the release rate is held above 1e-9, so that it can be divided by)
//! 4. what RANKL antibody leaves of the drive = 1 - Dmax z D / (z D + D50); D' = -elimination D; a dose adds its amount
//! 5. what sclerostin antibody makes of the drive = max(floor, 1 - s X) [1 + r (A X + B)]; A' = kA (X - A); B' = kB [A (1 - X)+ - B]: while the antibody is
//!    there, adaptation wears its effect off; when it goes, what has adapted drives resorption with a delay;
//!    refilling falls to max(floor, 1 - f A): what has adapted also holds formation down
//! 6. PTH signal Te = T max(0, 1 - tol Q) x what RANKL antibody leaves (the extra RANKL is bound like the rest); T' = kT (dose - T); Q' = kQ (T - Q);
//!    it multiplies the drive by 1 + g Te, cortical resorption by 1 + c Te
//! 7. stimulus of modelling s = response (wX X + wT x dose of PTH analogue)
//!
//! Left out: pharmacokinetics within days; antibodies against medicines; interactions other than those that follow from the cells. The pools are
//! effective, not milligrams; those of bisphosphonate are weakly identified by the data.

use crate::numeric::Scalar;
use crate::numeric::relaxation::{Pull, pull};
use crate::parameters::Parameters;

/// Constants of this system in the kernel's precision.
#[derive(Clone, Copy, Debug)]
pub struct Medicines<S> {
    max_inhibition: S,
    leaving: S,
    per_leaving: S,
    burial: S,
    release: S,
    max_blockade: S,
    half_effect: S,
    elimination: S,
    sclerostin_inhibition: S,
    sclerostin_stimulus: S,
    sclerostin_rebound: S,
    sclerostin_formation_loss: S,
    sclerostin_rate: S,
    sclerostin_rebound_rate: S,
    pth_stimulus: S,
    pth_gain: S,
    pth_rate: S,
    pth_tolerance: S,
    pth_tolerance_rate: S,
    pth_cortical: S,
    floor: S,
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
            max_blockade: S::of(m.antibody_max_blockade),
            half_effect: S::of(m.antibody_half_effect),
            elimination: S::of(m.antibody_elimination),
            sclerostin_inhibition: S::of(m.sclerostin_resorption_inhibition),
            sclerostin_stimulus: S::of(m.sclerostin_formation_stimulus),
            sclerostin_rebound: S::of(m.sclerostin_rebound_gain),
            sclerostin_formation_loss: S::of(m.sclerostin_formation_adaptation),
            sclerostin_rate: S::of(m.sclerostin_adaptation_rate),
            sclerostin_rebound_rate: S::of(m.sclerostin_rebound_rate),
            pth_stimulus: S::of(m.pth_formation_stimulus),
            pth_gain: S::of(m.pth_resorption_gain),
            pth_rate: S::of(m.pth_resorption_rate),
            pth_tolerance: S::of(m.pth_tolerance),
            pth_tolerance_rate: S::of(m.pth_tolerance_rate),
            pth_cortical: S::of(m.pth_cortical_resorption),
            floor: S::of(p.remodeling.inhibition_floor),
        }
    }

    /// Equation 1: what bisphosphonate leaves of resorption.
    #[inline(always)]
    pub fn resorption_left(&self, surface: S) -> S {
        S::ONE - self.max_inhibition * surface / (S::ONE + surface)
    }

    /// Equation 2: pull of the surface pool.
    #[inline(always)]
    pub fn surface_pull(&self, buried: S, uptake: S, resorption: S) -> Pull<S> {
        pull(self.leaving, (uptake + self.release * resorption * buried) * self.per_leaving)
    }

    /// Equation 3: pull of the buried pool.
    #[inline(always)]
    pub fn buried_pull(&self, surface: S, resorption: S) -> Pull<S> {
        let release = (self.release * resorption).at_least(S::of(LEAST_RELEASE));
        pull(release, self.burial * surface / release)
    }

    /// Equation 4: what RANKL antibody leaves of the drive.
    #[inline(always)]
    pub fn drive_left_by_antibody(&self, antibody: S, sensitivity: S) -> S {
        let felt = antibody * sensitivity;
        S::ONE - self.max_blockade * felt / (felt + self.half_effect)
    }

    /// Equation 4: pull of the antibody.
    #[inline(always)]
    pub fn antibody_pull(&self) -> Pull<S> {
        pull(self.elimination, S::ZERO)
    }

    /// Equation 5: what sclerostin antibody, and adaptation to it, make of the drive.
    #[inline(always)]
    pub fn drive_under_sclerostin_antibody(&self, antibody: S, adaptation: S, rebound: S) -> S {
        (S::ONE - self.sclerostin_inhibition * antibody).at_least(self.floor)
            * (S::ONE + self.sclerostin_rebound * (adaptation * antibody + rebound))
    }

    /// Equation 5: what adaptation to sclerostin antibody leaves of refilling.
    #[inline(always)]
    pub fn refilling_left_by_adaptation(&self, adaptation: S) -> S {
        (S::ONE - self.sclerostin_formation_loss * adaptation).at_least(self.floor)
    }

    /// Equation 5: pulls of the adaptation and of the rebound.
    #[inline(always)]
    pub fn adaptation_pulls(&self, antibody: S, adaptation: S) -> (Pull<S>, Pull<S>) {
        let without = (S::ONE - antibody).at_least(S::ZERO);
        (pull(self.sclerostin_rate, antibody), pull(self.sclerostin_rebound_rate, adaptation * without))
    }

    /// Equation 6: the resorption signal of PTH analogues that tolerance and RANKL antibody leave.
    #[inline(always)]
    pub fn pth_signal(&self, signal: S, tolerance: S, left_by_antibody: S) -> S {
        signal * (S::ONE - self.pth_tolerance * tolerance).at_least(S::ZERO) * left_by_antibody
    }

    /// Equation 6: by how much that signal multiplies the drive.
    #[inline(always)]
    pub fn drive_under_pth(&self, signal: S) -> S {
        S::ONE + self.pth_gain * signal
    }

    /// Equation 6: by how much it multiplies cortical resorption beyond that.
    #[inline(always)]
    pub fn cortical_resorption(&self, signal: S) -> S {
        S::ONE + self.pth_cortical * signal
    }

    /// Equation 6: pulls of the signal and of tolerance.
    #[inline(always)]
    pub fn pth_pulls(&self, dose: S, signal: S) -> (Pull<S>, Pull<S>) {
        (pull(self.pth_rate, dose), pull(self.pth_tolerance_rate, signal))
    }

    /// Equation 7: stimulus of modelling.
    #[inline(always)]
    pub fn stimulus(&self, sclerostin_antibody: S, pth_analogue: S, response: S) -> S {
        (self.sclerostin_stimulus * sclerostin_antibody + self.pth_stimulus * pth_analogue) * response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_parameters;
    use crate::numeric::relaxation::exponential_midpoint;

    fn pools(m: &Medicines<f64>, pools: [f64; 2], uptake: f64, resorption: f64, years: f64) -> [f64; 2] {
        exponential_midpoint(&pools, 0.0, years, &|x: &[f64; 2], _| {
            [m.surface_pull(x[1], uptake, resorption), m.buried_pull(x[0], resorption)]
        })
        .0
    }

    #[test]
    fn without_a_dose_every_pool_stays_empty_and_changes_nothing_to_the_last_bit() {
        let m = Medicines::<f64>::new(&test_parameters());
        assert_eq!(pools(&m, [0.0, 0.0], 0.0, 1.3, 1.0 / 12.0), [0.0, 0.0]);
        assert_eq!(m.resorption_left(0.0), 1.0);
        assert_eq!(m.drive_left_by_antibody(0.0, 1.0), 1.0);
        assert_eq!(m.drive_under_sclerostin_antibody(0.0, 0.0, 0.0), 1.0);
        assert_eq!(m.drive_under_pth(m.pth_signal(0.0, 0.0, 1.0)), 1.0);
        assert_eq!(m.stimulus(0.0, 0.0, 1.0), 0.0);
    }

    #[test]
    fn bisphosphonate_is_neither_made_nor_lost_but_for_elimination() {
        // At steady resorption, over many short steps: uptake = change of both pools + eliminated.
        let p = test_parameters();
        let m = Medicines::<f64>::new(&p);
        let (mut now, mut eliminated) = ([0.0, 0.0], 0.0);
        let (uptake, years, steps) = (40.0, 1.0 / 1200.0, 1200);
        for _ in 0..steps {
            let before = now[0];
            now = pools(&m, now, uptake, 0.5, years);
            eliminated += p.medicines.bisphosphonate_elimination * 0.5 * (before + now[0]) * years;
        }
        let total = now[0] + now[1] + eliminated;
        assert!((total / uptake - 1.0).abs() < 2e-3, "{total}");
    }

    #[test]
    fn a_dose_of_antibody_blocks_for_half_a_year_and_not_for_a_whole_one() {
        let p = test_parameters();
        let m = Medicines::<f64>::new(&p);
        let left = |months: f64| m.drive_left_by_antibody(libm::exp(-p.medicines.antibody_elimination * months / 12.0), 1.0);
        assert!(left(1.0) < 0.1 && left(6.0) < 0.35 && left(12.0) > 0.8, "{} {} {}", left(1.0), left(6.0), left(12.0));
    }
}
