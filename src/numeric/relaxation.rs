//! Relaxation: the one integrator of the model.
//!
//! Every living state x follows x' = k (x* - x) with a rate k >= 0 and a target x* that all states set together. With k and x* held, the exact
//! answer after a time h is x + (x* - x) (1 - exp(-k h)): it never passes the target, never turns negative, is stable at any step, and does not
//! move by one bit where x = x*. The exponential midpoint step uses this twice: to half-way states, and, with the pulls found there, for the whole step.
//! It is of second order. Any system of production P and loss L x has this form with k = L and x* = P / L, so published models of bone cells run on the
//! same code as this one (`tests/rust/published_models.rs`).

use super::Scalar;

/// What pulls one state: its rate (per unit of time) and its target.
#[derive(Clone, Copy, Debug)]
pub struct Pull<S> {
    /// Rate k.
    pub rate: S,
    /// Target x*.
    pub target: S,
}

/// A pull of this rate and target.
#[inline(always)]
pub fn pull<S>(rate: S, target: S) -> Pull<S> {
    Pull { rate, target }
}

/// Several states that relax together.
pub trait Relaxing<S: Scalar> {
    /// One pull for each of them.
    type Pulls;
    /// The states after `time` under constant pulls.
    fn relaxed(&self, pulls: &Self::Pulls, time: S) -> Self;
    /// Half-way between these states and others.
    fn midway(&self, other: &Self) -> Self;
}

/// What acts on several states: gives their pulls at any time. A trait rather than a closure, because a closure that is called twice is not always inlined, and
/// a call keeps the loop over people from becoming vectors.
pub trait Pulling<S: Scalar, X: Relaxing<S>> {
    /// The pulls of these states at this time.
    fn pulls(&self, states: &X, time: S) -> X::Pulls;
}

impl<S: Scalar, X: Relaxing<S>, F: Fn(&X, S) -> X::Pulls> Pulling<S, X> for F {
    fn pulls(&self, states: &X, time: S) -> X::Pulls {
        self(states, time)
    }
}

/// x + (x* - x) (1 - exp(-k t)).
#[inline(always)]
pub fn relax<S: Scalar>(x: S, pull: Pull<S>, time: S) -> S {
    x + (pull.target - x) * (pull.rate * time).closed_share()
}

/// One exponential midpoint step of length `step` from `time`. Returns the states at the end, and the pulls half-way that took them there.
#[inline(always)]
pub fn exponential_midpoint<S: Scalar, X: Relaxing<S>>(x: &X, time: S, step: S, acting: &impl Pulling<S, X>) -> (X, X::Pulls) {
    let end = x.relaxed(&acting.pulls(x, time), step);
    let half_way = acting.pulls(&x.midway(&end), time + S::HALF * step);
    (x.relaxed(&half_way, step), half_way)
}

impl<S: Scalar, const N: usize> Relaxing<S> for [S; N] {
    type Pulls = [Pull<S>; N];

    #[inline(always)]
    fn relaxed(&self, pulls: &Self::Pulls, time: S) -> Self {
        std::array::from_fn(|k| relax(self[k], pulls[k], time))
    }

    #[inline(always)]
    fn midway(&self, other: &Self) -> Self {
        std::array::from_fn(|k| S::HALF * (self[k] + other[k]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_pull_is_followed_exactly_and_a_state_at_its_target_does_not_move() {
        let step = |x: [f64; 2]| exponential_midpoint(&x, 0.0, 0.7, &|_: &[f64; 2], _| [pull(3.0, 2.0), pull(5.0, 1.0)]).0;
        let [a, b] = step([0.5, 1.0]);
        assert!((a - (2.0 - 1.5 * libm::exp(-2.1))).abs() < 1e-15);
        assert_eq!(b.to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn the_step_is_of_second_order() {
        // x' = y - x, y' = x - 2 y t: no closed form is needed, only that halving the step quarters the error.
        let after = |steps: u32| {
            let h = 1.0 / f64::from(steps);
            (0..steps).fold([1.0, 0.5], |x, k| {
                exponential_midpoint(&x, f64::from(k) * h, h, &|x: &[f64; 2], t| {
                    [pull(1.0, x[1]), pull(2.0 * t + 0.1, x[0] / (2.0 * t + 0.1))]
                })
                .0
            })
        };
        let exact = after(4096)[0];
        let (coarse, fine) = ((after(16)[0] - exact).abs(), (after(32)[0] - exact).abs());
        assert!(coarse / fine > 3.5 && coarse / fine < 4.5, "{}", coarse / fine);
    }
}
