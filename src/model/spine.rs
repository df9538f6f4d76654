//! The spine of a study: its constants, checked, and what follows from one person's spine at one time.

use crate::biology::fracture::FractureSite;
use crate::biology::spine::{Back, Levels, Outcome, Posture, Spine};
use crate::cohort::recruit::Recruit;
use crate::error::Problems;
use crate::parameters::{COMPLAINTS, GRADES, Parameters, SPINE_REGIONS};
use crate::units::MONTHS_PER_YEAR;

/// Degrees that `kyphosis_load` is given for.
const DEGREES: f64 = 10.0;
/// Age at which amounts of ageing hold, years; it must start before.
const OLD: f64 = 80.0;

/// The same for everybody.
#[derive(Clone, Debug)]
pub struct SpineModel {
    /// Fracture site that noticed compressions belong to; without one, no vertebra gives way.
    pub site: Option<usize>,
    /// Loads of the levels.
    pub levels: Levels<f64>,
    /// What compressions become.
    pub outcome: Outcome,
    /// Height and kyphosis.
    pub posture: Posture,
    /// Complaints.
    pub back: Back,
    /// Gain of ln load per degree of kyphosis.
    pub per_degree: f64,
}

/// What a spine is to a person at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bearing {
    /// Height lost since youth, cm.
    pub height_loss: f64,
    /// Kyphosis, degrees.
    pub kyphosis: f64,
    /// Bit k: the k-th complaint.
    pub complaints: u8,
}

impl SpineModel {
    /// Height, kyphosis and complaints of a person so many months after index; `months_since` the last noticed compression.
    pub fn bearing(&self, recruit: &Recruit, spine: Spine, month: u32, months_since: f64) -> Bearing {
        let age_months = recruit.age_months + month;
        let age = f64::from(age_months) / f64::from(MONTHS_PER_YEAR);
        Bearing {
            height_loss: self.posture.height_loss(age_months, spine),
            kyphosis: self.posture.kyphosis(&recruit.curve, age_months, spine),
            complaints: self.back.complaints(recruit.back_luck, age, spine, months_since),
        }
    }

    /// What kyphosis beyond the mean adds to the demand on the spine.
    pub fn kyphosis_part(&self, recruit: &Recruit, spine: Spine, month: u32) -> f64 {
        self.per_degree * self.posture.more_than_mean(&recruit.curve, recruit.age_months + month, spine)
    }
}

/// Takes the constants of the spine and notes what cannot be.
pub(super) fn spine(parameters: &Parameters, sites: &[FractureSite], problems: &mut Problems) -> SpineModel {
    let of_the_spine: Vec<usize> = (0..sites.len()).filter(|k| sites[*k].of_the_spine).collect();
    if of_the_spine.len() > 1 {
        problems.add("fracture_sites", format!("{} sites of the spine", of_the_spine.len()), "at most one");
    }
    let p = &parameters.spine;
    let mut within = |name: &str, value: f64, low: f64, high: f64| {
        problems.require_within(&format!("parameters.spine.{name}"), value, low, high);
    };
    within("share_moderate", p.share_moderate, 0.0, 1.0);
    within("share_severe", p.share_severe, 0.0, 1.0 - p.share_moderate);
    for (k, region) in SPINE_REGIONS.iter().enumerate() {
        within(&format!("wedge_share.{region}"), p.wedge_share.0[k], 0.0, 1.0);
        within(&format!("biconcave_share.{region}"), p.biconcave_share.0[k], 0.0, 1.0 - p.wedge_share.0[k]);
    }
    for (k, grade) in GRADES.iter().enumerate() {
        within(&format!("attention_share.{grade}"), p.attention_share.0[k], 0.0, 1.0);
    }
    for (k, complaint) in COMPLAINTS.iter().enumerate() {
        within(&format!("pain_share.{complaint}"), p.pain_share.0[k], 1e-9, 1.0 - 1e-9);
    }
    within("grade_ratio", p.grade_ratio, 0.01, 100.0);
    within("neighbour_load", p.neighbour_load, 0.0, 10.0);
    within("own_weakening", p.own_weakening, 0.0, 10.0);
    within("past_incidence_ratio", p.past_incidence_ratio, 0.0, 10.0);
    within("early_deformities.women", p.early_deformities[0], 0.0, 13.0);
    within("early_deformities.men", p.early_deformities[1], 0.0, 13.0);
    within("disc_height_loss_from", p.disc_height_loss_from, 0.0, OLD - 1.0);
    within("kyphosis_ageing_from", p.kyphosis_ageing_from, 0.0, OLD - 1.0);
    within("kyphosis_ageing_power", p.kyphosis_ageing_power, 0.1, 10.0);
    within("kyphosis_ageing_cv", p.kyphosis_ageing_cv, 0.0, 10.0);
    within("kyphosis_young_sd", p.kyphosis_young_sd, 0.0, 100.0);
    let site = of_the_spine.first().copied();
    SpineModel {
        site,
        levels: Levels::new(p, site.map_or(1.0, |k| sites[k].bone.spread)),
        outcome: Outcome::new(p),
        posture: Posture::new(p),
        back: Back::new(p),
        per_degree: p.kyphosis_load / DEGREES,
    }
}
