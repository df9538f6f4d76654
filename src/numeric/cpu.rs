//! Which instructions the machine has. One binary holds the kernel compiled for each level; the level is chosen
//! once per call, and all levels give the same bits (a test says so).

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
        #[allow(unused_mut)]
        let mut levels = vec![Cpu::Baseline];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                levels.push(Cpu::Avx2);
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
                {
                    levels.push(Cpu::Avx512);
                }
            }
        }
        levels
    }

    /// The highest level this machine can run, or the one that `COHORTSIM_CPU` names if the machine has it.
    pub fn choose() -> Cpu {
        let levels = Cpu::available();
        let highest = levels.last().copied().unwrap_or(Cpu::Baseline);
        match std::env::var("COHORTSIM_CPU") {
            Ok(name) => levels.into_iter().find(|level| level.name() == name).unwrap_or(highest),
            Err(_) => highest,
        }
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
