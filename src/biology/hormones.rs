//! Sex hormones: one signal e that holds bone resorption down.
//!
//! In women the signal falls along a logistic curve around the final menstrual period to a low residue; in men it declines slowly with age
//! through life. Hormone therapy makes good part of the deficit; androgen deprivation and loss of residual estrogen take away from what is left.
//! The signal is relative to the young adult (1) and has no direct laboratory counterpart; it carries estradiol above all, in both sexes.
//!
//! Equations (t years after the final menstrual period, a age in years):
//!
//! 1. women: e = 1 - (1 - residual) / (1 + exp(-(t - midpoint) / width))
//! 2. men: e = max(0, 1 - decline (a - from)+)
//! 3. hormone therapy of dose u: e <- e + (1 - e) efficacy u
//! 4. suppression u: e <- e max(0, 1 - (1 - residue) u); androgen deprivation u: e <- e max(0, 1 - efficacy u)
//! 5. receptor modulation u: e <- e + (1 - e) min(1, efficacy u): a modulator stands in for estrogen in bone, also where none is left
//!
//! Left out: the cycle, pregnancy, FSH, inhibin, testosterone's own effects, the years before the transition. Not to be trusted below age 25.

use crate::numeric::Scalar;
use crate::parameters::Parameters;

/// Constants of this system in the kernel's precision.
#[derive(Clone, Copy, Debug)]
pub struct Hormones<S> {
    menopausal_loss: S,
    midpoint: S,
    per_width: S,
    mens_decline: S,
    mens_decline_from: S,
    replacement: S,
    modulation: S,
    deprivation: S,
    suppression: S,
}

/// What exposures do to the signal, 1 = standard dose or complete.
#[derive(Clone, Copy, Debug)]
pub struct HormoneExposures<S> {
    /// Hormone therapy.
    pub replacement: S,
    /// Selective estrogen receptor modulation.
    pub modulation: S,
    /// Loss of residual estrogen.
    pub suppression: S,
    /// Androgen deprivation.
    pub deprivation: S,
}

/// Beyond this many widths the logistic curve is flat in every precision.
const FLAT: f64 = 60.0;

impl<S: Scalar> Hormones<S> {
    /// Takes the constants from the parameters.
    pub fn new(p: &Parameters) -> Self {
        let h = &p.hormones;
        Hormones {
            menopausal_loss: S::of(1.0 - h.residual_estrogen),
            midpoint: S::of(h.transition_midpoint),
            per_width: S::of(1.0 / h.transition_width),
            mens_decline: S::of(h.mens_decline_per_year),
            mens_decline_from: S::of(h.mens_decline_from),
            replacement: S::of(h.replacement_efficacy),
            modulation: S::of(h.modulation_efficacy),
            deprivation: S::of(h.deprivation_efficacy),
            suppression: S::of(1.0 - h.suppression_residue),
        }
    }

    /// Equation 1: the signal of a woman.
    #[inline(always)]
    pub fn womens_signal(&self, years_after_menopause: S) -> S {
        let x = ((years_after_menopause - self.midpoint) * self.per_width).at_most(S::of(FLAT)).at_least(S::of(-FLAT));
        // Written from the loss so that long before menopause the signal is exactly 1.
        S::ONE - self.menopausal_loss / (S::ONE + (-x).exp())
    }

    /// Equation 2: the signal of a man.
    #[inline(always)]
    pub fn mens_signal(&self, age: S) -> S {
        (S::ONE - self.mens_decline * (age - self.mens_decline_from).at_least(S::ZERO)).at_least(S::ZERO)
    }

    /// Equations 3 to 5: what exposures leave of the signal.
    #[inline(always)]
    pub fn under_exposures(&self, signal: S, exposures: &HormoneExposures<S>) -> S {
        let replaced = signal + (S::ONE - signal) * self.replacement * exposures.replacement;
        let suppressed = replaced * (S::ONE - self.suppression * exposures.suppression).at_least(S::ZERO);
        let deprived = suppressed * (S::ONE - self.deprivation * exposures.deprivation).at_least(S::ZERO);
        deprived + (S::ONE - deprived) * (self.modulation * exposures.modulation).at_most(S::ONE)
    }

    /// The sex-steroid signal of a person.
    #[inline(always)]
    pub fn signal(&self, male: S, age: S, menopause_age: S, exposures: &HormoneExposures<S>) -> S {
        let women = self.womens_signal(age - menopause_age);
        let men = self.mens_signal(age);
        // `male` is 0 or 1, so this picks one of them exactly; a branch here would keep the loop over lanes from becoming vectors.
        let own = male * men + (S::ONE - male) * women;
        self.under_exposures(own, exposures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::test_parameters;

    #[test]
    fn the_signal_is_exactly_one_before_and_falls_to_the_residue_after() {
        let h = Hormones::<f32>::new(&test_parameters());
        assert_eq!(h.womens_signal(-25.0), 1.0);
        let late = h.womens_signal(20.0);
        assert!((f64::from(late) - test_parameters().hormones.residual_estrogen).abs() < 1e-6);
        let mut before = 1.0;
        for quarter in -40..80 {
            let now = h.womens_signal(quarter as f32 / 4.0);
            assert!(now <= before);
            before = now;
        }
    }

    #[test]
    fn no_exposure_changes_no_bit_and_no_exposure_leaves_the_range() {
        let h = Hormones::<f32>::new(&test_parameters());
        let none = HormoneExposures { replacement: 0.0, modulation: 0.0, suppression: 0.0, deprivation: 0.0 };
        for e in [0.2_f32, 0.55, 0.98] {
            assert_eq!(h.under_exposures(e, &none), e);
            assert!(h.under_exposures(e, &HormoneExposures { replacement: 1.0, modulation: 2.0, ..none }) <= 1.0);
            assert!(h.under_exposures(e, &HormoneExposures { suppression: 1.0, deprivation: 1.0, ..none }) >= 0.0);
        }
    }
}
