//! Visits: how the living have changed since index, as trials report it.
//!
//! 1. change = value / value at index - 1; index is month 0, before any exposure of the arm has acted
//! 2. peak = value / value of the balanced young adult that the person was - 1
//!
//! Both are rounded to 1e-5 for each person before they are added, so that parts of a simulation add up to the same numbers in any order.
//! Density is relative density: the individual scale to areal density cancels.

use crate::biology::remodeling::Balance;
use crate::block::{Person, State};
use crate::cohort::history::Block;
use crate::cohort::month::Lives;
use crate::model::Model;
use crate::numeric::Scalar;
use crate::record::{VisitRow, Visits};

/// What is measured at a visit: the four density sites, CTX, P1NP.
pub const MEASURES: usize = 6;

/// Parts of 1 in which change is counted.
const PARTS: f64 = 1.0e5;

/// All measures of one person.
#[inline(always)]
pub fn measures<S: Scalar>(balance: &Balance<S>, person: &Person<S>, state: &State<S>) -> [S; MEASURES] {
    let [spine, total, neck, radius] = balance.relative_density(person, state);
    [spine, total, neck, radius, balance.ctx(state), balance.p1np(state)]
}

/// Counters of one arm, cohort, visit and measure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cell {
    people: u64,
    change: i64,
    square: i64,
    peak: i64,
}

/// Dense counters of visits; parts add up.
#[derive(Clone, Debug)]
pub struct VisitTally {
    cohorts: usize,
    months: Vec<u32>,
    cells: Vec<[Cell; MEASURES]>,
}

impl VisitTally {
    /// Nothing counted yet.
    pub fn new(model: &Model) -> Self {
        let cells = model.arms.len() * model.cohorts.len() * model.visits.len();
        VisitTally { cohorts: model.cohorts.len(), months: model.visits.clone(), cells: vec![[Cell::default(); MEASURES]; cells] }
    }

    /// Counts the living of a block if there is a visit at the start of this month.
    pub fn count<S: Scalar, const L: usize>(
        &mut self,
        balance: &Balance<S>,
        block: &Block<S, L>,
        lives: &Lives<S, L>,
        arm: usize,
        month: u32,
    ) {
        let Ok(visit) = self.months.binary_search(&month) else { return };
        for (lane, recruit) in block.recruits.iter().enumerate().filter(|(lane, _)| lives.alive[*lane]) {
            let person = block.person.load(lane);
            let now = measures(balance, &person, &lives.state.load(lane));
            let index = measures(balance, &person, &block.state.load(lane));
            let peak = measures(balance, &person, &balance.at_peak(&person));
            let cells = &mut self.cells[(arm * self.cohorts + recruit.cohort) * self.months.len() + visit];
            for (k, cell) in cells.iter_mut().enumerate() {
                cell.add(&Cell::of(parts(now[k], index[k]), parts(now[k], peak[k])));
            }
        }
    }

    /// Adds another tally of the same model.
    pub fn add(&mut self, other: &VisitTally) {
        debug_assert_eq!(self.cells.len(), other.cells.len());
        for (a, b) in self.cells.iter_mut().flatten().zip(other.cells.iter().flatten()) {
            a.add(b);
        }
    }

    /// The visits at which somebody was alive, as a table.
    pub fn into_table(self) -> Visits {
        let mut table = Visits::default();
        for (group, cells) in self.cells.iter().enumerate() {
            let (who, visit) = (group / self.months.len(), group % self.months.len());
            for (measure, cell) in cells.iter().enumerate().filter(|(_, cell)| cell.people > 0) {
                table.push(VisitRow {
                    arm: (who / self.cohorts) as u8,
                    cohort: (who % self.cohorts) as u8,
                    month: self.months[visit] as u16,
                    measure: measure as u8,
                    people: cell.people,
                    change_sum: cell.change,
                    change_square_sum: cell.square,
                    peak_sum: cell.peak,
                });
            }
        }
        table
    }
}

impl Cell {
    fn of(change: i64, peak: i64) -> Self {
        Cell { people: 1, change, square: change.saturating_mul(change), peak }
    }

    /// Squares stop at the largest number rather than turn negative; no other order of adding gives anything else.
    fn add(&mut self, other: &Cell) {
        self.people += other.people;
        self.change += other.change;
        self.square = self.square.saturating_add(other.square);
        self.peak += other.peak;
    }
}

/// value / reference - 1 in parts of 1, rounded.
fn parts<S: Scalar>(value: S, reference: S) -> i64 {
    libm::round((value.to_f64() / reference.to_f64() - 1.0) * PARTS) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_person_is_rounded_before_they_are_added() {
        assert_eq!((parts(1.000_004_f64, 1.0), parts(1.000_006_f64, 1.0), parts(0.5_f32, 1.0)), (0, 1, -50_000));
        let mut sum = Cell::of(3, 1);
        sum.add(&Cell::of(-4, 2));
        assert_eq!(sum, Cell { people: 2, change: -1, square: 25, peak: 3 });
        sum.add(&Cell { square: i64::MAX, ..Cell::default() });
        assert_eq!(sum.square, i64::MAX);
    }
}
