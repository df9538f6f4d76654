//! Every number of the model by name, unit and meaning. Values, ranges and sources are data and stand elsewhere
//! (`python/cohortsim/data/parameters`); this list says which ones there must be.

use crate::error::Problems;
use std::collections::BTreeMap;

/// Skeletal sites where density is followed, in the order of every array of four.
pub const DENSITY_SITES: [&str; 4] = ["lumbar_spine", "total_hip", "femoral_neck", "distal_radius"];
/// Bone compartments that are followed, in the order of every array of five.
pub const COMPARTMENTS: [&str; 5] = ["spine_trabecular", "spine_cortical", "hip_trabecular", "hip_cortical", "radius_cortical"];
/// Regions of the skeleton that are loaded differently, in the order of every array of three.
pub const REGIONS: [&str; 3] = ["spine", "proximal_femur", "radius"];
/// Sexes, in the order of every array of two.
pub const SEXES: [&str; 2] = ["women", "men"];

/// Levels of the spine that are followed, from above, in the order of every array of thirteen.
pub const LEVELS: [&str; 13] = ["t4", "t5", "t6", "t7", "t8", "t9", "t10", "t11", "t12", "l1", "l2", "l3", "l4"];
/// Regions of the spine whose vertebrae deform alike: T4 to T10, T11 to L4.
pub const SPINE_REGIONS: [&str; 2] = ["thoracic", "lumbar"];
/// Grades of a vertebral deformity (Genant), from 1.
pub const GRADES: [&str; 3] = ["mild", "moderate", "severe"];
/// Shapes of a vertebral deformity, from 1.
pub const SHAPES: [&str; 3] = ["wedge", "biconcave", "crush"];
/// What a back complains of, in the order of its bits.
pub const COMPLAINTS: [&str; 4] = ["back_pain", "back_disability", "limited_activity", "bed_rest"];

/// One value for each density site.
pub type PerSite = [f64; 4];
/// One value for each bone compartment.
pub type PerCompartment = [f64; 5];
/// One value for each region.
pub type PerRegion = [f64; 3];
/// One value for each sex.
pub type PerSex = [f64; 2];
/// One value for each level of the spine.
pub type PerLevel = [f64; 13];

/// What the core needs to be told about one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// `system.name` or `system.name.site`.
    pub name: String,
    /// Unit in UCUM spelling.
    pub unit: &'static str,
    /// What it is.
    pub meaning: &'static str,
}

/// A parameter's shape: one number, or one for each site or sex.
trait Shape: Sized {
    fn suffixes() -> &'static [&'static str];
    fn from_values(values: &[f64]) -> Self;
}

impl Shape for f64 {
    fn suffixes() -> &'static [&'static str] {
        &[]
    }
    fn from_values(values: &[f64]) -> Self {
        values[0]
    }
}

macro_rules! shape_of_array {
    ($t:ty, $suffixes:expr) => {
        impl Shape for $t {
            fn suffixes() -> &'static [&'static str] {
                &$suffixes
            }
            fn from_values(values: &[f64]) -> Self {
                std::array::from_fn(|k| values[k])
            }
        }
    };
    ($(#[$about:meta])* $t:ident: $n:literal, $suffixes:expr) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $t(pub [f64; $n]);
        impl Shape for $t {
            fn suffixes() -> &'static [&'static str] {
                &$suffixes
            }
            fn from_values(values: &[f64]) -> Self {
                $t(std::array::from_fn(|k| values[k]))
            }
        }
    };
}
shape_of_array!(PerSite, DENSITY_SITES);
shape_of_array!(PerCompartment, COMPARTMENTS);
shape_of_array!(PerRegion, REGIONS);
shape_of_array!(PerSex, SEXES);
shape_of_array!(PerLevel, LEVELS);
shape_of_array!(
    /// One value for each region of the spine.
    PerSpineRegion: 2, SPINE_REGIONS);
shape_of_array!(
    /// One value for each grade of a deformity.
    PerGrade: 3, GRADES);
shape_of_array!(
    /// One value for each shape of a deformity.
    PerShape: 3, SHAPES);
shape_of_array!(
    /// One value for each complaint of the back.
    PerComplaint: 4, COMPLAINTS);

fn names_of<T: Shape>(system: &str, name: &str) -> Vec<String> {
    match T::suffixes() {
        [] => vec![format!("{system}.{name}")],
        suffixes => suffixes.iter().map(|s| format!("{system}.{name}.{s}")).collect(),
    }
}

fn take<T: Shape>(system: &str, name: &str, given: &mut BTreeMap<String, f64>, problems: &mut Problems) -> T {
    let values: Vec<f64> = names_of::<T>(system, name)
        .iter()
        .map(|full| match given.remove(full) {
            Some(x) if x.is_finite() => x,
            Some(x) => {
                problems.add(format!("parameters.{full}"), x.to_string(), "a finite number");
                0.0
            }
            None => {
                problems.add(format!("parameters.{full}"), "no value", "one number");
                0.0
            }
        })
        .collect();
    T::from_values(&values)
}

macro_rules! parameters {
    ($( $(#[$about:meta])* $system:ident: $Struct:ident { $( $name:ident: $shape:ty, $unit:literal, $meaning:literal; )* } )*) => {
        $(
            $(#[$about])*
            #[derive(Clone, Debug, PartialEq)]
            pub struct $Struct { $( #[doc = $meaning] pub $name: $shape, )* }
        )*

        /// All parameters of the model, by system.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Parameters { $( $(#[$about])* pub $system: $Struct, )* }

        impl Parameters {
            /// Which parameters there are.
            pub fn specs() -> Vec<Spec> {
                let mut all = Vec::new();
                $($( for name in names_of::<$shape>(stringify!($system), stringify!($name)) {
                    all.push(Spec { name, unit: $unit, meaning: $meaning });
                } )*)*
                all
            }

            /// Takes every parameter out of `given`; notes all that are missing, not finite, or unknown.
            pub fn take(mut given: BTreeMap<String, f64>, problems: &mut Problems) -> Parameters {
                let parameters = Parameters { $( $system: $Struct {
                    $( $name: take::<$shape>(stringify!($system), stringify!($name), &mut given, problems), )*
                }, )* };
                for (name, value) in given {
                    problems.add(format!("parameters.{name}"), value.to_string(), "a parameter that the core knows");
                }
                parameters
            }
        }
    };
}

parameters! {
    /// Bone-resorbing and bone-making cells.
    remodeling: RemodelingParameters {
        estrogen_half_effect: f64, "1", "Half-effect constant of the sex-steroid signal on the RANKL drive of resorption";
        precursor_rate: f64, "/a", "Turnover of the pool of osteoclast precursors";
        precursor_rankl_share: f64, "1", "Share of the precursor pool's inflow and outflow that depends on RANKL";
        precursor_crowding: f64, "1", "Fall of the precursors' relative inflow per resting pool that has piled up";
        pth_exponent: f64, "1", "Exponent of parathyroid hormone in the RANKL drive of resorption";
        coupling_rate: f64, "/a", "Rate at which bone-making cells that refill resorbed sites follow resorption";
        modelling_rate: f64, "/a", "Rate at which modelling-based formation follows its stimulus";
        modelling_turnover_exponent: f64, "1", "Exponent by which stimulated modelling scales with refilling";
        progenitor_rate: f64, "/a", "Recovery of the progenitor reserve of stimulated modelling";
        progenitor_depletion: f64, "1", "Depletion of the progenitor reserve per unit of modelling stimulus";
        progenitor_turnover_share: f64, "1", "Share of the progenitor reserve's outflow that refilling draws";
        estrogen_deficit_formation_loss: f64, "1", "Loss of refilling at complete estrogen deficiency";
        formation_loss_per_decade: f64, "1", "Loss of refilling per decade of age after `ageing_from`";
        ageing_from: f64, "a", "Age after which refilling declines";
        glucocorticoid_half_effect: f64, "1", "Glucocorticoid exposure at which the effect is half of the most";
        glucocorticoid_formation_loss: f64, "1", "Early loss of formation at a glucocorticoid exposure of 1";
        glucocorticoid_formation_adaptation: f64, "1", "Share of the early glucocorticoid loss of formation that fades";
        glucocorticoid_resorption_gain: f64, "1", "Early gain of the resorption drive at a glucocorticoid exposure of 1";
        glucocorticoid_adaptation_rate: f64, "/a", "Rate at which the early glucocorticoid effects fade";
        protein_formation_gain: f64, "d/g", "Relative gain of refilling per gram of protein added to the usual diet a day";
        p1np_modelling_share: f64, "1", "Share of modelling in the formation marker P1NP";
        ctx_assay_floor: f64, "1", "Part of the resorption marker CTX that does not come from remodeling, relative to the young adult's resorption";
        turnover_rate: PerCompartment, "/a", "Effective turnover of bone volume";
        modelling_share: PerCompartment, "1", "Share of formation that is modelling";
        mechanostat_exponent: PerRegion, "1", "Exponent of (load / bone volume) in formation";
        load_decline: PerRegion, "1", "Decline of the mechanical signal at 20 years past `load_decline_from`, growing with the square of the years";
        load_decline_from: f64, "a", "Age after which the mechanical signal declines";
        unloading_resorption: PerRegion, "1", "Relative gain of resorption at complete unloading";
        unloading_refilling: f64, "1", "Share of the resorption gained by unloading that local refilling follows";
        unloading_memory_rate: f64, "/a", "Rate at which local refilling follows unloading and fades after it";
        unloading_modelling_loss: f64, "1", "Share of modelling that is lost at complete unloading";
        undermineralized_deficit: f64, "1", "Share of full mineral that young bone lacks";
        mineralization_time: f64, "a", "Mean time of secondary mineralization";
        microdamage_removal_rate: f64, "/a", "Removal of microdamage by remodeling at the young adult's resorption";
        healing_rate: f64, "/a", "Rate at which what a healing fracture draws from the skeleton fades";
        healing_resorption_gain: f64, "1", "Gain of the resorption drive while a fracture draws with strength 1";
        inhibition_floor: f64, "1", "No inhibition factor falls below this";
        mechanostat_volume_floor: f64, "1", "Bone volume below which the mechanostat sees no further loss";
        volume_floor: f64, "1", "Bone volume, relative to the young adult, below which no compartment falls";
    }
    /// Sex hormones.
    hormones: HormoneParameters {
        residual_estrogen: f64, "1", "Sex-steroid signal of women long after menopause, relative to before";
        transition_midpoint: f64, "a", "Time after the final menstrual period at which half of the estrogen signal is lost";
        transition_width: f64, "a", "Logistic width of the menopausal transition";
        mens_decline_per_year: f64, "/a", "Yearly loss of men's sex-steroid signal";
        mens_decline_from: f64, "a", "Age after which men's sex-steroid signal declines";
        replacement_efficacy: f64, "1", "Share of the estrogen deficit that full hormone therapy makes good";
        modulation_efficacy: f64, "1", "Share of the estrogen deficit of bone that raloxifene 60 mg/d makes good";
        deprivation_efficacy: f64, "1", "Share of the sex-steroid signal that full androgen deprivation removes";
        suppression_residue: f64, "1", "Share of the sex-steroid signal left under full aromatase inhibition or after loss of the ovaries";
    }
    /// Calcium, vitamin D, parathyroid hormone.
    minerals: MineralParameters {
        pth_gain_per_decade: f64, "1", "Relative rise of parathyroid hormone per decade of age after `pth_age_from`";
        pth_age_from: f64, "a", "Age after which parathyroid hormone rises";
        pth_calcium_response: f64, "1", "Relative fall of parathyroid hormone from the usual to the replete calcium supply";
        reference_calcium_intake: f64, "mg/d", "Usual calcium intake, at which the supply index is 0";
        reference_serum_25ohd: f64, "nmol/L", "Usual 25-hydroxyvitamin D, at which the supply index is 0";
        replete_calcium_intake: f64, "mg/d", "Calcium intake at which the supply index is 1";
        replete_serum_25ohd: f64, "nmol/L", "25-hydroxyvitamin D at which the supply index is 1";
        absorption_intercept: f64, "1", "Fractional calcium absorption = intercept - log slope x ln(intake in mg/d)";
        absorption_log_slope: f64, "1", "Fall of fractional absorption per unit of ln(intake)";
        absorption_loss_per_year: f64, "/a", "Fall of fractional absorption per year of age after `absorption_loss_from`";
        absorption_loss_from: f64, "a", "Age after which fractional absorption falls";
        absorption_estrogen_loss: f64, "1", "Fall of fractional absorption at complete estrogen deficiency";
        absorption_min: f64, "1", "Lowest fractional absorption";
        absorption_vitamin_d_half: f64, "nmol/L", "25-hydroxyvitamin D at which its effect on absorption is half of the most";
        supply_index_min: f64, "1", "Lowest supply index: beyond it the compensation of the gut and kidney is taken to hold";
    }
    /// What the skeleton carries.
    loading: LoadingParameters {
        exercise_gain: f64, "1", "Gain of the mechanical signal per tenth of load above habitual";
        activity_load_gain: f64, "1", "Load per unit of ln(1 + activity) above the reference activity";
        reference_activity: f64, "MET.min/wk", "Activity at which the activity part of load is 1";
        activity_load_min: f64, "1", "Lowest activity part of load";
        activity_load_max: f64, "1", "Highest activity part of load";
        reference_weight: PerSex, "kg", "Body weight at which the weight part of load is 1";
        weight_load_exponent: f64, "1", "Exponent of relative body weight in load";
        load_min: f64, "1", "Lowest mechanical signal: muscles pull even in bed";
        signal_left_with_age: f64, "1", "Share of the mechanical signal that no age takes away";
    }
    /// Medicines in the body and what they do to the cells.
    medicines: MedicineParameters {
        bisphosphonate_max_inhibition: f64, "1", "Largest inhibition of resorption by bisphosphonate at the surface";
        bisphosphonate_elimination: f64, "/a", "Loss of bisphosphonate from the bone surface";
        bisphosphonate_burial: f64, "/a", "Burial of surface bisphosphonate in new bone";
        bisphosphonate_release: f64, "/a", "Release of buried bisphosphonate at usual resorption";
        antibody_max_blockade: f64, "1", "Largest share of the RANKL drive that the antibody blocks";
        antibody_half_effect: f64, "1", "Amount of RANKL antibody of half effect, in doses of 60 mg";
        antibody_elimination: f64, "/a", "Elimination of the RANKL antibody";
        sclerostin_resorption_inhibition: f64, "1", "Fall of the RANKL drive under sclerostin antibody";
        sclerostin_formation_stimulus: f64, "1", "Stimulus of modelling by sclerostin antibody, 1 = doubled formation";
        sclerostin_adaptation_rate: f64, "/a", "Rate at which the skeleton adapts to sclerostin antibody and forgets it";
        sclerostin_rebound_gain: f64, "1", "Gain of the RANKL drive that full adaptation to sclerostin antibody brings";
        sclerostin_rebound_rate: f64, "/a", "Rate at which resorption rebounds after sclerostin antibody";
        sclerostin_formation_adaptation: f64, "1", "Loss of refilling that full adaptation to sclerostin antibody brings";
        pth_formation_stimulus: f64, "1", "Stimulus of modelling by teriparatide 20 ug/d, 1 = doubled formation";
        pth_resorption_gain: f64, "1", "Gain of the RANKL drive by teriparatide 20 ug/d without tolerance";
        pth_resorption_rate: f64, "/a", "Rate at which the resorption signal of PTH analogues builds up and fades";
        pth_tolerance: f64, "1", "Share of that signal that full tolerance takes away";
        pth_tolerance_rate: f64, "/a", "Rate at which that tolerance builds up and fades";
        pth_cortical_resorption: f64, "1", "Further gain of resorption in cortical bone by teriparatide 20 ug/d without tolerance";
    }
    /// Densitometry.
    density: DensityParameters {
        reference_mean: PerSite, "g/cm2", "Mean areal bone mineral density of the T-score's reference women";
        reference_sd: PerSite, "g/cm2", "Standard deviation of the T-score's reference women";
        trabecular_share: PerSite, "1", "Share of the young adult's areal density that is trabecular bone";
        osteopenia_t_score: f64, "1", "T-score at or below which bone mass is low";
        osteoporosis_t_score: f64, "1", "T-score at or below which there is osteoporosis";
    }
    /// Falls.
    falls: FallParameters {
        proneness_sd: f64, "1", "Standard deviation of the natural logarithm of people's proneness to falls";
        frailty_exponent: f64, "1", "Gain of the natural logarithm of the fall rate per unit of frailty";
        vitamin_d_low_below: f64, "nmol/L", "25-hydroxyvitamin D below which falls are more frequent";
        vitamin_d_low_ratio: f64, "1", "Ratio of fall rates below to above that level";
        inactive_below: f64, "MET.min/wk", "Activity below which falls are more frequent";
        inactivity_ratio: f64, "1", "Ratio of fall rates of inactive to other people";
    }
    /// Broken bones.
    fracture: FractureParameters {
        instability_half_life: f64, "a", "Time in which half of the instability after a fracture fades";
        history_years: f64, "a", "Time before index within which earlier fractures are dated";
        modelling_relief: f64, "1", "Weight of the logarithm of modelling against that of resorption in the weakness that turnover brings";
    }
    /// Death.
    mortality: MortalityParameters {
        frailty_exponent: f64, "1", "Gain of the natural logarithm of the hazard of death per unit of frailty";
    }
    /// The spine, vertebra by vertebra.
    spine: SpineParameters {
        load: PerLevel, "1", "Natural logarithm of a level's load relative to its strength, beside that of the other levels";
        neighbour_load: f64, "1", "Gain of the logarithm of a level's load per grade of an adjacent deformity";
        own_weakening: f64, "1", "Gain of the logarithm of a level's load relative to its strength per grade of its own deformity";
        kyphosis_load: f64, "1", "Gain of the logarithm of load per 10 degrees of kyphosis beyond the mean of age and sex";
        share_moderate: f64, "1", "Share of new deformities that are moderate at once";
        share_severe: f64, "1", "Share of new deformities that are severe at once";
        wedge_share: PerSpineRegion, "1", "Share of new deformities that are wedges";
        biconcave_share: PerSpineRegion, "1", "Share of new deformities that are biconcave";
        attention_share: PerGrade, "1", "Share of new or worse deformities that come to clinical attention";
        past_incidence_ratio: f64, "1", "Yearly incidence of deformities in the past relative to that of today";
        past_persistence: f64, "1", "Exponent by which today's relative risk of deformities of an intact spine held in the past";
        early_deformities: PerSex, "1", "Mean number of deformities that people of 50 bring from earlier life";
        height_loss: PerShape, "cm", "Loss of height by a deformity of moderate grade";
        grade_ratio: f64, "1", "Ratio of what a deformity of one grade does to what one of the grade below does";
        disc_height_loss: f64, "cm", "Loss of height by discs at 80 years";
        disc_height_loss_from: f64, "a", "Age from which discs lose height";
        kyphosis_young: f64, "deg", "Mean kyphosis (Cobb, T4 to T12) of the young adult";
        kyphosis_young_sd: f64, "deg", "Standard deviation of kyphosis of the young adult";
        kyphosis_ageing: f64, "deg", "Mean gain of kyphosis without fracture by 80 years";
        kyphosis_ageing_cv: f64, "1", "Between-person coefficient of variation of that gain";
        kyphosis_ageing_from: f64, "a", "Age from which kyphosis grows without fracture";
        kyphosis_ageing_power: f64, "1", "Exponent of the time since then in that gain";
        wedge_angle: PerShape, "deg", "Gain of kyphosis by a thoracic deformity of moderate grade";
        hyperkyphosis_from: f64, "deg", "Kyphosis at or above which it counts as hyperkyphosis";
        acute_pain_months: f64, "mo", "Time for which a clinical vertebral fracture hurts whatever else there is";
        pain_share: PerComplaint, "1", "Share of people aged 70 without deformity who have the complaint";
        pain_age_slope: f64, "1", "Gain of the log odds of complaints per decade of age";
        pain_silent: PerComplaint, "1", "Gain of the log odds of a complaint per deformity that never came to clinical attention";
        pain_clinical: PerComplaint, "1", "Gain of the log odds of a complaint per deformity that came to clinical attention";
    }
    /// Who the people are.
    cohort: CohortParameters {
        turnover_cv: f64, "1", "Between-person coefficient of variation of bone turnover";
        estrogen_sensitivity_cv: f64, "1", "Between-person coefficient of variation of the estrogen half-effect constant";
        formation_ageing_cv: f64, "1", "Between-person coefficient of variation of the decline of formation with age";
        modelling_cv: f64, "1", "Between-person coefficient of variation of the share of modelling";
        anabolic_response_cv: f64, "1", "Between-person coefficient of variation of the response to stimuli of formation";
        drug_sensitivity_cv: f64, "1", "Between-person coefficient of variation of the sensitivity to antiresorptive medicines";
        load_decline_cv: f64, "1", "Between-person coefficient of variation of the decline of the mechanical signal with age";
        history_from: f64, "a", "Age of peak bone mass, at which a person's balance starts";
        youngest_age: f64, "a", "Youngest age at index that the tables support";
        earlier_fracture_age_shift: f64, "a", "Years before index at which the hazard of an earlier fracture is taken";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_needed_and_no_other_is_taken() {
        let mut given: BTreeMap<String, f64> = Parameters::specs().into_iter().map(|s| (s.name, 1.0)).collect();
        let mut problems = Problems::default();
        Parameters::take(given.clone(), &mut problems);
        assert_eq!(problems, Problems::default());
        given.remove("remodeling.turnover_rate.hip_cortical");
        given.insert("remodeling.turnover_rate.hip".into(), 1.0);
        Parameters::take(given, &mut problems);
        let places: Vec<&str> = problems.0.iter().map(|p| p.place.as_str()).collect();
        assert_eq!(places, ["parameters.remodeling.turnover_rate.hip_cortical", "parameters.remodeling.turnover_rate.hip"]);
    }
}
