//! The kernel: what is constant for all blocks, in the kernel's precision.

use crate::biology::density::Density;
use crate::biology::falls::Falls;
use crate::biology::fracture::SiteHazard;
use crate::biology::frailty::Frailty;
use crate::biology::mortality::ExcessAfter;
use crate::biology::remodeling::Balance;
use crate::biology::spine::Levels;
use crate::cohort::recruit;
use crate::model::{self, Model};
use crate::numeric::Scalar;
use crate::numeric::cpu::Cpu;
use crate::random::Decision;
use crate::table::AGES;
use crate::units::{MONTHS_PER_YEAR, PerMonth};

/// What is constant for all blocks, in the kernel's precision.
#[derive(Clone, Debug)]
pub struct Kernel<S> {
    /// Instructions that it runs on.
    pub cpu: Cpu,
    /// The remodeling balance.
    pub balance: Balance<S>,
    /// Densitometry.
    pub density: Density<S>,
    /// Frailty.
    pub frailty: Frailty<S>,
    /// Falls.
    pub falls: Falls<S>,
    /// Fracture sites.
    pub sites: Vec<SiteHazard<S>>,
    /// Loads of the levels of the spine.
    pub levels: Levels<S>,
    /// Decision of each fracture site.
    pub decisions: Vec<Decision>,
    /// Groups of decisions that are drawn each month.
    pub groups: Vec<u32>,
    /// Excess mortality by fracture site, where there is any.
    pub excess: Vec<(usize, ExcessAfter<S>)>,
    /// Rates of the populations.
    pub rates: Rates<S>,
}

/// Monthly rates by population, sex and age, individual means already taken out.
#[derive(Clone, Debug)]
pub struct Rates<S> {
    /// Hazard of falling at an individual ratio of 1.
    pub fall: Vec<S>,
    /// Probability of a fall in a month.
    pub p_fall: Vec<S>,
    /// 1 / mean relative hazard of death.
    pub per_death: Vec<S>,
    /// Offset of load against strength, by fracture site.
    pub offset: Vec<Vec<S>>,
    /// c C - a X of strength, equation 1, by fracture site.
    pub course: Vec<Vec<S>>,
    /// Hazard of death of the life table, by year of follow-up; one year only without a secular trend.
    death: Vec<Vec<S>>,
    /// Ratio of incidence to that of the year in which it was measured, by fracture site, year of follow-up, population and sex; empty
    /// without a secular trend.
    trend: Vec<Vec<Vec<S>>>,
}

impl<S: Scalar> Kernel<S> {
    /// Takes everything from the model.
    pub fn new(model: &Model) -> Self {
        let decisions: Vec<Decision> = model.fracture_sites.iter().map(|s| Decision::fracture(s.decision)).collect();
        let mut groups: Vec<u32> = std::iter::once(Decision::FALL.group).chain(decisions.iter().map(|d| d.group)).collect();
        groups.sort_unstable();
        groups.dedup();
        Kernel {
            cpu: model.cpu,
            balance: Balance::new(&model.parameters),
            density: Density::new(&model.parameters),
            frailty: Frailty::new(&model.parameters),
            falls: Falls::new(&model.parameters),
            sites: model.fracture_sites.iter().map(SiteHazard::new).collect(),
            levels: model.spine.levels.of(),
            decisions,
            groups,
            excess: model
                .fracture_sites
                .iter()
                .enumerate()
                .filter_map(|(k, s)| s.mortality.as_ref().map(|m| (k, ExcessAfter::new(m))))
                .collect(),
            rates: Rates::new(model),
        }
    }
}

impl<S: Scalar> Rates<S> {
    fn new(model: &Model) -> Self {
        let populations = &model.populations;
        let rows = |value: &dyn Fn(usize, usize, usize) -> f64| -> Vec<S> {
            let mut all = Vec::with_capacity(populations.len() * 2 * AGES);
            for population in 0..populations.len() {
                for sex in 0..2 {
                    all.extend((0..AGES).map(|age| S::of(value(population, sex, age))));
                }
            }
            all
        };
        let sites = 0..model.fracture_sites.len();
        let years = if model.secular_trend { (model.months / MONTHS_PER_YEAR).max(1) as i32 } else { 1 };
        let trend_in = |site: usize, year: i32| -> Vec<S> {
            let both = populations.iter().flat_map(|p| {
                let passed = f64::from(p.calendar_year + year - p.incidence_year);
                let trend = if model.fracture_sites[site].of_the_spine { p.deformity_trend } else { p.trend[site] };
                trend.map(|per_year| S::of(libm::exp(per_year * passed)))
            });
            both.collect()
        };
        Rates {
            fall: rows(&|p, sex, age| populations[p].fall.at(sex, age) / populations[p].mean.fall.at(sex, age)),
            p_fall: rows(&|p, sex, age| PerMonth(populations[p].fall.at(sex, age)).probability_within(1.0).0),
            per_death: rows(&|p, sex, age| 1.0 / populations[p].mean.death.at(sex, age)),
            offset: sites.clone().map(|site| rows(&|p, sex, age| populations[p].mean.offset[site].at(sex, age))).collect(),
            course: sites.clone().map(|site| rows(&|p, sex, age| course(model, p, site, sex, age))).collect(),
            death: (0..years)
                .map(|year| rows(&|p, sex, age| populations[p].death.at(populations[p].calendar_year + year, sex, age)))
                .collect(),
            trend: if model.secular_trend {
                sites.map(|site| (0..years).map(|year| trend_in(site, year)).collect()).collect()
            } else {
                Vec::new()
            },
        }
    }

    /// Position of a population's rates at a sex and age.
    #[inline(always)]
    pub fn position(population: usize, sex: usize, age: usize) -> usize {
        (population * 2 + sex) * AGES + age.min(AGES - 1)
    }

    /// Hazards of death of the life tables in a month of follow-up.
    #[inline(always)]
    pub fn death_in(&self, month: u32) -> &[S] {
        &self.death[((month / MONTHS_PER_YEAR) as usize).min(self.death.len() - 1)]
    }

    /// Ratios of a site's incidence to that of its own year in a month of follow-up, by population and sex; `None` where the calendar
    /// stands still.
    #[inline(always)]
    pub fn trend_in(&self, site: usize, month: u32) -> Option<&[S]> {
        let years = self.trend.get(site)?;
        Some(&years[((month / MONTHS_PER_YEAR) as usize).min(years.len() - 1)])
    }
}

/// c C - a X of strength, equation 1, at a sex and completed age: C is ln of the usual density in the model, X ln of the median that was measured.
fn course(model: &Model, population: usize, site: usize, sex: usize, age: usize) -> f64 {
    let (of, population) = (&model.fracture_sites[site], &model.populations[population]);
    let density = &population.characteristics[model::ABMD_OF_SITE[of.density_site]];
    let measured = recruit::value(density, sex, age as f64 + 0.5, 0.0);
    let usual = population.mean.course[of.density_site].at(sex, age);
    of.bone.change_exponent * libm::log(usual) - of.bone.strength_exponent * libm::log(measured)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn rates(secular_trend: bool) -> (Model, Rates<f64>) {
        let mut r: Value = serde_json::from_str(model::FIXTURE).unwrap();
        r["secular_trend"] = json!(secular_trend);
        let site = r["fracture_sites"][0]["id"].clone();
        let population = &mut r["populations"][0];
        let tables = &mut population["life_table"];
        for sex in ["women", "men"] {
            let today = tables[sex][0].clone();
            let half: Vec<f64> = today.as_array().unwrap().iter().map(|q| q.as_f64().unwrap() / 2.0).collect();
            tables[sex] = json!([today, half]);
        }
        tables["years"] = json!([2019, 2029]);
        population["calendar_year"] = json!(2019);
        population["incidence_year"] = json!(2009);
        population["trend"] = json!([{"site": site, "women": -0.02, "men": 0.0}]);
        let model = Model::from_json(&r.to_string()).unwrap_or_else(|e| panic!("{e}"));
        let rates = Rates::new(&model);
        (model, rates)
    }

    #[test]
    fn without_a_secular_trend_the_calendar_stands_still() {
        let (model, rates) = rates(false);
        let at = Rates::<f64>::position(0, 0, 70);
        assert_eq!(rates.death_in(0)[at], model.populations[0].death.at(2019, 0, 70));
        assert_eq!(rates.death_in(119)[at], rates.death_in(0)[at]);
        assert!(rates.trend_in(0, 50).is_none());
    }

    #[test]
    fn with_it_death_and_incidence_move_on_from_the_year_of_index() {
        let (_, rates) = rates(true);
        let at = Rates::<f64>::position(0, 1, 60);
        let [first, last] = [0, 119].map(|month| rates.death_in(month)[at]);
        assert!((libm::log(last / first) / (0.9 * libm::log(0.5)) - 1.0).abs() < 0.02, "{first} {last}");
        // Ten years after the incidence was measured at index, nineteen in the tenth year of follow-up; men have no trend.
        for (month, years) in [(0, 10.0), (11, 10.0), (12, 11.0), (119, 19.0)] {
            let now = rates.trend_in(0, month).unwrap();
            assert!((now[0] - libm::exp(-0.02 * years)).abs() < 1e-12 && now[1] == 1.0);
        }
        assert_eq!(rates.trend_in(1, 0).unwrap(), [1.0, 1.0]);
    }
}
