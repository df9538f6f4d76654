//! Which instructions the machine has. One binary holds the kernel compiled for each level; the level is chosen
//! once per call, and all levels give the same bits (a test says so).

use crate::error::{ModelError, Problems};

/// Environment variable that forces a level.
const VARIABLE: &str = "COHORTSIM_CPU";

/// An instruction-set level that the kernel was compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cpu {
    /// What every 64-bit machine of its kind has.
    Baseline,
    /// 256-bit vectors (x86-64).
    Avx2,
    /// 512-bit vectors (x86-64).
    Avx512,
}

impl Cpu {
    /// All levels this machine can run, lowest first.
    pub fn available() -> Vec<Cpu> {
        [Cpu::Baseline, Cpu::Avx2, Cpu::Avx512].into_iter().filter(|level| level.or_baseline() == *level).collect()
    }

    /// This level if the machine has it, else the baseline, which every machine has.
    #[inline]
    pub fn or_baseline(self) -> Cpu {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = || is_x86_feature_detected!("avx2");
            let avx512 = || {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
            };
            if (self == Cpu::Avx2 && avx2()) || (self == Cpu::Avx512 && avx2() && avx512()) {
                return self;
            }
        }
        Cpu::Baseline
    }

    /// The highest level this machine can run, or the one that `COHORTSIM_CPU` names.
    pub fn choose() -> Result<Cpu, ModelError> {
        Cpu::named(std::env::var(VARIABLE).ok().as_deref())
    }

    fn named(name: Option<&str>) -> Result<Cpu, ModelError> {
        let levels = Cpu::available();
        let Some(name) = name else {
            return Ok(levels.last().copied().unwrap_or(Cpu::Baseline));
        };
        levels.iter().copied().find(|level| level.name() == name).ok_or_else(|| {
            let mut problems = Problems::default();
            let has: Vec<&str> = levels.iter().map(|level| level.name()).collect();
            problems.add(VARIABLE, format!("{name:?}"), format!("a level that this machine has: {}", has.join(", ")));
            ModelError::Request(problems)
        })
    }

    /// `baseline`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            Cpu::Baseline => "baseline",
            Cpu::Avx2 => "avx2",
            Cpu::Avx512 => "avx512",
        }
    }
}

/// Declares a function compiled for every instruction-set level and the function that picks one.
macro_rules! on_cpu {
    ($(#[$about:meta])* fn $name:ident<$S:ident, const $L:ident: usize>($($arg:ident: $t:ty),*) -> $r:ty = $inner:path;) => {
        $(#[$about])*
        fn $name<$S: Scalar, const $L: usize>(cpu: Cpu, $($arg: $t),*) -> $r {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn avx2<$S: Scalar, const $L: usize>($($arg: $t),*) -> $r { $inner($($arg),*) }
                #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
                fn avx512<$S: Scalar, const $L: usize>($($arg: $t),*) -> $r { $inner($($arg),*) }
                match cpu.or_baseline() {
                    // SAFETY: `or_baseline` names only levels that this machine has.
                    Cpu::Avx512 => return unsafe { avx512::<$S, $L>($($arg),*) },
                    // SAFETY: as above.
                    Cpu::Avx2 => return unsafe { avx2::<$S, $L>($($arg),*) },
                    Cpu::Baseline => {}
                }
            }
            let _ = cpu;
            $inner($($arg),*)
        }
    };
}
pub(crate) use on_cpu;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_forced_by_its_name_and_an_unknown_one_is_refused() {
        assert_eq!(Cpu::named(Some("baseline")).unwrap(), Cpu::Baseline);
        assert_eq!(Cpu::named(None).unwrap(), *Cpu::available().last().unwrap());
        assert!(Cpu::named(Some("avx1024")).unwrap_err().to_string().contains("COHORTSIM_CPU"));
    }
}
