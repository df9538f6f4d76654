//! Remodeling: bone-resorbing cells take bone away, bone-making cells refill it; in balance as much is built as is taken.
//!
//! Every living state x relaxes toward a target that the others set, x' = k (x* - x). So no state can turn negative or pass its target, any step is stable,
//! and the healthy young adult (all states 1, all targets 1) is constant to the last bit. Time is in years; every state is relative to the
//! healthy adult of 25 to 30 years. Bone is followed in five compartments (trabecular and cortical bone of spine and hip, cortical bone of the
//! radius); a density site is a mixture of them.
//!
//! Signals: e sex steroids, pth, g glucocorticoid, s stimulus of modelling, Te resorption signal of PTH analogues, L_r mechanical signal of a
//! region, unl unloading, a age, z individual constants (turnover, modelling, ageing, response; 1 on average).
//!
//! 1. RANKL drive K = (1 + eps) / (e + eps) pth^b (1 + gain_g (g - G)+) (1 + g_T Te) (1 + gain_H H);
//!    after antibodies Kb = K (what RANKL antibody leaves) (what sclerostin antibody makes of it)   ([`super::medicines`] 4 to 6)
//! 2. precursors P' = kP [i (1 - c (P - 1)) - (1 + xi (Kb - 1)) P], i = 1 + xi (K - 1): they pile up while the drive is blocked, until their number holds the
//!    inflow down, and rebound
//! 3. resorption R = Kb P (what bisphosphonate leaves)
//! 4. refilling Bc' = kB [R q - Bc], q = (1 - dE (1 - e)) f_g (1 - z dA (a - from)+ / 10) (1 + protein) (1 - f_A A) / (1 + gain_H H): coupled, two months behind; what a
//!    healing fracture draws is not refilled
//! 5. modelling Bm' = kM [(1 + s O Bc^gC) f_g - Bm]; progenitor reserve O' = kO [1 - O (1 + w (Bc - 1) + psi s)]: refilling draws on
//!    it, so that it grows through years of low turnover
//! 6. glucocorticoid as cells feel a dose d: g = d (1 + h) / (d + h), 1 at 10 mg/d; adaptation G' = kG (g - G); formation under them f_g = max(floor, 1 - gF (g - fade G)+): fast loss first, slower later
//! 7. local refilling called up by unloading U' = kU (unl - U): what bed rest took comes back in part
//! 8. microdamage M' = kD (load - R M); a healing fracture draws H' = -kH H (a fracture adds its site's draw to H)
//! 9. in compartment c of region r: R_c = R (1 + up_r unl) (1 + c_T Te if cortical); B = Bc (1 + refill up_r U); F_c = B + z m_c [Bm (1 - loss unl) - B];
//!    mechanostat Fe_c = F_c (L_r / max(floor, V_c))^kap_r
//! 10. volume V_c' = z a_c (Fe_c - R_c V_c); young share y_c' = z a_c Fe_c / V_c (1 - y_c) - y_c / tau
//! 11. relative density of a compartment = V_c (1 - mu y_c) / (1 - mu y_c0), y_c0 = z a_c / (z a_c + 1 / tau); of a site = its trabecular share of one and the
//!     rest of the other
//! 12. markers: CTX = (R + c0) / (1 + c0); P1NP = (1 - mS) Bc + mS Bm
//!
//! Floors, which only extreme combinations reach: the age part of q, F_c, and every factor of inhibition stay at or above `inhibition_floor`; V_c is at least
//! `volume_floor`, and at least `mechanostat_volume_floor` where it divides.
//!
//! One step of a month is an exponential midpoint step ([`crate::numeric::relaxation`]). People on potent medicines, and those who just left one, take
//! four steps a month. Against twelve-hour steps density keeps within 0.2 percentage points over ten years in every arm (tested).
//!
//! Left out: the skeleton's growth, the marrow, single remodeling units. `a_c` are effective rates and lower than histomorphometric
//! turnover; do not read them as tissue turnover. Microdamage acts on nothing yet: strength will read it. Values: `parameters/remodeling.yaml`,
//! `parameters/medicines.yaml`.

use super::hormones::{HormoneExposures, Hormones};
use super::loading::Loading;
use super::medicines::Medicines;
use super::minerals::{Diet, Minerals};
use crate::block::{Inputs, Person, State, written_out};
use crate::exposure::Target;
use crate::numeric::Scalar;
use crate::numeric::relaxation::{Pull, Pulling, Relaxing, exponential_midpoint, pull, relax};
use crate::parameters::Parameters;

/// Region of each compartment.
const REGION_OF: [usize; 5] = [0, 0, 1, 1, 2];
/// Whether each compartment is cortical.
const CORTICAL: [bool; 5] = [false, true, false, true, true];
/// Trabecular and cortical compartment of each density site.
const COMPARTMENTS_OF: [(usize, usize); 4] = [(0, 1), (2, 3), (2, 3), (4, 4)];
/// Steps of a month in which a potent medicine acts or has just acted.
pub const FINE_STEPS: u32 = 4;
/// Traces of medicines below which a month is taken in one step: antibody in doses, other pools relative to full effect.
const TRACE_OF_ANTIBODY: f64 = 1.0e-6;
const TRACE_OF_EFFECT: f64 = 1.0e-3;
/// Precursors above the resting pool beyond which a month is taken in fine steps.
const RESTLESS_PRECURSORS: f64 = 0.05;

/// Constants of the balance and of the systems that set its signals.
#[derive(Clone, Copy, Debug)]
pub struct Balance<S> {
    hormones: Hormones<S>,
    minerals: Minerals<S>,
    loading: Loading<S>,
    medicines: Medicines<S>,
    precursor_rate: S,
    rankl_share: S,
    precursor_crowding: S,
    crowded_inflow: S,
    pth_exponent: S,
    coupling_rate: S,
    modelling_rate: S,
    modelling_turnover_exponent: S,
    progenitor_rate: S,
    progenitor_depletion: S,
    progenitor_turnover_share: S,
    estrogen_formation_loss: S,
    ageing_loss_per_year: S,
    ageing_from: S,
    glucocorticoid_half_effect: S,
    glucocorticoid_formation_loss: S,
    glucocorticoid_fading: S,
    glucocorticoid_resorption_gain: S,
    glucocorticoid_adaptation_rate: S,
    protein_gain: S,
    p1np_modelling_share: S,
    ctx_floor: S,
    per_ctx_at_peak: S,
    turnover_rate: [S; 5],
    modelling_share: [S; 5],
    mechanostat_exponent: [S; 3],
    unloading_resorption: [S; 3],
    unloading_refilling: S,
    unloading_memory_rate: S,
    unloading_modelling_loss: S,
    undermineralized: S,
    mineralization_rate: S,
    microdamage_rate: S,
    healing_rate: S,
    healing_gain: S,
    trabecular_share: [S; 4],
    floor: S,
    mechanostat_floor: S,
    volume_floor: S,
}

/// What does not change within a step.
#[derive(Clone, Copy)]
struct Surroundings<S> {
    diet: Diet<S>,
    load: S,
    felt_load: S,
    unloading: S,
    hormones: HormoneExposures<S>,
    stimulus: S,
}

/// What all compartments share at one instant.
struct Systemic<S> {
    resorption: S,
    cortical_resorption: S,
    turnover: S,
    modelling: S,
    modelling_left: S,
    load_ageing: S,
}

/// Everything that acts on the states of one person within a step.
struct Acting<'a, S> {
    balance: &'a Balance<S>,
    person: &'a Person<S>,
    inputs: &'a Inputs<S>,
    around: &'a Surroundings<S>,
}

impl<S: Scalar> Pulling<S, State<S>> for Acting<'_, S> {
    #[inline(always)]
    fn pulls(&self, state: &State<S>, age: S) -> State<Pull<S>> {
        self.balance.pulls(self.person, self.inputs, self.around, state, age)
    }
}

impl<S: Scalar> Relaxing<S> for State<S> {
    type Pulls = State<Pull<S>>;

    #[inline(always)]
    fn relaxed(&self, pulls: &Self::Pulls, time: S) -> Self {
        self.zip(pulls, |x, p| relax(x, p, time))
    }

    #[inline(always)]
    fn midway(&self, other: &Self) -> Self {
        self.zip(other, |a, b| S::HALF * (a + b))
    }
}

impl<S: Scalar> Balance<S> {
    /// Takes the constants from the parameters.
    pub fn new(p: &Parameters) -> Self {
        let r = &p.remodeling;
        Balance {
            hormones: Hormones::new(p),
            minerals: Minerals::new(p),
            loading: Loading::new(p),
            medicines: Medicines::new(p),
            precursor_rate: S::of(r.precursor_rate),
            rankl_share: S::of(r.precursor_rankl_share),
            precursor_crowding: S::of(r.precursor_crowding),
            crowded_inflow: S::ONE + S::of(r.precursor_crowding),
            pth_exponent: S::of(r.pth_exponent),
            coupling_rate: S::of(r.coupling_rate),
            modelling_rate: S::of(r.modelling_rate),
            modelling_turnover_exponent: S::of(r.modelling_turnover_exponent),
            progenitor_rate: S::of(r.progenitor_rate),
            progenitor_depletion: S::of(r.progenitor_depletion),
            progenitor_turnover_share: S::of(r.progenitor_turnover_share),
            estrogen_formation_loss: S::of(r.estrogen_deficit_formation_loss),
            ageing_loss_per_year: S::of(r.formation_loss_per_decade / 10.0),
            ageing_from: S::of(r.ageing_from),
            glucocorticoid_half_effect: S::of(r.glucocorticoid_half_effect),
            glucocorticoid_formation_loss: S::of(r.glucocorticoid_formation_loss),
            glucocorticoid_fading: S::of(r.glucocorticoid_formation_adaptation),
            glucocorticoid_resorption_gain: S::of(r.glucocorticoid_resorption_gain),
            glucocorticoid_adaptation_rate: S::of(r.glucocorticoid_adaptation_rate),
            protein_gain: S::of(r.protein_formation_gain),
            p1np_modelling_share: S::of(r.p1np_modelling_share),
            ctx_floor: S::of(r.ctx_assay_floor),
            per_ctx_at_peak: S::of(1.0 / (1.0 + r.ctx_assay_floor)),
            turnover_rate: r.turnover_rate.map(S::of),
            modelling_share: r.modelling_share.map(S::of),
            mechanostat_exponent: r.mechanostat_exponent.map(S::of),
            unloading_resorption: r.unloading_resorption.map(S::of),
            unloading_refilling: S::of(r.unloading_refilling),
            unloading_memory_rate: S::of(r.unloading_memory_rate),
            unloading_modelling_loss: S::of(r.unloading_modelling_loss),
            undermineralized: S::of(r.undermineralized_deficit),
            mineralization_rate: S::of(1.0 / r.mineralization_time),
            microdamage_rate: S::of(r.microdamage_removal_rate),
            healing_rate: S::of(r.healing_rate),
            healing_gain: S::of(r.healing_resorption_gain),
            trabecular_share: p.density.trabecular_share.map(S::of),
            floor: S::of(r.inhibition_floor),
            mechanostat_floor: S::of(r.mechanostat_volume_floor),
            volume_floor: S::of(r.volume_floor),
        }
    }

    /// The balanced young adult that a person's history starts from.
    #[inline(always)]
    pub fn at_peak(&self, person: &Person<S>) -> State<S> {
        State {
            precursors: S::ONE,
            refilling: S::ONE,
            modelling: S::ONE,
            progenitors: S::ONE,
            glucocorticoid_adaptation: S::ZERO,
            unloading_memory: S::ZERO,
            microdamage: S::ONE,
            healing: S::ZERO,
            surface_bisphosphonate: S::ZERO,
            buried_bisphosphonate: S::ZERO,
            rankl_antibody: S::ZERO,
            sclerostin_adaptation: S::ZERO,
            sclerostin_rebound: S::ZERO,
            pth_resorption: S::ZERO,
            pth_tolerance: S::ZERO,
            resorption: S::ONE,
            volume: [S::ONE; 5],
            young: written_out!(5, c => self.young_at_peak(self.turnover_rate[c] * person.turnover)),
        }
    }

    /// Equation 11, y_0: share of young bone of the young adult.
    #[inline(always)]
    fn young_at_peak(&self, turnover: S) -> S {
        turnover / (turnover + self.mineralization_rate)
    }

    /// Equation 4: what bone-making cells refill of what was resorbed.
    #[inline(always)]
    fn refilling_efficiency(&self, estrogen: S, formation_left: S, age: S, ageing: S, protein: S) -> S {
        let estrogen_part = S::ONE - self.estrogen_formation_loss * (S::ONE - estrogen);
        let age_part = (S::ONE - self.ageing_loss_per_year * ageing * (age - self.ageing_from).at_least(S::ZERO)).at_least(self.floor);
        estrogen_part * formation_left * age_part * (S::ONE + self.protein_gain * protein)
    }

    /// Equation 6: glucocorticoid as cells feel a dose; it saturates.
    #[inline(always)]
    fn felt_glucocorticoid(&self, dose: S) -> S {
        dose * ((S::ONE + self.glucocorticoid_half_effect) / (dose + self.glucocorticoid_half_effect))
    }

    /// Equation 6: formation that glucocorticoids leave.
    #[inline(always)]
    fn formation_under_glucocorticoid(&self, glucocorticoid: S, adaptation: S) -> S {
        let felt = glucocorticoid - self.glucocorticoid_fading * adaptation;
        (S::ONE - self.glucocorticoid_formation_loss * felt.at_least(S::ZERO)).at_least(self.floor)
    }

    /// Equation 11: density relative to the young adult, by density site.
    #[inline(always)]
    pub fn relative_density(&self, person: &Person<S>, state: &State<S>) -> [S; 4] {
        let compartments: [S; 5] = written_out!(5, c => {
            let at_peak = self.young_at_peak(self.turnover_rate[c] * person.turnover);
            state.volume[c] * ((S::ONE - self.undermineralized * state.young[c]) / (S::ONE - self.undermineralized * at_peak))
        });
        written_out!(4, site => {
            let (trabecular, cortical) = (compartments[COMPARTMENTS_OF[site].0], compartments[COMPARTMENTS_OF[site].1]);
            // Written from the difference so that two compartments at 1 give exactly 1.
            cortical + self.trabecular_share[site] * (trabecular - cortical)
        })
    }

    /// Equation 12: the resorption marker CTX as laboratories report it, relative to the young adult.
    #[inline(always)]
    pub fn ctx(&self, state: &State<S>) -> S {
        (state.resorption + self.ctx_floor) * self.per_ctx_at_peak
    }

    /// Equation 12: the formation marker P1NP, relative to the young adult.
    #[inline(always)]
    pub fn p1np(&self, state: &State<S>) -> S {
        state.refilling + self.p1np_modelling_share * (state.modelling - state.refilling)
    }

    /// The sex-steroid signal and parathyroid hormone of a person at an age, for reporting.
    pub fn signals(&self, person: &Person<S>, inputs: &Inputs<S>, age: S) -> (S, S) {
        let around = self.surroundings(person, inputs);
        let estrogen = self.hormones.signal(person.male, age, person.menopause_age, &around.hormones);
        (estrogen, self.minerals.pth(age, self.minerals.supply_index(around.diet, age, estrogen)))
    }

    #[inline(always)]
    fn surroundings(&self, person: &Person<S>, inputs: &Inputs<S>) -> Surroundings<S> {
        let input = |target: Target| inputs.target[target as usize];
        let relative = self.loading.relative_load(input(Target::Load));
        let calcium = person.calcium_intake + input(Target::CalciumIntake);
        let serum_25ohd = person.serum_25ohd + input(Target::Serum25Ohd);
        Surroundings {
            diet: self.minerals.diet(calcium, serum_25ohd),
            load: person.habitual_load * relative,
            felt_load: self.loading.felt_load(person.habitual_load, relative),
            unloading: self.loading.unloading(relative),
            hormones: HormoneExposures {
                replacement: input(Target::EstrogenReplacement),
                modulation: input(Target::EstrogenModulation),
                suppression: input(Target::EstrogenSuppression),
                deprivation: input(Target::AndrogenDeprivation),
            },
            stimulus: self.medicines.stimulus(input(Target::SclerostinAntibody), input(Target::PthFormation), person.anabolic_response),
        }
    }

    /// Equations 1 to 10 at one instant: what pulls every state; the target of `resorption` is resorption itself.
    #[inline(always)]
    fn pulls(&self, person: &Person<S>, inputs: &Inputs<S>, around: &Surroundings<S>, state: &State<S>, age: S) -> State<Pull<S>> {
        let input = |target: Target| inputs.target[target as usize];
        let glucocorticoid = self.felt_glucocorticoid(input(Target::Glucocorticoid));
        let antibody = input(Target::SclerostinAntibody);
        let estrogen = self.hormones.signal(person.male, age, person.menopause_age, &around.hormones);
        let pth = self.minerals.pth(age, self.minerals.supply_index(around.diet, age, estrogen));
        let left_by_antibody = self.medicines.drive_left_by_antibody(state.rankl_antibody, person.drug_sensitivity);
        let pth_signal = self.medicines.pth_signal(state.pth_resorption, state.pth_tolerance, left_by_antibody);

        let burst = S::ONE + self.glucocorticoid_resorption_gain * (glucocorticoid - state.glucocorticoid_adaptation).at_least(S::ZERO);
        let healing = S::ONE + self.healing_gain * state.healing;
        let by_estrogen = (S::ONE + person.estrogen_half_effect) / (estrogen + person.estrogen_half_effect);
        let drive = by_estrogen * pth.power(self.pth_exponent) * burst * self.medicines.drive_under_pth(pth_signal) * healing;
        let blocked = drive
            * left_by_antibody
            * self.medicines.drive_under_sclerostin_antibody(antibody, state.sclerostin_adaptation, state.sclerostin_rebound);
        let inflow = S::ONE + self.rankl_share * (drive - S::ONE);
        let outflow = S::ONE + self.rankl_share * (blocked - S::ONE);
        let leaving = outflow + self.precursor_crowding * inflow;
        let resorption = blocked * state.precursors * self.medicines.resorption_left(state.surface_bisphosphonate);

        let formation_left = self.formation_under_glucocorticoid(glucocorticoid, state.glucocorticoid_adaptation);
        let efficiency = self.refilling_efficiency(estrogen, formation_left, age, person.formation_ageing, input(Target::ProteinIntake));
        let stimulated = S::ONE + around.stimulus * state.progenitors * state.refilling.power(self.modelling_turnover_exponent);
        let drawn = S::ONE + self.progenitor_turnover_share * (state.refilling - S::ONE) + self.progenitor_depletion * around.stimulus;
        let (sclerostin_adaptation, sclerostin_rebound) = self.medicines.adaptation_pulls(antibody, state.sclerostin_adaptation);
        let (pth_resorption, pth_tolerance) = self.medicines.pth_pulls(input(Target::PthResorption), state.pth_resorption);

        let shared = Systemic {
            resorption,
            cortical_resorption: resorption * self.medicines.cortical_resorption(pth_signal),
            turnover: person.turnover,
            modelling: person.modelling,
            modelling_left: state.modelling * (S::ONE - self.unloading_modelling_loss * around.unloading),
            load_ageing: self.loading.ageing(age) * person.load_ageing,
        };
        let bone: [(Pull<S>, Pull<S>); 5] = written_out!(5, c => self.pulls_of_compartment(c, &shared, around, state));
        State {
            precursors: pull(self.precursor_rate * leaving, inflow * self.crowded_inflow / leaving),
            refilling: pull(
                self.coupling_rate,
                efficiency * self.medicines.refilling_left_by_adaptation(state.sclerostin_adaptation) * resorption / healing,
            ),
            modelling: pull(self.modelling_rate, stimulated * formation_left),
            progenitors: pull(self.progenitor_rate * drawn, S::ONE / drawn),
            glucocorticoid_adaptation: pull(self.glucocorticoid_adaptation_rate, glucocorticoid),
            unloading_memory: pull(self.unloading_memory_rate, around.unloading),
            microdamage: pull(self.microdamage_rate * resorption, around.load / resorption),
            healing: pull(self.healing_rate, S::ZERO),
            surface_bisphosphonate: self.medicines.surface_pull(
                state.buried_bisphosphonate,
                input(Target::BisphosphonateUptake) * person.drug_sensitivity,
                resorption,
            ),
            buried_bisphosphonate: self.medicines.buried_pull(state.surface_bisphosphonate, resorption),
            rankl_antibody: self.medicines.antibody_pull(),
            sclerostin_adaptation,
            sclerostin_rebound,
            pth_resorption,
            pth_tolerance,
            resorption: pull(S::ZERO, resorption),
            volume: written_out!(5, c => bone[c].0),
            young: written_out!(5, c => bone[c].1),
        }
    }

    /// Equations 9 and 10 in one compartment: pulls of bone volume and of its young share.
    #[inline(always)]
    fn pulls_of_compartment(&self, c: usize, shared: &Systemic<S>, around: &Surroundings<S>, state: &State<S>) -> (Pull<S>, Pull<S>) {
        let region = REGION_OF[c];
        let turnover = self.turnover_rate[c] * shared.turnover;
        let up = self.unloading_resorption[region];
        let systemic = if CORTICAL[c] { shared.cortical_resorption } else { shared.resorption };
        let resorbed = systemic * (S::ONE + up * around.unloading);
        let refilled = state.refilling * (S::ONE + self.unloading_refilling * up * state.unloading_memory);
        let formed = refilled + self.modelling_share[c] * shared.modelling * (shared.modelling_left - refilled);
        let mechanical = self.loading.mechanical_signal(region, around.felt_load, shared.load_ageing);
        let bone = state.volume[c].at_least(self.mechanostat_floor);
        let built = formed.at_least(self.floor) * (mechanical / bone).power(self.mechanostat_exponent[region]);
        let entering = turnover * built / bone;
        let mixing = entering + self.mineralization_rate;
        (pull(turnover * resorbed, built / resorbed), pull(mixing, entering / mixing))
    }

    /// Doses given at the start of a month.
    #[inline(always)]
    pub fn dosed(&self, person: &Person<S>, inputs: &Inputs<S>, state: &State<S>) -> State<S> {
        let mut after = *state;
        after.rankl_antibody += inputs.target[Target::RanklAntibody as usize];
        after.surface_bisphosphonate += inputs.target[Target::BisphosphonateDose as usize] * person.drug_sensitivity;
        after
    }

    /// Whether this month needs fine steps: a potent medicine acts, or has left the cells out of their balance.
    #[inline(always)]
    pub fn needs_fine_steps(&self, inputs: &Inputs<S>, state: &State<S>) -> bool {
        let effect = S::of(TRACE_OF_EFFECT);
        let anabolic = inputs.target[Target::SclerostinAntibody as usize]
            + inputs.target[Target::PthFormation as usize]
            + inputs.target[Target::PthResorption as usize];
        (S::of(TRACE_OF_ANTIBODY) < state.rankl_antibody)
            | (effect < anabolic + state.sclerostin_adaptation + state.pth_resorption)
            | (S::of(1.0 + RESTLESS_PRECURSORS) < state.precursors)
            | (S::ZERO < inputs.target[Target::BisphosphonateDose as usize])
    }

    /// One exponential midpoint step of `years` from `age` (years), without doses.
    #[inline(always)]
    pub fn step(&self, person: &Person<S>, inputs: &Inputs<S>, state: &State<S>, age: S, years: S) -> State<S> {
        let around = self.surroundings(person, inputs);
        let (mut next, pulls) = exponential_midpoint(state, age, years, &Acting { balance: self, person, inputs, around: &around });
        next.resorption = pulls.resorption.target;
        next.volume = written_out!(5, c => next.volume[c].at_least(self.volume_floor));
        next
    }

    /// `n` steps that together take `years`.
    #[inline(always)]
    pub fn steps(&self, person: &Person<S>, inputs: &Inputs<S>, state: &State<S>, age: S, years: S, n: u32) -> State<S> {
        let step = years * S::of(1.0 / f64::from(n));
        let mut now = *state;
        for k in 0..n {
            now = self.step(person, inputs, &now, age + S::of(f64::from(k)) * step, step);
        }
        now
    }
}

#[cfg(test)]
mod tests;
