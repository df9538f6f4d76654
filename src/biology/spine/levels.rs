//! Levels: thirteen vertebrae and what became of each, packed into one number, so that a million spines are eight megabytes.
//!
//! | bits | what |
//! |---|---|
//! | 2 i, 2 i + 1 | grade of level i: 0 intact, 1 mild, 2 moderate, 3 severe |
//! | 26 + 2 i, 27 + 2 i | shape of level i: 0 none, 1 wedge, 2 biconcave, 3 crush |
//! | 52 to 55 | compressions that came to clinical attention, at most 15 |
//!
//! A grade only grows, and a level keeps the shape of its first compression.

use crate::parameters::LEVELS;

/// Thoracic vertebrae come first: as many bend the chest's curve.
pub const THORACIC: usize = 9;
/// Levels above the place where the rib cage ends; there a compression is a wedge more often.
pub const RIB_CAGE: usize = 7;
/// Worst grade.
pub const SEVERE: u8 = 3;

/// Lower bit of every pair in the 26 bits of grades.
const LOW_BITS: u64 = 0x155_5555;
const SHAPE_AT: u32 = 26;
const ATTENDED_AT: u32 = 52;
const MOST_ATTENDED: u64 = 15;

/// What became of the vertebrae of one person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spine(pub u64);

impl Spine {
    /// A spine without a deformity.
    pub const INTACT: Spine = Spine(0);

    /// Grade of a level, 0 to 3.
    #[inline]
    pub fn grade(self, level: usize) -> u8 {
        (self.0 >> (2 * level) & 3) as u8
    }

    /// Shape of a level: 0 none, 1 wedge, 2 biconcave, 3 crush.
    #[inline]
    pub fn shape(self, level: usize) -> u8 {
        (self.0 >> (SHAPE_AT as usize + 2 * level) & 3) as u8
    }

    /// Compressions that came to clinical attention.
    #[inline]
    pub fn attended(self) -> u32 {
        (self.0 >> ATTENDED_AT & MOST_ATTENDED) as u32
    }

    /// Deformed levels.
    #[inline]
    pub fn deformities(self) -> u32 {
        ((self.0 | self.0 >> 1) & LOW_BITS).count_ones()
    }

    /// Levels of this grade or worse.
    pub fn at_grade(self, grade: u8) -> u32 {
        (0..LEVELS.len()).filter(|level| self.grade(*level) >= grade).count() as u32
    }

    /// The worst grade of all levels.
    #[inline]
    pub fn worst_grade(self) -> u8 {
        let (low, high) = (self.0 & LOW_BITS, self.0 >> 1 & LOW_BITS);
        match (high & low, high, low) {
            (1.., _, _) => 3,
            (_, 1.., _) => 2,
            (_, _, 1..) => 1,
            _ => 0,
        }
    }

    /// The spine after a compression. A grade or shape that is no worse than what is there changes nothing of it.
    #[must_use]
    pub fn compressed(self, level: usize, grade: u8, shape: u8, attended: bool) -> Spine {
        let grade = self.grade(level).max(grade.min(SEVERE));
        let shape = if self.shape(level) == 0 { shape & 3 } else { self.shape(level) };
        let count = (u64::from(self.attended()) + u64::from(attended)).min(MOST_ATTENDED);
        let cleared = self.0 & !(3 << (2 * level)) & !(3 << (SHAPE_AT as usize + 2 * level)) & !(MOST_ATTENDED << ATTENDED_AT);
        Spine(cleared | u64::from(grade) << (2 * level) | u64::from(shape) << (SHAPE_AT as usize + 2 * level) | count << ATTENDED_AT)
    }

    /// Sum over deformed levels among the first `levels` of what the table says of their shape and grade.
    #[inline]
    pub fn sum(self, levels: usize, table: &[[f64; 4]; 4]) -> f64 {
        if self == Spine::INTACT {
            return 0.0;
        }
        (0..levels).map(|level| table[usize::from(self.shape(level))][usize::from(self.grade(level))]).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_out_again_and_nothing_improves(
            compressions in prop::collection::vec((0_usize..13, 0_u8..=3, 1_u8..=3, any::<bool>()), 0..40)
        ) {
            let mut spine = Spine::INTACT;
            let (mut grades, mut shapes, mut attended) = ([0_u8; 13], [0_u8; 13], 0_u32);
            for (level, grade, shape, seen) in compressions {
                let before = spine;
                spine = spine.compressed(level, grade, shape, seen);
                grades[level] = grades[level].max(grade);
                shapes[level] = if shapes[level] == 0 { shape } else { shapes[level] };
                attended = (attended + u32::from(seen)).min(15);
                for k in 0..13 {
                    prop_assert!(spine.grade(k) >= before.grade(k));
                    prop_assert_eq!((spine.grade(k), spine.shape(k)), (grades[k], shapes[k]));
                }
            }
            prop_assert_eq!(spine.attended(), attended);
            prop_assert_eq!(spine.deformities() as usize, grades.iter().filter(|g| **g > 0).count());
            prop_assert_eq!(spine.worst_grade(), grades.into_iter().max().unwrap());
            prop_assert_eq!(spine.at_grade(2) as usize, grades.iter().filter(|g| **g > 1).count());
            prop_assert_eq!(spine.0 >> 56, 0);
        }
    }

    #[test]
    fn an_intact_spine_has_nothing_and_a_sum_takes_only_the_levels_asked_for() {
        let all = Spine::INTACT;
        assert_eq!((all.deformities(), all.worst_grade(), all.attended()), (0, 0, 0));
        let spine = Spine::INTACT.compressed(8, 1, 1, true).compressed(9, 3, 3, false);
        let mut table = [[0.0; 4]; 4];
        (table[1][1], table[3][3]) = (4.0, 9.0);
        assert_eq!((spine.sum(THORACIC, &table), spine.sum(LEVELS.len(), &table)), (4.0, 13.0));
        assert_eq!(spine.0, 1 << 16 | 3 << 18 | 1 << 42 | 3 << 44 | 1 << 52);
    }
}
