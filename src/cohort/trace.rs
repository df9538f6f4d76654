//! One person's life, month by month: the same code as for a million people, with one lane, and every draw beside its threshold.

use crate::block::NEVER;
use crate::cohort::happenings::{DEATH, deformity_event, nursing_home_event};
use crate::cohort::kernel::Kernel;
use crate::cohort::month::Lives;
use crate::cohort::recruit::Recruit;
use crate::cohort::simulate::block_at_index;
use crate::model::{Model, Precision};
use crate::numeric::Scalar;
use crate::parameters::{COMPARTMENTS, COMPLAINTS, DENSITY_SITES};
use crate::random::Decision;
use crate::units::MONTHS_PER_YEAR;

/// Named columns, one row a month.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Names in their order.
    pub names: Vec<String>,
    /// One column for each name.
    pub columns: Vec<Vec<f64>>,
}

impl Trace {
    fn put(&mut self, name: &str, value: f64) {
        match self.names.iter().position(|n| n == name) {
            Some(k) => self.columns[k].push(value),
            None => {
                self.names.push(name.into());
                self.columns.push(vec![value]);
            }
        }
    }
}

/// The life of one person in one arm.
pub fn trace(model: &Model, arm: usize, person: u64) -> Trace {
    match model.precision {
        Precision::F32 => trace_in::<f32>(model, arm, person),
        Precision::F64 => trace_in::<f64>(model, arm, person),
    }
}

fn trace_in<S: Scalar>(model: &Model, arm: usize, person: u64) -> Trace {
    let kernel = Kernel::<S>::new(model);
    let block = block_at_index::<S, 1>(model, &kernel, person..person + 1);
    let mut lives = Lives::<S, 1>::at_index(model, &kernel, &block, arm);
    let mut trace = Trace::default();
    for month in 0..model.months {
        lives.look(&kernel, &block, month);
        let [frailty, instability] = [lives.frailty[0], lives.instability[0]].map(Scalar::to_f64);
        lives.ask_chance(model, &kernel, &block, month);
        if let Some(site) = model.spine.site {
            // In place of the bound: the threshold that decides.
            lives.hazards.fracture[site][0] = lives.vertebrae.hazard(&kernel, 0);
        }
        write_state(model, &kernel, &block, &lives, month, &mut trace);
        trace.put("frailty", frailty);
        trace.put("instability", instability);
        write_spine(model, &block.recruits[0], &lives, month, &mut trace);
        write_chance(model, &kernel, &lives, &mut trace);
        let (happenings, n) = lives.happenings(model, &kernel, &block, 0, month);
        for k in 0..=model.fracture_sites.len() {
            let name = if k == usize::from(DEATH) { "died".into() } else { format!("fractured_{}", model.fracture_sites[k - 1].id) };
            let happened = happenings[..n].iter().any(|h| usize::from(h.event) == k);
            trace.put(&name, f64::from(u8::from(happened)));
        }
        let deformed = happenings[..n].iter().find(|h| h.event == deformity_event(model.fracture_sites.len()));
        trace.put("vertebral_deformity", f64::from(u8::from(deformed.is_some())));
        trace.put("deformed_level", deformed.map_or(0.0, |h| f64::from(h.level)));
        trace.put("deformed_grade", deformed.map_or(0.0, |h| f64::from(h.grade)));
        let entered = happenings[..n].iter().any(|h| h.event == nursing_home_event(model.fracture_sites.len()));
        trace.put("entered_nursing_home", f64::from(u8::from(entered)));
        if !lives.alive[0] {
            break;
        }
        lives.step(&kernel, &block);
    }
    trace
}

fn write_state<S: Scalar>(
    model: &Model,
    kernel: &Kernel<S>,
    block: &crate::cohort::history::Block<S, 1>,
    lives: &Lives<S, 1>,
    month: u32,
    trace: &mut Trace,
) {
    let (person, state, inputs) = (block.person.load(0), lives.state.load(0), lives.inputs.load(0));
    let age_months = block.recruits[0].age_months + month;
    trace.put("month", f64::from(month));
    trace.put("age_years", f64::from(age_months) / f64::from(MONTHS_PER_YEAR));
    let (estrogen, pth) = kernel.balance.signals(&person, &inputs, lives.age[0]);
    trace.put("sex_steroid_signal", estrogen.to_f64());
    trace.put("parathyroid_hormone", pth.to_f64());
    trace.put("resorption", state.resorption.to_f64());
    trace.put("refilling", state.refilling.to_f64());
    trace.put("modelling", state.modelling.to_f64());
    trace.put("ctx", kernel.balance.ctx(&state).to_f64());
    trace.put("p1np", kernel.balance.p1np(&state).to_f64());
    trace.put("precursors", state.precursors.to_f64());
    trace.put("microdamage", state.microdamage.to_f64());
    trace.put("healing", state.healing.to_f64());
    trace.put("bisphosphonate_at_surface", state.surface_bisphosphonate.to_f64());
    trace.put("bisphosphonate_buried", state.buried_bisphosphonate.to_f64());
    trace.put("rankl_antibody", state.rankl_antibody.to_f64());
    trace.put("sclerostin_adaptation", state.sclerostin_adaptation.to_f64());
    trace.put("sclerostin_rebound", state.sclerostin_rebound.to_f64());
    for (c, name) in COMPARTMENTS.iter().enumerate() {
        trace.put(&format!("volume_{name}"), state.volume[c].to_f64());
    }
    for (site, name) in DENSITY_SITES.iter().enumerate() {
        trace.put(&format!("abmd_{name}"), lives.abmd[site][0].to_f64());
    }
    let t_score = kernel.density.t_score(model.class_site, lives.abmd[model.class_site][0]);
    trace.put("t_score", t_score.to_f64());
    trace.put("class", kernel.density.class(t_score) as f64);
}

fn write_spine<S: Scalar>(model: &Model, recruit: &Recruit, lives: &Lives<S, 1>, month: u32, trace: &mut Trace) {
    let spine = lives.vertebrae.spine[0];
    let since = model.spine.site.map_or(NEVER, |site| lives.months_since[site][0].to_f64());
    let bearing = model.spine.bearing(recruit, spine, month, since);
    trace.put("deformities", f64::from(spine.deformities()));
    trace.put("worst_grade", f64::from(spine.worst_grade()));
    trace.put("height_loss", bearing.height_loss);
    trace.put("kyphosis", bearing.kyphosis);
    for (k, complaint) in COMPLAINTS.iter().enumerate() {
        trace.put(complaint, f64::from(bearing.complaints >> k & 1));
    }
}

fn write_chance<S: Scalar>(model: &Model, kernel: &Kernel<S>, lives: &Lives<S, 1>, trace: &mut Trace) {
    let h = &lives.hazards;
    let mut put = |name: &str, decision: Decision, threshold: S| {
        trace.put(&format!("draw_{name}"), f64::uniform(lives.words_of(kernel, decision)[0]));
        trace.put(&format!("threshold_{name}"), threshold.to_f64());
    };
    put("fall", Decision::FALL, h.fall[0].closed_share());
    put("death", Decision::DEATH, h.death[0].closed_share());
    for (k, site) in model.fracture_sites.iter().enumerate() {
        let hazard = h.fracture[k][0];
        put(&site.id, kernel.decisions[k], if site.of_the_spine { hazard.at_most(S::ONE) } else { hazard.closed_share() });
    }
    trace.put("fell", h.fell[0].to_f64());
}
