//! From a request to a model: names become positions, tables dense, rates monthly; every mistake is noted before any is reported.

use super::request::*;
use super::*;
use crate::biology::fracture::{MAX_SITES, MortalityAfter};
use crate::biology::mortality;
use crate::error::{ModelError, Problems};
use crate::exposure::Target;
use crate::numeric::cpu::Cpu;
use crate::numeric::normal;
use crate::parameters::{DENSITY_SITES, SEXES};
use crate::random;
use crate::table::{AGES, Between, interpolate};
use crate::units::PerYear;

/// Most risk factors: one bit each.
const MAX_RISK_FACTORS: usize = 32;
/// Shares of cohorts must add up to 1 within this.
const SHARE_TOLERANCE: f64 = 1e-9;

impl Model {
    /// Compiles the JSON text of a request.
    pub fn from_json(text: &str) -> Result<Model, ModelError> {
        let request: Request = serde_json::from_str(text).map_err(|e| {
            let mut problems = Problems::default();
            problems.add("request", e.to_string(), "a request of the form this core understands");
            ModelError::Request(problems)
        })?;
        Model::compile(request)
    }

    /// Compiles a request.
    pub fn compile(request: Request) -> Result<Model, ModelError> {
        let mut problems = Problems::default();
        let cpu = Cpu::choose()?;
        let model = checked(request, cpu, &mut problems);
        if !problems.0.is_empty() {
            return Err(ModelError::Request(problems));
        }
        let mut model = model.expect("a request without problems compiles");
        super::normalize::normalize(&mut model);
        Ok(model)
    }
}

fn checked(request: Request, cpu: Cpu, problems: &mut Problems) -> Option<Model> {
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
    let parameters = Parameters::take(request.parameters, problems);
    let fracture_sites = fracture_sites(&request.fracture_sites, &parameters, problems);
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
    let cohorts = cohorts(&request.cohorts, &request.populations, &cohort_names, &populations, &parameters, request.months, problems);
    let arms: Vec<Arm> = request
        .arms
        .iter()
        .enumerate()
        .map(|(k, arm)| Arm {
            name: arm.name.clone(),
            exposures: exposures(&arm.exposures, &format!("arms[{k}]"), &cohort_names, true, problems),
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
        cohorts,
        arms,
        luck: random::Luck::new(request.seed),
        people: request.people,
        months: request.months,
        class_site,
        record_persons: request.record_persons,
        precision: request.precision,
        cpu,
    })
}

fn density_site(name: &str, place: &str, problems: &mut Problems) -> usize {
    DENSITY_SITES.iter().position(|s| *s == name).unwrap_or_else(|| {
        problems.add(place, format!("no density site {name:?}"), format!("one of {}", DENSITY_SITES.join(", ")));
        0
    })
}

fn which_sexes(names: &[String], place: &str, problems: &mut Problems) -> [bool; 2] {
    for name in names.iter().filter(|n| !SEXES.contains(&n.as_str())) {
        problems.add(place, format!("{name:?}"), format!("one of {}", SEXES.join(", ")));
    }
    SEXES.map(|sex| names.iter().any(|n| n == sex))
}

fn effects(requested: &[EffectRequest], place: &str, problems: &mut Problems) -> Vec<(Target, f64)> {
    let mut all = Vec::new();
    for (k, effect) in requested.iter().enumerate() {
        let place = format!("{place}.effects[{k}]");
        match Target::named(&effect.target) {
            Some(target) => {
                problems.require_within(&format!("{place}.amount"), effect.amount, target.spec().low, target.spec().high);
                all.push((target, effect.amount));
            }
            None => {
                problems.add(place, format!("no target {:?}", effect.target), format!("one of {}", Target::ALL.map(|t| t.name).join(", ")))
            }
        }
    }
    all
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
            problems.require_within(&format!("{place}.gradient_per_sd"), site.gradient_per_sd, 0.5, 10.0);
            problems.require_within(&format!("{place}.sd"), site.sd, 0.01, 1.0);
            problems.require_within(&format!("{place}.share_from_falls"), site.share_from_falls, 0.0, 1.0);
            problems.require_within(&format!("{place}.turnover_exponent"), site.turnover_exponent, -5.0, 5.0);
            problems.require_within(&format!("{place}.prior_fracture_ratio"), site.prior_fracture_ratio, 0.1, 20.0);
            let density_site = density_site(&site.density_site, &format!("{place}.density_site"), problems);
            FractureSite {
                id: site.id.clone(),
                decision: site.decision,
                density_site,
                slope: libm::log(site.gradient_per_sd) / site.sd,
                reference: parameters.density.reference_mean[density_site],
                turnover_exponent: site.turnover_exponent,
                ln_prior_ratio: libm::log(site.prior_fracture_ratio),
                share_from_falls: site.share_from_falls,
                mortality: mortality_after(site, &place, problems),
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
    Some(MortalityAfter {
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

/// Checks knots: same lengths, ascending, values within bounds.
fn knots_are_good(ages: &[f64], values: &[f64], place: &str, low: f64, high: f64, problems: &mut Problems) -> bool {
    let before = problems.0.len();
    if ages.is_empty() || ages.len() != values.len() {
        problems.add(place, format!("{} knots and {} values", ages.len(), values.len()), "at least one knot and a value for each");
        return false;
    }
    if !ages.windows(2).all(|w| w[0] < w[1]) {
        problems.add(place, "knots out of order", "ascending knots");
    }
    for value in values {
        problems.require_within(place, *value, low, high);
    }
    problems.0.len() == before
}

fn table_of_knots(knots: [&Knots; 2], place: &str, high: f64, between: Between, problems: &mut Problems) -> ByAgeAndSex {
    let low = if between == Between::LogLinear { f64::MIN_POSITIVE } else { 0.0 };
    let good = knots.iter().zip(SEXES).all(|(k, sex)| knots_are_good(&k.ages, &k.values, &format!("{place}.{sex}"), low, high, problems));
    if !good {
        return ByAgeAndSex::from_fn(|_, _| 0.0);
    }
    // A person of n completed years is n + 1/2 years old on average.
    ByAgeAndSex::from_fn(|sex, age| interpolate(&knots[sex].ages, &knots[sex].values, age as f64 + 0.5, between))
}

fn table_of_years(table: &YearTable, place: &str, high: f64, keep_last: bool, problems: &mut Problems) -> ByAgeAndSex {
    if table.women.is_empty() || table.women.len() != table.men.len() {
        problems.add(place, format!("{} women and {} men", table.women.len(), table.men.len()), "the same number of ages, at least one");
        return ByAgeAndSex::from_fn(|_, _| 0.0);
    }
    for value in table.women.iter().chain(&table.men) {
        problems.require_within(place, *value, 0.0, high);
    }
    let values = [&table.women, &table.men];
    let last = table.women.len() - 1;
    ByAgeAndSex::from_fn(|sex, age| match age.checked_sub(table.first_age) {
        Some(k) if k <= last => values[sex][k],
        Some(_) if keep_last => values[sex][last],
        _ => 0.0,
    })
}

fn per_month(table: ByAgeAndSex) -> ByAgeAndSex {
    ByAgeAndSex::from_fn(|sex, age| PerYear(table.at(sex, age)).per_month().0)
}

fn population(p: &PopulationRequest, place: &str, site_ids: &[&str], factor_ids: &[&str], problems: &mut Problems) -> Option<Population> {
    let before = problems.0.len();
    let people = table_of_years(&p.age_structure, &format!("{place}.age_structure"), 1e12, false, problems);
    let q = table_of_years(&p.life_table, &format!("{place}.life_table"), 1.0, true, problems);
    let characteristics = characteristics(p, place, problems);
    let factor = factors(p, place, CHARACTERISTICS.len() + 1 + factor_ids.len(), problems);
    let binary: Vec<&str> = std::iter::once(PRIOR_FRACTURE).chain(factor_ids.iter().copied()).collect();
    let prevalence = binary
        .iter()
        .map(|id| match p.prevalence.iter().find(|t| t.id == *id) {
            Some(t) => table_of_knots([&t.women, &t.men], &format!("{place}.prevalence.{id}"), 1.0, Between::Linear, problems),
            None => {
                problems.add(format!("{place}.prevalence"), format!("no table of {id:?}"), "a prevalence by age and sex");
                ByAgeAndSex::from_fn(|_, _| 0.0)
            }
        })
        .collect();
    let fracture = site_ids
        .iter()
        .map(|id| match p.fracture_incidence.iter().find(|t| t.site == *id) {
            Some(t) => per_month(table_of_knots(
                [&t.women, &t.men],
                &format!("{place}.fracture_incidence.{id}"),
                1.0,
                Between::LogLinear,
                problems,
            )),
            None => {
                problems.add(format!("{place}.fracture_incidence"), format!("no table of {id:?}"), "an incidence by age and sex");
                ByAgeAndSex::from_fn(|_, _| 0.0)
            }
        })
        .collect();
    let fall = per_month(table_of_knots(p.falls.both(), &format!("{place}.falls"), 100.0, Between::LogLinear, problems));
    let one = || ByAgeAndSex::from_fn(|_, _| 1.0);
    (problems.0.len() == before).then(|| Population {
        id: p.id.clone(),
        people,
        death: ByAgeAndSex::from_fn(|sex, age| mortality::monthly_hazard(q.at(sex, age)).0),
        last_age: p.life_table.first_age + p.life_table.women.len() - 1,
        characteristics,
        factor,
        prevalence,
        fracture,
        fall,
        mean: Normalizers { fall: one(), fracture: site_ids.iter().map(|_| one()).collect(), death: one() },
    })
}

fn characteristics(p: &PopulationRequest, place: &str, problems: &mut Problems) -> Vec<Distribution> {
    let mut all = Vec::new();
    for (id, _) in CHARACTERISTICS {
        let place = format!("{place}.characteristics.{id}");
        let Some(c) = p.characteristics.iter().find(|c| c.id == id) else {
            problems.add(place, "no distribution", "location, spread and quantiles by age and sex");
            continue;
        };
        let men = match &c.men {
            Some(men) => men,
            None if id == CHARACTERISTICS[MENOPAUSE_AGE].0 => &c.women, // drawn for everybody, read for women only
            None => {
                problems.add(format!("{place}.men"), "no distribution", "location, spread and quantiles");
                continue;
            }
        };
        for (m, sex) in [&c.women, men].into_iter().zip(SEXES) {
            knots_are_good(&m.ages, &m.location, &format!("{place}.{sex}.location"), -1e6, 1e6, problems);
            knots_are_good(&m.ages, &m.spread, &format!("{place}.{sex}.spread"), 0.0, 1e6, problems);
            knots_are_good(&m.z, &m.q, &format!("{place}.{sex}.quantiles"), -100.0, 100.0, problems);
            if !m.q.windows(2).all(|w| w[0] <= w[1]) {
                problems.add(format!("{place}.{sex}.quantiles"), "a fall", "quantiles that never fall");
            }
        }
        all.push(Distribution { transform: c.transform, marginal: [c.women.clone(), men.clone()] });
    }
    all
}

fn factors(p: &PopulationRequest, place: &str, n: usize, problems: &mut Problems) -> [Vec<Vec<f64>>; 2] {
    let mut both = [Vec::new(), Vec::new()];
    for (k, matrix) in p.correlation.both().into_iter().enumerate() {
        let place = format!("{place}.correlation.{}", SEXES[k]);
        if matrix.len() != n || matrix.iter().any(|row| row.len() != n) {
            problems.add(place, format!("{} rows", matrix.len()), format!("a {n} by {n} matrix"));
            continue;
        }
        match normal::cholesky(matrix) {
            Some(factor) => both[k] = factor,
            None => problems.add(place, "a matrix that is not positive definite", "a correlation matrix"),
        }
    }
    both
}

fn exposures(requested: &[ExposureRequest], place: &str, cohort_names: &[&str], in_arm: bool, problems: &mut Problems) -> Vec<Exposure> {
    let mut all = Vec::new();
    for (k, e) in requested.iter().enumerate() {
        let place = format!("{place}.exposures[{k}]");
        let cohort = e.cohort.as_ref().map(|name| {
            cohort_names.iter().position(|c| c == name).unwrap_or_else(|| {
                problems.add(format!("{place}.cohort"), format!("no cohort {name:?}"), format!("one of {}", cohort_names.join(", ")));
                0
            })
        });
        problems.require_within(&format!("{place}.uptake"), e.uptake, 0.0, 1.0);
        problems.require_within(&format!("{place}.start_month"), e.start_month, -1200.0, 1200.0);
        let months = e.months.unwrap_or(crate::block::NEVER);
        problems.require_within(&format!("{place}.months"), months, f64::MIN_POSITIVE, crate::block::NEVER);
        if in_arm && (e.start_month < 0.0 || e.anchor != Anchor::Index) {
            problems.add(format!("{place}.start_month"), e.start_month.to_string(), "a month from index on: arms part at index");
        }
        if let Some(p) = &e.persistence {
            let starts_full = p.months.first() == Some(&0.0) && p.share.first() == Some(&1.0);
            let falls = p.share.windows(2).all(|w| w[0] >= w[1]);
            if !knots_are_good(&p.months, &p.share, &format!("{place}.persistence"), 1e-9, 1.0, problems)
                || !starts_full
                || !falls
                || p.months.len() < 2
            {
                problems.add(
                    format!("{place}.persistence"),
                    "this curve",
                    "shares that start at 1 in month 0 and never rise, at least two",
                );
            }
        }
        let t_score = match (&e.site, e.t_score_at_most) {
            (Some(site), Some(t)) => {
                problems.require_within(&format!("{place}.t_score_at_most"), t, -20.0, 20.0);
                Some((density_site(site, &format!("{place}.site"), problems), t))
            }
            (None, None) => None,
            _ => {
                problems.add(&place, "a site without a T-score or a T-score without a site", "both or none");
                None
            }
        };
        all.push(Exposure {
            name: e.name.clone(),
            cohort,
            sexes: which_sexes(&e.sexes, &format!("{place}.sexes"), problems),
            ages: (e.age_from.unwrap_or(0.0), e.age_to.unwrap_or(crate::table::AGES as f64)),
            t_score,
            anchor: e.anchor,
            start_month: e.start_month,
            months,
            uptake: e.uptake,
            persistence: e.persistence.clone(),
            luck: random::Recruiting::Exposure as u32 + random::address_of_name(&e.luck),
            medicine: e.medicine,
            effects: effects(&e.effects, &place, problems),
        });
    }
    all
}

fn cohorts(
    requested: &[CohortRequest],
    named: &[PopulationRequest],
    cohort_names: &[&str],
    populations: &[Population],
    parameters: &Parameters,
    months: u32,
    problems: &mut Problems,
) -> Vec<Cohort> {
    let total: f64 = requested.iter().map(|c| c.share).sum();
    if requested.is_empty() || requested.len() > usize::from(u8::MAX) {
        problems.add("cohorts", requested.len().to_string(), "1 to 255 cohorts");
    } else if (total - 1.0).abs() > SHARE_TOLERANCE {
        problems.add("cohorts", format!("shares that add up to {total}"), "shares that add up to 1");
    }
    let mut cumulative_share = 0.0;
    let mut all = Vec::new();
    for (k, c) in requested.iter().enumerate() {
        let place = format!("cohorts[{k}]");
        problems.require_within(&format!("{place}.share"), c.share, f64::MIN_POSITIVE, 1.0 + SHARE_TOLERANCE);
        let Some(position) = named.iter().position(|p| p.id == c.population) else {
            problems.add(format!("{place}.population"), format!("no population {:?}", c.population), "a population of the request");
            continue;
        };
        cumulative_share += c.share;
        let sexes = which_sexes(&c.sexes, &format!("{place}.sexes"), problems);
        if c.age_from < parameters.cohort.youngest_age as usize {
            problems.add(format!("{place}.age_from"), c.age_from.to_string(), format!("{} years or more", parameters.cohort.youngest_age));
        }
        let set = c
            .set
            .iter()
            .enumerate()
            .filter_map(|(j, s)| {
                let place = format!("{place}.set[{j}]");
                let who = which_sexes(&s.sexes, &place, problems);
                problems.require_within(&format!("{place}.value"), s.value, 0.0, 1e6);
                match CHARACTERISTICS.iter().position(|(id, _)| *id == s.characteristic) {
                    Some(position) => Some((position, s.value, who)),
                    None => {
                        problems.add(
                            place,
                            format!("no characteristic {:?}", s.characteristic),
                            CHARACTERISTICS.map(|(id, _)| id).join(", "),
                        );
                        None
                    }
                }
            })
            .collect();
        // Populations are compiled only without problems; then positions agree.
        let cells = if populations.len() == named.len() {
            let population = &populations[position];
            let last_year = c.age_from + months as usize / 12;
            if last_year > population.last_age + 1 {
                problems.add(
                    format!("{place}.age_from"),
                    format!("{} years of follow-up from age {}", months / 12, c.age_from),
                    format!(
                        "at most {}: the life table ends at age {}",
                        (population.last_age + 1).saturating_sub(c.age_from),
                        population.last_age
                    ),
                );
            }
            cells_of(population, sexes, c.age_from, c.age_to, &place, problems)
        } else {
            Vec::new()
        };
        all.push(Cohort {
            name: c.name.clone(),
            population: position,
            cumulative_share,
            cells,
            set,
            exposures: exposures(&c.exposures, &place, cohort_names, false, problems),
        });
    }
    all
}

/// Cells of sex and age with the cumulative share of the people up to each.
fn cells_of(
    population: &Population,
    sexes: [bool; 2],
    from: usize,
    to: usize,
    place: &str,
    problems: &mut Problems,
) -> Vec<(usize, usize, f64)> {
    let mut cells = Vec::new();
    let mut total = 0.0;
    for sex in (0..2).filter(|s| sexes[*s]) {
        for age in from..=to.min(AGES - 1) {
            let people = population.people.at(sex, age);
            if people > 0.0 {
                total += people;
                cells.push((sex, age, total));
            }
        }
    }
    if cells.is_empty() {
        problems.add(
            place,
            format!("nobody aged {from} to {to} in population {:?}", population.id),
            "a sex and an age range that somebody is in",
        );
    }
    cells.iter_mut().for_each(|cell| cell.2 /= total);
    cells
}
