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
    /// The share of a standard normal population below this: the normal distribution function.
    fn normal_share(self) -> Self;
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
     exp_terms: [$($exp_term:literal),+], ln_terms: [$($ln_term:literal),+],
     tail_scale: $tail_scale:literal, tail_terms: [$($tail_term:literal),+]) => {
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
            fn normal_share(self) -> Self {
                // Tail of t = |z|: exp(-t^2/2) u p(u - 1/2) with u = 1 / (1 + c t), which follows the tail's own fall by 1/t.
                let t = if self < 0.0 { -self } else { self };
                let u = 1.0 / (1.0 + $tail_scale * t);
                let v = u - 0.5;
                let mut series: $t = 0.0;
                $( series = series * v + $tail_term; )+
                let tail = <$t as Scalar>::exp(-0.5 * t * t) * (u * series);
                if self < 0.0 { tail } else { 1.0 - tail }
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
    ln_terms: [11.0, 9.0, 7.0, 5.0, 3.0, 1.0],
    tail_scale: 0.3,
    tail_terms: [0.036036295, -0.03258655, -0.07798566, 0.028798377, 0.22210851, 0.3462049, 0.32915867, 0.22197059]);

implement_scalar!(f64, u64, i64, mantissa: 52, bias: 1023,
ln2: 0.6931471803691238 + 1.9082149292705877e-10, exp_range: -708.0 .. 709.0,
exp_terms: [6227020800.0, 479001600.0, 39916800.0, 3628800.0, 362880.0, 40320.0, 5040.0, 720.0, 120.0, 24.0, 6.0, 2.0, 1.0],
ln_terms: [23.0, 21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0],
tail_scale: 0.25,
tail_terms: [
    2.753_325_429_253_874e-3, -5.298_113_300_155_178e-3, -2.579_057_811_584_451e-3, 1.126_094_548_263_786_7e-2,
    8.232_921_562_134_722e-4, -1.785_847_626_736_461_5e-2, -5.069_859_557_443_458e-4, 2.956_756_696_582_854e-2,
    8.535_731_417_462_72e-3, -5.218_550_545_783_577_5e-2, -5.567_515_515_882_788e-2, 6.032_149_131_716_193e-2,
    0.241_586_301_209_292_23, 0.373_043_716_200_072_15, 0.387_137_400_729_710_04, 0.303_948_320_984_797_35,
    0.188_821_282_603_951_98
]);

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

    #[test]
    fn the_normal_share_is_that_of_the_distribution_far_into_both_tails() {
        let truth = crate::numeric::normal::distribution;
        // Down to 1e-12 and, less closely, to where the exponential ends.
        assert!(worst::<f32>(sweep(-7.04, 7.0), f32::normal_share, truth, 1.0) < 2e-6);
        assert!(worst::<f32>(sweep(-12.0, -7.0), f32::normal_share, truth, 1.0) < 1e-5);
        assert!(worst::<f64>(sweep(-37.0, 9.0), f64::normal_share, truth, 1.0) < 5e-11);
        assert!(0.0 < (-1.0e3_f32).normal_share() && 1.0e3_f32.normal_share() == 1.0);
        let mut before = 0.0;
        for z in sweep(-13.0, 5.0) {
            let now = (z as f32).normal_share();
            assert!(now >= before * 0.999_999, "falls at {z}");
            before = now;
        }
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
        assert_eq!((-2.0_f32).normal_share().to_bits(), 0x3cba_5e7d);
        assert_eq!((-2.0_f64).normal_share().to_bits(), 0x3f974bcf82c9da69);
        assert_eq!(f32::uniform(0), 0.5 / 2_147_483_648.0);
    }
}
