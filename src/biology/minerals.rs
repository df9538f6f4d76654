//! Minerals: calcium from food through the gut to parathyroid hormone (PTH), which asks the skeleton for what the gut does not deliver.
//!
//! Equations (I calcium intake mg/d, D serum 25-hydroxyvitamin D nmol/L, a age in years, e sex-steroid signal):
//!
//! 1. fractional absorption f = max(min, intercept - slope ln I - loss_age (a - from)+ - loss_e (1 - e))
//! 2. vitamin D factor v = [D / (D + half)] / [D_ref / (D_ref + half)]
//! 3. absorbed calcium A = I f v
//! 4. supply index c = (A - A_ref) / (A_replete - A_ref), held within [c_min, 1]: 0 at the young adult's usual supply, 1 when replete
//! 5. PTH = (1 + gain (a - from)+ / 10) max(floor, 1 - response c), relative to the young adult at usual supply
//!
//! Because absorption falls with age and after menopause, the same diet supplies less in old age: PTH rises, and the skeleton gives up what the gut does
//! not deliver. A supplement closes part of that gap once; it does not go on gaining.
//!
//! Left out: the kidney but for its part in equation 5, phosphate, the seasons, calcitriol, magnesium. Short-term homeostasis (minutes to days) is taken to be
//! complete. Not to be trusted for primary hyperparathyroidism, kidney failure, or intake below 200 mg/d.

use crate::numeric::Scalar;
use crate::parameters::Parameters;

/// Constants of this system in the kernel's precision.
#[derive(Clone, Copy, Debug)]
pub struct Minerals<S> {
    intercept: S,
    log_slope: S,
    loss_per_year: S,
    loss_from: S,
    estrogen_loss: S,
    absorption_min: S,
    half: S,
    per_reference_factor: S,
    reference_absorbed: S,
    per_replete_gain: S,
    index_min: S,
    response: S,
    gain_per_year: S,
    age_from: S,
    floor: S,
}

/// Intake and vitamin D of a person as absorption sees them.
#[derive(Clone, Copy, Debug)]
pub struct Diet<S> {
    /// Fraction absorbed by a young adult.
    fraction: S,
    /// Intake times the vitamin D factor, mg/d.
    supplied: S,
}

/// Intakes are taken to be at least this many mg/d: its logarithm is needed.
const LEAST_INTAKE: f64 = 1.0;

impl<S: Scalar> Minerals<S> {
    /// Takes the constants from the parameters and derives the reference supplies.
    pub fn new(p: &Parameters) -> Self {
        let m = &p.minerals;
        let mut minerals = Minerals {
            intercept: S::of(m.absorption_intercept),
            log_slope: S::of(m.absorption_log_slope),
            loss_per_year: S::of(m.absorption_loss_per_year),
            loss_from: S::of(m.absorption_loss_from),
            estrogen_loss: S::of(m.absorption_estrogen_loss),
            absorption_min: S::of(m.absorption_min),
            half: S::of(m.absorption_vitamin_d_half),
            per_reference_factor: S::of((m.reference_serum_25ohd + m.absorption_vitamin_d_half) / m.reference_serum_25ohd),
            reference_absorbed: S::ZERO,
            per_replete_gain: S::ONE,
            index_min: S::of(m.supply_index_min),
            response: S::of(m.pth_calcium_response),
            gain_per_year: S::of(m.pth_gain_per_decade / 10.0),
            age_from: S::of(m.pth_age_from),
            floor: S::of(p.remodeling.inhibition_floor),
        };
        let young = |diet| minerals.absorbed(diet, minerals.loss_from, S::ONE);
        let reference = young(minerals.diet(S::of(m.reference_calcium_intake), S::of(m.reference_serum_25ohd)));
        let replete = young(minerals.diet(S::of(m.replete_calcium_intake), S::of(m.replete_serum_25ohd)));
        minerals.reference_absorbed = reference;
        minerals.per_replete_gain = S::ONE / (replete - reference);
        minerals
    }

    /// What equations 1 to 3 need of intake (mg/d) and 25-hydroxyvitamin D (nmol/L); constant while those are.
    #[inline(always)]
    pub fn diet(&self, intake: S, serum_25ohd: S) -> Diet<S> {
        Diet {
            fraction: self.intercept - self.log_slope * intake.at_least(S::of(LEAST_INTAKE)).ln(),
            supplied: intake * (serum_25ohd / (serum_25ohd + self.half) * self.per_reference_factor),
        }
    }

    /// Equations 1 to 3: calcium absorbed, mg/d.
    #[inline(always)]
    pub fn absorbed(&self, diet: Diet<S>, age: S, estrogen: S) -> S {
        let lost = self.loss_per_year * (age - self.loss_from).at_least(S::ZERO) + self.estrogen_loss * (S::ONE - estrogen);
        diet.supplied * (diet.fraction - lost).at_least(self.absorption_min)
    }

    /// Equation 4: the supply index.
    #[inline(always)]
    pub fn supply_index(&self, diet: Diet<S>, age: S, estrogen: S) -> S {
        ((self.absorbed(diet, age, estrogen) - self.reference_absorbed) * self.per_replete_gain).at_least(self.index_min).at_most(S::ONE)
    }

    /// Equation 5: parathyroid hormone.
    #[inline(always)]
    pub fn pth(&self, age: S, supply_index: S) -> S {
        let with_age = S::ONE + self.gain_per_year * (age - self.age_from).at_least(S::ZERO);
        with_age * (S::ONE - self.response * supply_index).at_least(self.floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_parameters;

    #[test]
    fn usual_supply_is_exactly_neutral_and_replete_supply_is_one() {
        let p = test_parameters();
        let m = Minerals::<f32>::new(&p);
        let at = |intake: f64, d: f64| m.supply_index(m.diet(intake as f32, d as f32), 25.0, 1.0);
        let usual = at(p.minerals.reference_calcium_intake, p.minerals.reference_serum_25ohd);
        assert_eq!(usual, 0.0);
        assert_eq!(m.pth(25.0, usual), 1.0);
        assert!((at(p.minerals.replete_calcium_intake, p.minerals.replete_serum_25ohd) - 1.0).abs() < 1e-5);
    }

    #[test]
    fn more_calcium_and_more_vitamin_d_never_raise_pth_and_age_never_lowers_it() {
        let m = Minerals::<f64>::new(&test_parameters());
        let pth = |age: f64, intake: f64, d: f64| m.pth(age, m.supply_index(m.diet(intake, d), age, 0.2));
        for vitamin_d in [10.0, 30.0, 60.0, 120.0] {
            let mut before = f64::INFINITY;
            for intake in (200..=2400).step_by(100) {
                let now = pth(70.0, f64::from(intake), vitamin_d);
                assert!(now <= before && now > 0.0);
                before = now;
                assert!(pth(70.0, f64::from(intake), vitamin_d / 2.0) >= now);
                assert!(pth(80.0, f64::from(intake), vitamin_d) >= now);
            }
        }
    }
}
