//! A person's luck has an address.
//!
//! Every random number is a pure function of (seed, person, month, decision): Philox 4x32-10 (Salmon, Moraes, Dror & Shaw
//! 2011, key `salmon2011`) with the seed as its key and (person, month, group of decisions) as its counter. Two arms that share people
//! therefore differ only by what differs between them, and threads, batches and order cannot matter. The arm is never
//! part of an address.
//!
//! One address gives one uniform number; there is no rejection sampling, every law is drawn through its inverse, so the same luck maps
//! monotonically to outcomes.

/// Words of one Philox block: four decisions of 32 bits.
pub const WORDS: usize = 4;

/// Every place where chance enters. Numbers are permanent: a new decision gets a new number.
///
/// Monthly decisions live at counter month = month of follow-up (0-based); those of recruiting at month = [`AT_INDEX`]
/// and, for candidates who are screened, downward from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Which block of four words.
    pub group: u32,
    /// Which word of the block.
    pub word: usize,
}

/// The counter's month for decisions taken once, before follow-up starts.
pub const AT_INDEX: u32 = u32::MAX;

/// The first decision number of fracture sites; a site's own permanent number is added.
const FIRST_FRACTURE: u32 = 2;

impl Decision {
    /// Does this person fall this month?
    pub const FALL: Decision = Decision { group: 0, word: 0 };
    /// Does this person die this month?
    pub const DEATH: Decision = Decision { group: 0, word: 1 };
    /// Which level of the spine deforms? Drawn only when one does, as the other decisions of these groups.
    pub const LEVEL: Decision = Decision { group: 1024, word: 0 };
    /// To which grade?
    pub const GRADE: Decision = Decision { group: 1024, word: 1 };
    /// Into which shape?
    pub const SHAPE: Decision = Decision { group: 1024, word: 2 };
    /// Does it come to clinical attention?
    pub const ATTENTION: Decision = Decision { group: 1024, word: 3 };
    /// Does a register record it?
    pub const RECORDED: Decision = Decision { group: 1025, word: 0 };
    /// Does this person enter a nursing home? Drawn only at a fracture.
    pub const NURSING_HOME: Decision = Decision { group: 1025, word: 1 };

    /// Does this person break this bone this month? `number` is the site's permanent decision number.
    pub const fn fracture(number: u32) -> Decision {
        let n = FIRST_FRACTURE + number;
        Decision { group: n / WORDS as u32, word: (n % WORDS as u32) as usize }
    }
}

/// Decisions taken once per person, before follow-up. Each has a block of its own (52-bit uniforms).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Recruiting {
    /// Which cohort of the scenario.
    Cohort = 0,
    /// Sex and completed years of age.
    SexAndAge = 1,
    /// Month within the year of age.
    BirthMonth = 2,
    /// Between-person spread of bone turnover.
    Turnover = 3,
    /// Between-person spread of estrogen sensitivity.
    EstrogenSensitivity = 4,
    /// Between-person spread of the decline of formation with age.
    FormationAgeing = 5,
    /// Proneness to falls.
    FallProneness = 6,
    /// Between-person spread of the share of modelling.
    Modelling = 7,
    /// Between-person spread of the response to stimuli of formation.
    AnabolicResponse = 8,
    /// Between-person spread of the sensitivity to antiresorptive medicines.
    DrugSensitivity = 9,
    /// Between-person spread of the decline of the mechanical signal with age.
    LoadAgeing = 10,
    /// Kyphosis of the young adult.
    KyphosisYoung = 11,
    /// Between-person spread of the growth of kyphosis with age.
    KyphosisAgeing = 12,
    /// Complaints of the back.
    BackPain = 13,
    /// Which row of a file of persons.
    FileRow = 14,
    /// Characteristics: 16 + position in the list of characteristics.
    Characteristic = 16,
    /// Fracture before index: 256 + 4 x the site's decision number + (0 whether, 1 when, 2 survived).
    EarlierFracture = 256,
    /// Vertebral deformities before index: 1024 + 8 x which of them, from 0, + (0 waiting, 1 level, 2 grade, 3 shape, 4 attention).
    EarlierDeformity = 1024,
    /// Exposures: 65 536 + hash of the exposure's name + (0 uptake, 1 persistence).
    Exposure = 65_536,
}

/// Philox 4x32-10 of one counter and key.
#[inline(always)]
pub fn philox(mut counter: [u32; WORDS], mut key: [u32; 2]) -> [u32; WORDS] {
    // Multipliers and Weyl constants of the published generator.
    const M0: u64 = 0xD251_1F53;
    const M1: u64 = 0xCD9E_8D57;
    const W0: u32 = 0x9E37_79B9;
    const W1: u32 = 0xBB67_AE85;
    let mut round = 0;
    while round < 10 {
        let a = M0 * u64::from(counter[0]);
        let b = M1 * u64::from(counter[2]);
        counter = [((b >> 32) as u32) ^ counter[1] ^ key[0], b as u32, ((a >> 32) as u32) ^ counter[3] ^ key[1], a as u32];
        key = [key[0].wrapping_add(W0), key[1].wrapping_add(W1)];
        round += 1;
    }
    counter
}

/// The luck of one simulation: its seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Luck {
    key: [u32; 2],
}

impl Luck {
    /// The luck that belongs to a seed.
    pub fn new(seed: u64) -> Self {
        Luck { key: [seed as u32, (seed >> 32) as u32] }
    }

    /// The four words of one group of a person's decisions in one month.
    #[inline(always)]
    pub fn words(self, person: u64, month: u32, group: u32) -> [u32; WORDS] {
        philox([person as u32, (person >> 32) as u32, month, group], self.key)
    }

    /// The same for the people of a block, whose numbers are given as low and high halves: one row for each word.
    #[inline(always)]
    pub fn rows_of_words<const L: usize>(self, low: &[u32; L], high: &[u32; L], month: u32, group: u32) -> [[u32; L]; WORDS] {
        let mut rows = [[0; L]; WORDS];
        for lane in 0..L {
            let [a, b, c, d] = philox([low[lane], high[lane], month, group], self.key);
            rows[0][lane] = a;
            rows[1][lane] = b;
            rows[2][lane] = c;
            rows[3][lane] = d;
        }
        rows
    }

    /// A uniform number in the open interval (0, 1) with 52 bits, for a decision taken once per person before follow-up. Everything of the
    /// k-th candidate who is screened for a person (k = 0 where there is nothing to screen for) lies k below [`AT_INDEX`].
    pub fn once(self, person: u64, attempt: u32, decision: u32) -> f64 {
        let w = self.words(person, AT_INDEX - attempt, decision);
        let bits = (u64::from(w[0]) << 20) ^ (u64::from(w[1]) >> 12);
        (bits as f64 + 0.5) * (1.0 / 4_503_599_627_370_496.0)
    }
}

/// A number below 2^20 from a name, so that an exposure's luck has the same address in every arm that has it (FNV-1a).
pub fn address_of_name(name: &str) -> u32 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    hash & 0xF_FFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers_of_the_published_generator() {
        // The three known-answer vectors that accompany Salmon et al. 2011 for philox4x32-10.
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn uniforms_stay_inside_the_open_interval_and_are_even() {
        let luck = Luck::new(7);
        let n = 100_000;
        let mut sum = 0.0;
        let mut square = 0.0;
        for person in 0..n {
            let u = luck.once(person, 0, 3);
            assert!(u > 0.0 && u < 1.0);
            sum += u;
            square += u * u;
        }
        let mean = sum / n as f64;
        let variance = square / n as f64 - mean * mean;
        // 4.5 standard errors of the mean (1/sqrt(12 n)) and of the variance (sqrt(1/180 n)).
        assert!((mean - 0.5).abs() < 4.5 / (12.0 * n as f64).sqrt());
        assert!((variance - 1.0 / 12.0).abs() < 4.5 / (180.0 * n as f64).sqrt());
    }

    #[test]
    fn candidates_screened_for_one_person_have_luck_of_their_own() {
        let luck = Luck::new(7);
        let drawn: Vec<f64> = (0..1000).map(|attempt| luck.once(5, attempt, 3)).collect();
        assert!((1..1000).all(|k| !drawn[..k].contains(&drawn[k])));
        assert_eq!(luck.words(5, AT_INDEX - 2, 3)[0] >> 31, u32::from(drawn[2] >= 0.5));
    }

    #[test]
    fn decisions_of_one_month_never_share_a_word() {
        let mut seen = vec![(Decision::FALL.group, Decision::FALL.word), (Decision::DEATH.group, Decision::DEATH.word)];
        for number in 0..30 {
            let d = Decision::fracture(number);
            assert!(!seen.contains(&(d.group, d.word)));
            seen.push((d.group, d.word));
        }
    }
}
