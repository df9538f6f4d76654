//! Backs: how many of the living have deformed vertebrae, how tall they still are, how bent, and what they complain of.
//!
//! Counted at index and at anniversaries. Every person is rounded before they are added, so that parts of a simulation add up to the same numbers in
//! any order.

use crate::biology::spine::Spine;
use crate::model::spine::{Bearing, SpineModel};
use crate::record::{SpineRow, Spines, TallyShape};

const SEXES: usize = 2;
/// Parts of a cm in which height loss is counted: 10 um.
const PARTS_OF_CM: f64 = 1000.0;
/// Parts of a degree in which kyphosis is counted, and those in which its square is.
const PARTS_OF_DEGREE: f64 = 1000.0;
const PARTS_OF_SQUARED_DEGREE: f64 = 10.0;
/// Counters of one stratum: people, deformed, deformities, moderate, severe, hyperkyphotic, four complaints.
const COUNTS: usize = 10;

/// Counters of one stratum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cell {
    counts: [u64; COUNTS],
    height_loss: [i64; 2],
    kyphosis: [i64; 2],
}

/// Dense counters; parts add up.
#[derive(Clone, Debug)]
pub struct BackTally {
    shape: TallyShape,
    cells: Vec<Cell>,
}

impl BackTally {
    /// Nothing counted yet.
    pub fn new(shape: TallyShape) -> Self {
        let groups = shape.arms * shape.cohorts * SEXES * shape.ages;
        BackTally { shape, cells: vec![Cell::default(); groups * (shape.years + 1)] }
    }

    /// Counts a living person of a group ([`crate::record::Tally::group`]).
    pub fn count(&mut self, group: usize, year: usize, model: &SpineModel, spine: Spine, bearing: &Bearing) {
        self.cells[group * (self.shape.years + 1) + year].add(&Cell::of(model, spine, bearing));
    }

    /// Adds another tally of the same shape.
    pub fn add(&mut self, other: &BackTally) {
        debug_assert_eq!(self.shape, other.shape);
        self.cells.iter_mut().zip(&other.cells).for_each(|(a, b)| a.add(b));
    }

    /// The strata that somebody was in, as a table.
    pub fn into_table(self) -> Spines {
        let mut table = Spines::default();
        let s = self.shape;
        for (position, cell) in self.cells.iter().enumerate().filter(|(_, cell)| cell.counts[0] > 0) {
            let (group, year) = (position / (s.years + 1), position % (s.years + 1));
            let (who, age) = (group / s.ages, group % s.ages);
            let (arm_and_cohort, sex) = (who / SEXES, who % SEXES);
            let [people, deformed, deformities, moderate, severe, hyperkyphotic, complaints @ ..] = cell.counts;
            let [back_pain, back_disability, limited_activity, bed_rest] = complaints;
            table.push(SpineRow {
                arm: (arm_and_cohort / s.cohorts) as u8,
                cohort: (arm_and_cohort % s.cohorts) as u8,
                sex: sex as u8,
                age: (s.first_age + age) as u8,
                year: year as u8,
                people,
                deformed,
                deformities,
                moderate,
                severe,
                height_loss_sum: cell.height_loss[0],
                height_loss_square_sum: cell.height_loss[1],
                kyphosis_sum: cell.kyphosis[0],
                kyphosis_square_sum: cell.kyphosis[1],
                hyperkyphotic,
                back_pain,
                back_disability,
                limited_activity,
                bed_rest,
            });
        }
        table
    }
}

impl Cell {
    fn of(model: &SpineModel, spine: Spine, bearing: &Bearing) -> Self {
        let (deformities, worst) = (spine.deformities(), spine.worst_grade());
        let mut counts = [0; COUNTS];
        counts[..6].copy_from_slice(&[
            1,
            u64::from(deformities > 0),
            u64::from(deformities),
            u64::from(worst >= 2),
            u64::from(worst >= 3),
            u64::from(model.posture.is_hyperkyphosis(bearing.kyphosis)),
        ]);
        for (k, count) in counts[6..].iter_mut().enumerate() {
            *count = u64::from(bearing.complaints >> k & 1);
        }
        let rounded = |value: f64, parts: f64| libm::round(value * parts) as i64;
        let height_loss = rounded(bearing.height_loss, PARTS_OF_CM);
        let coarse = rounded(bearing.kyphosis, PARTS_OF_SQUARED_DEGREE);
        Cell {
            counts,
            height_loss: [height_loss, height_loss * height_loss],
            kyphosis: [rounded(bearing.kyphosis, PARTS_OF_DEGREE), coarse * coarse],
        }
    }

    fn add(&mut self, other: &Cell) {
        self.counts.iter_mut().zip(other.counts).for_each(|(a, b)| *a += b);
        self.height_loss.iter_mut().zip(other.height_loss).for_each(|(a, b)| *a += b);
        self.kyphosis.iter_mut().zip(other.kyphosis).for_each(|(a, b)| *a += b);
    }
}
