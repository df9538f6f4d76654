//! From a request to a model: names become positions, tables dense, rates monthly; every mistake is noted before any is reported.

use super::cohorts::{Known, cohorts};
use super::exposures::{Place, effects, exposures};
use super::populations::{population, table_of_knots};
use super::request::*;
use super::*;
use crate::biology::fracture::{MAX_SITES, MortalityAfter};
use crate::biology::mortality;
use crate::biology::strength::Bone;
use crate::cohort::entry;
use crate::cohort::persons::Columns;
use crate::error::{ModelError, Problems};
use crate::numeric::cpu::Cpu;
use crate::parameters::{DENSITY_SITES, SEXES};
use crate::random;
use crate::table::Between;
use std::collections::BTreeMap;

/// Loads of daily life are counted by the falls: some of the fractures at a site must come from falls.
const LEAST_SHARE_FROM_FALLS: f64 = 1e-3;
/// Most risk factors: one bit each.
const MAX_RISK_FACTORS: usize = 32;

impl Model {
    /// Compiles the JSON text of a request.
    pub fn from_json(text: &str) -> Result<Model, ModelError> {
        Model::from_json_like(text, None)
    }

    /// Compiles the JSON text of a request whose cohorts, some of them, consist of people whom the user has: their columns by cohort.
    pub fn from_json_with(text: &str, earlier: Option<&Model>, persons: &BTreeMap<String, Columns>) -> Result<Model, ModelError> {
        let request: Request = serde_json::from_str(text).map_err(|e| {
            let mut problems = Problems::default();
            problems.add("request", e.to_string(), "a request of the form this core understands");
            ModelError::Request(problems)
        })?;
        Model::compile(request, earlier, persons)
    }

    /// Compiles the JSON text of a request. What makes populations come out at their own rates is taken over from an earlier model as far
    /// as it rests on the same numbers; the model is the same with and without it, to the last bit.
    pub fn from_json_like(text: &str, earlier: Option<&Model>) -> Result<Model, ModelError> {
        Model::from_json_with(text, earlier, &BTreeMap::new())
    }

    /// Compiles a request; see [`Model::from_json_like`] and [`Model::from_json_with`].
    pub fn compile(request: Request, earlier: Option<&Model>, persons: &BTreeMap<String, Columns>) -> Result<Model, ModelError> {
        let mut problems = Problems::default();
        let cpu = Cpu::choose()?;
        let model = checked(request, persons, cpu, &mut problems);
        if !problems.0.is_empty() {
            return Err(ModelError::Request(problems));
        }
        let mut model = model.expect("a request without problems compiles");
        super::normalize::normalize(&mut model, earlier, &mut problems);
        if problems.0.is_empty() {
            // Only now are spines known, for which rules can ask.
            entry::check(&model, &mut problems);
        }
        if !problems.0.is_empty() {
            return Err(ModelError::Request(problems));
        }
        Ok(model)
    }
}

fn checked(request: Request, persons: &BTreeMap<String, Columns>, cpu: Cpu, problems: &mut Problems) -> Option<Model> {
    if request.format != FORMAT {
        problems.add("format", request.format.to_string(), format!("request format {FORMAT}"));
        return None;
    }
    if request.people == 0 {
        problems.add("people", "0", "at least one person");
    }
    if request.months == 0 || !request.months.is_multiple_of(12) || request.months > 12 * 100 {
        problems.add("months", request.months.to_string(), "whole years from 1 to 100, in months");
    }
    if !request.visits.windows(2).all(|w| w[0] < w[1]) {
        problems.add("visits", format!("{:?}", request.visits), "months in ascending order");
    }
    if let Some(late) = request.visits.iter().find(|v| **v > request.months) {
        problems.add("visits", format!("month {late}"), format!("months within follow-up, 0 to {}", request.months));
    }
    let parameters = Parameters::take(request.parameters, problems);
    let loading = &parameters.loading;
    if loading.activity_load_max < loading.activity_load_min {
        let most = format!("{}", loading.activity_load_max);
        problems.add("parameters.loading.activity_load_max", most, "a number not below loading.activity_load_min");
    }
    let fracture_sites = fracture_sites(&request.fracture_sites, &parameters, problems);
    let spine = super::spine::spine(&parameters, &fracture_sites, problems);
    let site_ids: Vec<&str> = request.fracture_sites.iter().map(|s| s.id.as_str()).collect();
    let risk_factors = risk_factors(&request.risk_factors, &site_ids, problems);
    let factor_ids: Vec<&str> = request.risk_factors.iter().map(|r| r.id.as_str()).collect();
    let populations: Vec<Population> = request
        .populations
        .iter()
        .enumerate()
        .filter_map(|(k, p)| population(p, &format!("populations[{k}]"), &site_ids, &factor_ids, problems))
        .collect();
    let cohort_names: Vec<&str> = request.cohorts.iter().map(|c| c.name.as_str()).collect();
    let known = Known {
        requested: &request.populations,
        populations: &populations,
        parameters: &parameters,
        factor_ids: &factor_ids,
        months: request.months,
    };
    let cohorts = cohorts(&request.cohorts, &known, persons, problems);
    let arms: Vec<Arm> = request
        .arms
        .iter()
        .enumerate()
        .map(|(k, arm)| Arm {
            name: arm.name.clone(),
            exposures: exposures(&arm.exposures, &format!("arms[{k}]"), &cohort_names, Place::Arm, problems),
        })
        .collect();
    if arms.is_empty() || arms.len() > usize::from(u8::MAX) {
        problems.add("arms", arms.len().to_string(), "1 to 255 arms");
    }
    let class_site = density_site(&request.class_site, "class_site", problems);
    Some(Model {
        parameters,
        populations,
        risk_factors,
        fracture_sites,
        spine,
        cohorts,
        arms,
        luck: random::Luck::new(request.seed),
        people: request.people,
        months: request.months,
        secular_trend: request.secular_trend,
        visits: request.visits,
        class_site,
        record_persons: request.record_persons,
        precision: request.precision,
        cpu,
    })
}

pub(super) fn density_site(name: &str, place: &str, problems: &mut Problems) -> usize {
    DENSITY_SITES.iter().position(|s| *s == name).unwrap_or_else(|| {
        problems.add(place, format!("no density site {name:?}"), format!("one of {}", DENSITY_SITES.join(", ")));
        0
    })
}

pub(super) fn which_sexes(names: &[String], place: &str, problems: &mut Problems) -> [bool; 2] {
    for name in names.iter().filter(|n| !SEXES.contains(&n.as_str())) {
        problems.add(place, format!("{name:?}"), format!("one of {}", SEXES.join(", ")));
    }
    SEXES.map(|sex| names.iter().any(|n| n == sex))
}

fn fracture_sites(requested: &[FractureSiteRequest], parameters: &Parameters, problems: &mut Problems) -> Vec<FractureSite> {
    if requested.len() > MAX_SITES {
        problems.add("fracture_sites", requested.len().to_string(), format!("at most {MAX_SITES} sites"));
    }
    let mut taken = Vec::new();
    requested
        .iter()
        .enumerate()
        .map(|(k, site)| {
            let place = format!("fracture_sites[{k}]");
            if taken.contains(&site.decision) || site.decision >= 64 {
                problems.add(format!("{place}.decision"), site.decision.to_string(), "a number below 64 that no other site has");
            }
            taken.push(site.decision);
            let mut within = |name: &str, value: f64, low: f64, high: f64| {
                problems.require_within(&format!("{place}.{name}"), value, low, high);
            };
            within("strength_exponent", site.strength_exponent, -20.0, 20.0);
            within("change_exponent", site.change_exponent, -20.0, 20.0);
            within("spread", site.spread, 0.01, 10.0);
            within("turnover_exponent", site.turnover_exponent, -5.0, 5.0);
            within("microdamage_exponent", site.microdamage_exponent, -5.0, 5.0);
            within("weight_exponent", site.weight_exponent, -20.0, 20.0);
            within("height_exponent", site.height_exponent, -20.0, 20.0);
            within("frailty_exponent", site.frailty_exponent, -5.0, 5.0);
            within("share_from_falls", site.share_from_falls, LEAST_SHARE_FROM_FALLS, 1.0);
            within("prior_fracture_ratio", site.prior_fracture_ratio, 0.1, 20.0);
            within("healing_draw", site.healing_draw, 0.0, 5.0);
            within("instability", site.instability, 0.0, 10.0);
            within("mobility_loss", site.mobility_loss, 0.0, 10.0);
            let density_site = density_site(&site.density_site, &format!("{place}.density_site"), problems);
            FractureSite {
                id: site.id.clone(),
                decision: site.decision,
                density_site,
                of_the_spine: site.of_the_spine,
                bone: Bone {
                    strength_exponent: site.strength_exponent,
                    change_exponent: site.change_exponent,
                    ln_reference: libm::log(parameters.density.reference_mean[density_site]),
                    turnover_exponent: site.turnover_exponent,
                    modelling_exponent: site.turnover_exponent * parameters.fracture.modelling_relief,
                    microdamage_exponent: site.microdamage_exponent,
                    weight_exponent: site.weight_exponent,
                    height_exponent: site.height_exponent,
                    frailty_exponent: site.frailty_exponent,
                    spread: site.spread,
                },
                healing_draw: site.healing_draw,
                ln_prior_ratio: libm::log(site.prior_fracture_ratio),
                share_from_falls: site.share_from_falls,
                instability: site.instability,
                mobility_loss: site.mobility_loss,
                mortality: mortality_after(site, &place, problems),
                nursing_home: site
                    .nursing_home
                    .as_ref()
                    .map(|knots| table_of_knots(knots.both(), &format!("{place}.nursing_home"), 1.0, Between::Linear, problems)),
            }
        })
        .collect()
}

fn mortality_after(site: &FractureSiteRequest, place: &str, problems: &mut Problems) -> Option<MortalityAfter> {
    let steps = &site.mortality_after;
    if steps.is_empty() {
        return None;
    }
    let place = format!("{place}.mortality_after");
    let ascending = steps[0].from_month == 0.0 && steps.windows(2).all(|w| w[0].from_month < w[1].from_month);
    if !ascending || steps.len() > mortality::MAX_STEPS {
        problems.add(&place, format!("{} steps", steps.len()), format!("at most {} steps, from month 0 upward", mortality::MAX_STEPS));
    }
    for step in steps {
        problems.require_within(&place, step.women, 0.1, 50.0);
        problems.require_within(&place, step.men, 0.1, 50.0);
    }
    let until_month = site.mortality_until_month.unwrap_or(f64::NAN);
    problems.require_within(&format!("{place}.until"), until_month, steps[steps.len() - 1].from_month, 1200.0);
    let age_slope = site.mortality_age_slope.as_ref().map_or([0.0; 2], |slope| [slope.women, slope.men]);
    for slope in age_slope {
        problems.require_within(&format!("{place}.age_slope"), slope, -1.0, 1.0);
    }
    Some(MortalityAfter {
        age_slope,
        from_month: steps.iter().map(|s| s.from_month).collect(),
        ratio: steps.iter().map(|s| [s.women, s.men]).collect(),
        until_month,
    })
}

fn risk_factors(requested: &[RiskFactorRequest], site_ids: &[&str], problems: &mut Problems) -> Vec<RiskFactor> {
    if requested.len() > MAX_RISK_FACTORS {
        problems.add("risk_factors", requested.len().to_string(), format!("at most {MAX_RISK_FACTORS}"));
    }
    requested
        .iter()
        .enumerate()
        .map(|(k, factor)| {
            let place = format!("risk_factors[{k}]");
            for (site, ratio) in &factor.hazard_ratios {
                if !site_ids.contains(&site.as_str()) {
                    problems.add(
                        format!("{place}.hazard_ratios"),
                        format!("no fracture site {site:?}"),
                        format!("one of {}", site_ids.join(", ")),
                    );
                }
                problems.require_within(&format!("{place}.hazard_ratios.{site}"), *ratio, 0.05, 20.0);
            }
            problems.require_within(&format!("{place}.falls_ratio"), factor.falls_ratio, 0.05, 20.0);
            problems.require_within(&format!("{place}.mortality_ratio"), factor.mortality_ratio, 0.05, 20.0);
            RiskFactor {
                id: factor.id.clone(),
                ln_ratio: site_ids.iter().map(|s| factor.hazard_ratios.get(*s).map_or(0.0, |x| libm::log(*x))).collect(),
                falls_ratio: factor.falls_ratio,
                mortality_ratio: factor.mortality_ratio,
                effects: effects(&factor.effects, &place, problems),
                start_month: factor.start_month.unwrap_or(-crate::block::NEVER),
                stop_month: factor.stop_month.unwrap_or(crate::block::NEVER),
            }
        })
        .collect()
}
