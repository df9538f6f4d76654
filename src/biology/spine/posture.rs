//! Posture: what compressed vertebrae and ageing discs do to stature and to the chest's curve (equations 5 and 6 of [`super`]).
//!
//! In `f64`: it is asked for at index, at anniversaries and at a compression, not every month.

use super::levels::{Spine, THORACIC};
use crate::parameters::{LEVELS, SHAPES, SpineParameters};
use crate::table::AGES;
use crate::units::MONTHS_PER_YEAR;

/// No back is bent further, degrees: the ribs then rest on the pelvis.
const MOST_KYPHOSIS: f64 = 120.0;
/// Age at which the amounts of ageing hold, years.
const OLD: f64 = 80.0;

/// Constants of posture; what age does is tabulated by month of age.
#[derive(Clone, Debug)]
pub struct Posture {
    /// cm, by months of age.
    disc_height_loss: Vec<f64>,
    /// Degrees by months of age, for people whose back ages as usual.
    ageing: Vec<f64>,
    young: f64,
    young_sd: f64,
    ln_ageing_variance: f64,
    /// cm by shape and grade.
    height_loss: [[f64; 4]; 4],
    /// Degrees by shape and grade.
    wedge_angle: [[f64; 4]; 4],
    hyperkyphosis_from: f64,
}

/// How one person's back is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    /// Kyphosis of the young adult less the mean, degrees.
    pub young: f64,
    /// Ageing of the curve relative to the usual.
    pub ageing: f64,
}

impl Posture {
    /// Takes the constants.
    pub fn new(p: &SpineParameters) -> Self {
        let share_of_old = |from: f64, month: usize| (month as f64 / f64::from(MONTHS_PER_YEAR) - from).max(0.0) / (OLD - from);
        let by_month = |value: &dyn Fn(usize) -> f64| (0..AGES * MONTHS_PER_YEAR as usize).map(value).collect();
        Posture {
            disc_height_loss: by_month(&|month| {
                let share = share_of_old(p.disc_height_loss_from, month);
                p.disc_height_loss * share * share
            }),
            ageing: by_month(&|month| p.kyphosis_ageing * libm::pow(share_of_old(p.kyphosis_ageing_from, month), p.kyphosis_ageing_power)),
            young: p.kyphosis_young,
            young_sd: p.kyphosis_young_sd,
            ln_ageing_variance: libm::log1p(p.kyphosis_ageing_cv * p.kyphosis_ageing_cv),
            height_loss: by_shape_and_grade(p.height_loss.0, p.grade_ratio),
            wedge_angle: by_shape_and_grade(p.wedge_angle.0, p.grade_ratio),
            hyperkyphosis_from: p.hyperkyphosis_from,
        }
    }

    /// Of two standard normal numbers.
    pub fn curve(&self, young: f64, ageing: f64) -> Curve {
        let v = self.ln_ageing_variance;
        Curve { young: self.young_sd * young, ageing: libm::exp(libm::sqrt(v) * ageing - 0.5 * v) }
    }

    /// Equation 5: loss of stature since youth, cm.
    pub fn height_loss(&self, age_months: u32, spine: Spine) -> f64 {
        of_age(&self.disc_height_loss, age_months) + spine.sum(LEVELS.len(), &self.height_loss)
    }

    /// Equation 6: kyphosis (Cobb angle T4 to T12), degrees.
    pub fn kyphosis(&self, curve: &Curve, age_months: u32, spine: Spine) -> f64 {
        let ageing = curve.ageing * of_age(&self.ageing, age_months);
        (self.young + curve.young + ageing + spine.sum(THORACIC, &self.wedge_angle)).min(MOST_KYPHOSIS)
    }

    /// Kyphosis less the mean of people of this age without a compressed vertebra, degrees.
    pub fn more_than_mean(&self, curve: &Curve, age_months: u32, spine: Spine) -> f64 {
        self.kyphosis(curve, age_months, spine) - (self.young + of_age(&self.ageing, age_months))
    }

    /// Whether a kyphosis is called hyperkyphosis.
    pub fn is_hyperkyphosis(&self, kyphosis: f64) -> bool {
        kyphosis >= self.hyperkyphosis_from
    }
}

fn of_age(table: &[f64], age_months: u32) -> f64 {
    table[(age_months as usize).min(table.len() - 1)]
}

/// Amounts at moderate grade, by shape, made a table by shape and grade.
fn by_shape_and_grade(moderate: [f64; SHAPES.len()], ratio: f64) -> [[f64; 4]; 4] {
    let mut table = [[0.0; 4]; 4];
    for (row, amount) in table[1..].iter_mut().zip(moderate) {
        row[1..].copy_from_slice(&[amount / ratio, amount, amount * ratio]);
    }
    table
}
