//! The arithmetic that every equation is written in: `f32` for populations, `f64` as a check.
//!
//! Equations are written once, for one person, over `S: Scalar`. The block loop calls them for every lane of a block, and
//! the compiler turns that loop into vector instructions; a traced person is the same code with one lane.
//!
//! `exp`, `ln` and friends are our own and use + - * / only: the platform's differ between machines in their last bits, and
//! the same bits everywhere is a promise of this project. No fused multiply-add is ever formed, because Rust forms
//! none unless it is written. Accuracy is tested against the pinned `libm` crate below.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// A floating-point number that the equations can be evaluated in.
pub trait Scalar:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// One half.
    const HALF: Self;
    /// Two.
    const TWO: Self;
    /// The nearest value to `x`.
    fn of(x: f64) -> Self;
    /// This value as `f64`, exactly.
    fn to_f64(self) -> f64;
    /// This value as `f32`, rounded.
    fn to_f32(self) -> f32;
    /// The exponential; arguments are held within the finite range of the type.
    fn exp(self) -> Self;
    /// 1 - exp(-x), accurate for small x: the share of a gap that closes at rate k in time h is `(k * h).closed_share()`.
    fn closed_share(self) -> Self;
    /// The natural logarithm of a positive, normal number.
    fn ln(self) -> Self;
    /// A uniform number in (0, 1) from 31 bits of a random word.
    fn uniform(word: u32) -> Self;

    /// The larger of two; written as a comparison so that it becomes one vector instruction.
    #[inline(always)]
    fn at_least(self, low: Self) -> Self {
        if self < low { low } else { self }
    }

    /// The smaller of two.
    #[inline(always)]
    fn at_most(self, high: Self) -> Self {
        if high < self { high } else { self }
    }

    /// This to the power `y`, for positive numbers; exactly 1 at 1.
    #[inline(always)]
    fn power(self, y: Self) -> Self {
        (y * self.ln()).exp()
    }
}

// exp(x) = 2^n * exp(r) with n = round(x / ln 2) and |r| <= ln(2)/2, where a Taylor series is enough.
// Adding 1.5 * 2^(mantissa bits) rounds to the nearest integer and leaves it in the low bits of the sum, which spares a
// conversion that would not vectorize.
macro_rules! implement_scalar {
    ($t:ident, $bits:ident, $signed:ident, mantissa: $mantissa:literal, bias: $bias:literal,
     ln2: $ln2_high:literal + $ln2_low:literal, exp_range: $exp_low:literal .. $exp_high:literal,
     exp_terms: [$($exp_term:literal),+], ln_terms: [$($ln_term:literal),+]) => {
        impl Scalar for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const HALF: Self = 0.5;
            const TWO: Self = 2.0;

            #[inline(always)]
            fn of(x: f64) -> Self {
                x as $t
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }

            #[inline(always)]
            fn to_f32(self) -> f32 {
                self as f32
            }

            #[inline(always)]
            fn exp(self) -> Self {
                let (scale, excess) = exp_parts!($t, $bits, $signed, $mantissa, $bias, $ln2_high, $ln2_low, $exp_low, $exp_high, [$($exp_term),+], self);
                scale + scale * excess
            }

            #[inline(always)]
            fn closed_share(self) -> Self {
                let (scale, excess) = exp_parts!($t, $bits, $signed, $mantissa, $bias, $ln2_high, $ln2_low, $exp_low, $exp_high, [$($exp_term),+], -self);
                (1.0 - scale) - scale * excess
            }

            #[inline(always)]
            fn ln(self) -> Self {
                // x = 2^e * m with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh((m-1)/(m+1)).
                const HALF_ROOT: $bits = (std::f64::consts::FRAC_1_SQRT_2 as $t).to_bits();
                let bits = self.to_bits();
                let shifted = bits.wrapping_sub(HALF_ROOT);
                let exponent = (shifted as $signed) >> $mantissa;
                let m = $t::from_bits((shifted & ((1 << $mantissa) - 1)).wrapping_add(HALF_ROOT));
                let s = (m - 1.0) / (m + 1.0);
                let q = s * s;
                let mut series: $t = 0.0;
                $( series = series * q + 1.0 / $ln_term; )+
                let e = exponent as $t;
                e * $ln2_high + (2.0 * s * series + e * $ln2_low)
            }

            #[inline(always)]
            fn uniform(word: u32) -> Self {
                // 31 bits: a signed conversion is one instruction where an unsigned one is many.
                const STEP: $t = 1.0 / 2147483648.0;
                (((word >> 1) as i32) as $t) * STEP + 0.5 * STEP
            }
        }
    };
}

macro_rules! exp_parts {
    ($t:ident, $bits:ident, $signed:ident, $mantissa:literal, $bias:literal, $ln2_high:literal, $ln2_low:literal,
     $exp_low:literal, $exp_high:literal, [$($term:literal),+], $x:expr) => {{
        const SHIFT: $t = 1.5 * ((1 as $bits) << $mantissa) as $t;
        let x = $x.at_least($exp_low).at_most($exp_high);
        let shifted = x * (std::f64::consts::LOG2_E as $t) + SHIFT;
        let n = shifted - SHIFT;
        let r = (x - n * $ln2_high) - n * $ln2_low;
        let mut series: $t = 0.0;
        $( series = series * r + 1.0 / $term; )+
        let power = shifted.to_bits().wrapping_sub(SHIFT.to_bits()).wrapping_add($bias);
        ($t::from_bits(power << $mantissa), series * r)
    }};
}

implement_scalar!(f32, u32, i32, mantissa: 23, bias: 127,
    ln2: 0.6933594 + -2.1219444e-4, exp_range: -87.0 .. 88.0,
    exp_terms: [5040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0],
    ln_terms: [11.0, 9.0, 7.0, 5.0, 3.0, 1.0]);

implement_scalar!(f64, u64, i64, mantissa: 52, bias: 1023,
    ln2: 0.6931471803691238 + 1.9082149292705877e-10, exp_range: -708.0 .. 709.0,
    exp_terms: [6227020800.0, 479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0, 5040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0],
    ln_terms: [23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0]);

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest error over a sweep, in units of the last place of the true value.
    fn worst<S: Scalar>(xs: impl Iterator<Item = f64>, ours: impl Fn(S) -> S, truth: impl Fn(f64) -> f64, unit: f64) -> f64 {
        xs.map(|x| {
            let x = S::of(x);
            let want = truth(x.to_f64());
            ((ours(x).to_f64() - want) / (want.abs().max(1e-30) * unit)).abs()
        })
        .fold(0.0, f64::max)
    }

    fn sweep(low: f64, high: f64) -> impl Iterator<Item = f64> {
        (0..=200_000).map(move |i| low + (high - low) * f64::from(i) / 200_000.0)
    }

    #[test]
    fn exp_and_ln_are_accurate_to_a_few_units_in_the_last_place() {
        let (u32_, u64_) = (f64::from(f32::EPSILON), f64::EPSILON);
        assert!(worst::<f32>(sweep(-80.0, 80.0), f32::exp_ours, libm::exp, u32_) < 2.0);
        assert!(worst::<f64>(sweep(-700.0, 700.0), f64::exp_ours, libm::exp, u64_) < 4.0);
        assert!(worst::<f32>(sweep(1e-6, 50.0).filter(|x| (x - 1.0).abs() > 1e-3), f32::ln_ours, libm::log, u32_) < 3.0);
        assert!(worst::<f64>(sweep(1e-6, 50.0).filter(|x| (x - 1.0).abs() > 1e-3), f64::ln_ours, libm::log, u64_) < 4.0);
        assert!(worst::<f32>(sweep(1e-7, 20.0), f32::closed_share, |x| -libm::expm1(-x), u32_) < 3.0);
        assert!(worst::<f64>(sweep(1e-7, 20.0), f64::closed_share, |x| -libm::expm1(-x), u64_) < 4.0);
    }

    // `f32::exp` is the platform's; these names make sure that the tests look at ours.
    trait Ours: Scalar {
        fn exp_ours(self) -> Self {
            <Self as Scalar>::exp(self)
        }
        fn ln_ours(self) -> Self {
            <Self as Scalar>::ln(self)
        }
    }
    impl<S: Scalar> Ours for S {}

    #[test]
    fn what_the_balance_needs_is_exact() {
        assert_eq!(0.0_f32.exp_ours(), 1.0);
        assert_eq!(0.0_f64.exp_ours(), 1.0);
        assert_eq!(1.0_f32.ln_ours(), 0.0);
        assert_eq!(1.0_f64.ln_ours(), 0.0);
        assert_eq!(0.0_f32.closed_share(), 0.0);
        assert_eq!(1.0_f32.power(0.31), 1.0);
    }

    #[test]
    fn values_are_stable() {
        // A change here changes every result of the project: name it in the changelog.
        assert_eq!(1.0_f32.exp_ours().to_bits(), 0x402d_f854);
        assert_eq!(0.1_f32.closed_share().to_bits(), 0x3dc2_e49a);
        assert_eq!(3.0_f32.ln_ours().to_bits(), 0x3f8c_9f54);
        assert_eq!(1.0_f64.exp_ours().to_bits(), 0x4005_bf0a_8b14_576a);
        assert_eq!(f32::uniform(0), 0.5 / 2_147_483_648.0);
    }
}
