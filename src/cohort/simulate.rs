//! From a batch of people to tables: batch -> pieces -> blocks -> months. A block lives all its months, in every arm, before the next one
//! starts; pieces go to threads, and their integers add up in any order.

use crate::biology::fracture::MAX_SITES;
use crate::biology::remodeling::Balance;
use crate::block::{LANES, NEVER};
use crate::cohort::at_index::{Lived, earlier_fractures_of};
use crate::cohort::backs::BackTally;
use crate::cohort::happenings::DEATH;
use crate::cohort::history::Block;
use crate::cohort::kernel::Kernel;
use crate::cohort::month::Lives;
use crate::cohort::recruit::{Recruit, recruit};
use crate::cohort::visits::VisitTally;
use crate::error::ModelError;
use crate::model::{self, Model, Precision};
use crate::numeric::Scalar;
use crate::numeric::cpu::{Cpu, on_cpu};
use crate::record::{EventRow, FollowUpRow, PersonRow, Tables, Tally, TallyShape};
use crate::table::AGES;
use crate::units::{MINUTES_PER_MONTH, MONTHS_PER_YEAR};
use rayon::prelude::*;

/// Pieces that a batch is cut into for each thread, so that none waits long for another.
const PIECES_PER_THREAD: usize = 4;

/// Simulates people `first..first + people` in all arms. The same people give the same rows, whatever the batch, the number of threads and
/// the machine.
pub fn simulate(model: &Model, first: u64, people: u64, threads: usize) -> Result<Tables, ModelError> {
    match model.precision {
        Precision::F32 => simulate_in::<f32>(model, first, people, threads),
        Precision::F64 => simulate_in::<f64>(model, first, people, threads),
    }
}

fn simulate_in<S: Scalar>(model: &Model, first: u64, people: u64, threads: usize) -> Result<Tables, ModelError> {
    let kernel = Kernel::<S>::new(model);
    let last = first.saturating_add(people).min(model.people);
    let blocks: Vec<u64> = (first..last).step_by(LANES).collect();
    let blocks_in_piece = blocks.len().div_ceil(threads.max(1) * PIECES_PER_THREAD).max(1);
    let pieces: Vec<&[u64]> = blocks.chunks(blocks_in_piece).collect();
    let work = || -> Result<Vec<Piece>, ModelError> { pieces.par_iter().map(|starts| piece(model, &kernel, starts, last)).collect() };
    let done = match rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build() {
        Ok(pool) => pool.install(work)?,
        Err(_) => work()?, // no thread could be started: this one does it all
    };
    Ok(join(model, done))
}

/// Tables and counters of a piece of a batch.
#[derive(Debug)]
struct Piece {
    tables: Tables,
    tally: Tally,
    backs: BackTally,
    visits: VisitTally,
}

impl Piece {
    fn new(model: &Model) -> Self {
        Piece {
            tables: Tables::default(),
            tally: Tally::new(tally_shape(model)),
            backs: BackTally::new(tally_shape(model)),
            visits: VisitTally::new(model),
        }
    }
}

fn join(model: &Model, pieces: Vec<Piece>) -> Tables {
    let Piece { tables: mut all, mut tally, mut backs, mut visits } = Piece::new(model);
    for mut piece in pieces {
        all.persons.append(&mut piece.tables.persons);
        all.follow_up.append(&mut piece.tables.follow_up);
        all.events.append(&mut piece.tables.events);
        tally.add(&piece.tally);
        backs.add(&piece.backs);
        visits.add(&piece.visits);
    }
    (all.person_time, all.states) = tally.into_tables();
    all.spine = backs.into_table();
    all.visits = visits.into_table();
    all
}

fn tally_shape(model: &Model) -> TallyShape {
    let first_age = model.cohorts.iter().flat_map(|c| &c.cells).map(|cell| cell.1).min().unwrap_or(0);
    let oldest = model.cohorts.iter().flat_map(|c| &c.cells).map(|cell| cell.1).max().unwrap_or(0);
    let years = (model.months / MONTHS_PER_YEAR) as usize;
    let last_age = (oldest + years).min(AGES - 1);
    TallyShape { arms: model.arms.len(), cohorts: model.cohorts.len(), first_age, ages: last_age - first_age + 1, years }
}

on_cpu! {
    /// All months of a block in one arm.
    fn live_on<S, const L: usize>(model: &Model, kernel: &Kernel<S>, block: &Block<S, L>, lives: &mut Lives<S, L>, arm: usize,
        book: &mut Piece) -> Exits<S, L> = live;
}
on_cpu! {
    /// A block from peak bone mass to index.
    fn history_on<S, const L: usize>(model: &Model, balance: &Balance<S>, block: &mut Block<S, L>) -> () = history;
}

#[inline(always)]
fn history<S: Scalar, const L: usize>(model: &Model, balance: &Balance<S>, block: &mut Block<S, L>) {
    block.live_to_index(model, balance);
}

/// Lives a block to index on this machine's instructions.
pub fn live_to_index<S: Scalar, const L: usize>(model: &Model, balance: &Balance<S>, block: &mut Block<S, L>) {
    history_on(model.cpu, model, balance, block);
}

/// Recruits a block and brings it to index: history, the population's means, fractures before index.
pub fn block_at_index<S: Scalar, const L: usize>(model: &Model, kernel: &Kernel<S>, people: std::ops::Range<u64>) -> Block<S, L> {
    let recruits: Vec<Recruit> = people.map(|person| recruit(model, person)).collect();
    let mut block = Block::<S, L>::of(model, recruits);
    history_on(model.cpu, model, &kernel.balance, &mut block);
    for lane in 0..L {
        date_earlier_fractures(model, &mut block, lane);
    }
    block
}

fn date_earlier_fractures<S: Scalar, const L: usize>(model: &Model, block: &mut Block<S, L>, lane: usize) {
    let r = block.in_lane(lane);
    let population = &model.populations[model.cohorts[r.cohort].population];
    let earlier = earlier_fractures_of(model, population, r, &Lived::of(block, lane));
    block.instability[lane] = S::of(earlier.instability);
    for (site, since) in earlier.months_since.iter().enumerate() {
        if let Some(since) = since {
            block.months_since[site][lane] = S::of(*since);
        }
    }
}

fn piece<S: Scalar>(model: &Model, kernel: &Kernel<S>, starts: &[u64], last: u64) -> Result<Piece, ModelError> {
    let mut piece = Piece::new(model);
    for start in starts {
        let block = block_at_index::<S, LANES>(model, kernel, *start..(start + LANES as u64).min(last));
        if model.record_persons {
            let since = |lane: usize| months_since_noticed(model, &block.months_since, lane);
            let rows = block.recruits.iter().enumerate().map(|(lane, r)| person_row(model, r, since(lane)));
            rows.for_each(|row| piece.tables.persons.push(row));
        }
        for arm in 0..model.arms.len() {
            let mut lives = Lives::at_index(model, kernel, &block, arm);
            let exits = live_on(model.cpu, model, kernel, &block, &mut lives, arm, &mut piece);
            write_exits(model, &block, &lives, arm, &exits, &mut piece.tables)?;
        }
    }
    Ok(piece)
}

/// How the people of a block left.
struct Exits<S, const L: usize> {
    minutes: [u32; L],
    died: [bool; L],
    abmd: [[S; L]; 4],
    /// Months since the last noticed compression of the spine.
    months_since: [f64; L],
}

/// Months since the last compression of the spine that was noticed.
fn months_since_noticed<S: Scalar, const L: usize>(model: &Model, since: &[[S; L]; MAX_SITES], lane: usize) -> f64 {
    model.spine.site.map_or(NEVER, |site| since[site][lane].to_f64())
}

#[inline(always)]
fn live<S: Scalar, const L: usize>(
    model: &Model,
    kernel: &Kernel<S>,
    block: &Block<S, L>,
    lives: &mut Lives<S, L>,
    arm: usize,
    book: &mut Piece,
) -> Exits<S, L> {
    let mut exits = Exits { minutes: [0; L], died: [false; L], abmd: [[S::ZERO; L]; 4], months_since: [NEVER; L] };
    for month in 0..model.months {
        if !lives.alive.contains(&true) {
            return exits;
        }
        lives.look(kernel, block, month);
        if month.is_multiple_of(MONTHS_PER_YEAR) {
            count_states(model, kernel, block, lives, arm, month, book);
        }
        book.visits.count(&kernel.balance, block, lives, arm, month);
        lives.ask_chance(model, kernel, block, month);
        write_month(model, kernel, block, lives, arm, month, book, &mut exits);
        lives.step(kernel, block);
    }
    lives.look(kernel, block, model.months);
    count_states(model, kernel, block, lives, arm, model.months, book);
    book.visits.count(&kernel.balance, block, lives, arm, model.months);
    for lane in (0..L).filter(|lane| lives.alive[*lane]) {
        exits.minutes[lane] = model.months * MINUTES_PER_MONTH;
        exits.months_since[lane] = months_since_noticed(model, &lives.months_since, lane);
        (0..4).for_each(|site| exits.abmd[site][lane] = lives.abmd[site][lane]);
    }
    exits
}

fn count_states<S: Scalar, const L: usize>(
    model: &Model,
    kernel: &Kernel<S>,
    block: &Block<S, L>,
    lives: &Lives<S, L>,
    arm: usize,
    month: u32,
    book: &mut Piece,
) {
    for lane in (0..block.recruits.len()).filter(|lane| lives.alive[*lane]) {
        let r = &block.recruits[lane];
        let group = book.tally.group(arm, r.cohort, r.sex, ((r.age_months + month) / MONTHS_PER_YEAR) as usize);
        let spine = lives.vertebrae.spine[lane];
        let bearing = model.spine.bearing(r, spine, month, months_since_noticed(model, &lives.months_since, lane));
        book.backs.count(group, (month / MONTHS_PER_YEAR) as usize, &model.spine, spine, &bearing);
        for site in 0..4 {
            let abmd = lives.abmd[site][lane];
            let class = kernel.density.class(kernel.density.t_score(site, abmd));
            book.tally.state(group, (month / MONTHS_PER_YEAR) as usize, site, class, abmd.to_f64());
        }
    }
}

#[allow(clippy::too_many_arguments)]
#[inline(always)]
fn write_month<S: Scalar, const L: usize>(
    model: &Model,
    kernel: &Kernel<S>,
    block: &Block<S, L>,
    lives: &mut Lives<S, L>,
    arm: usize,
    month: u32,
    book: &mut Piece,
    exits: &mut Exits<S, L>,
) {
    let eventful = lives.somebody(kernel);
    for lane in 0..block.recruits.len() {
        if !lives.alive[lane] {
            continue;
        }
        let r = &block.recruits[lane];
        let age_months = r.age_months + month;
        let class = kernel.density.class(kernel.density.t_score(model.class_site, lives.abmd[model.class_site][lane]));
        let mut lived = MINUTES_PER_MONTH;
        if eventful[lane] {
            let (happenings, n) = lives.happenings(model, kernel, block, lane, month);
            for h in &happenings[..n] {
                if h.event == DEATH {
                    lived = h.minute;
                    exits.minutes[lane] = month * MINUTES_PER_MONTH + h.minute;
                    exits.died[lane] = true;
                    exits.months_since[lane] = months_since_noticed(model, &lives.months_since, lane);
                    (0..4).for_each(|site| exits.abmd[site][lane] = lives.abmd[site][lane]);
                }
                book.tables.events.push(EventRow {
                    person: r.person,
                    arm: arm as u8,
                    month: month as u16,
                    minute: h.minute as u16,
                    event: h.event,
                    age_months: age_months as u16,
                    cohort: r.cohort as u8,
                    sex: r.sex as u8,
                    class: class as u8,
                    level: h.level,
                    grade: h.grade,
                    grade_before: h.grade_before,
                    shape: h.shape,
                    recorded: u8::from(!h.missed),
                    attributable: h.attributable,
                });
            }
        }
        let fell = S::ZERO < lives.hazards.fell[lane] && (lived == MINUTES_PER_MONTH || lives.minute_of_fall(kernel, lane) < lived);
        let group = book.tally.group(arm, r.cohort, r.sex, (age_months / MONTHS_PER_YEAR) as usize);
        book.tally.lived(group, (month / MONTHS_PER_YEAR) as usize, class, lived, fell);
    }
}

fn person_row(model: &Model, r: &Recruit, months_since: f64) -> PersonRow {
    let bearing = model.spine.bearing(r, r.spine, 0, months_since);
    let abmd = model::ABMD_OF_SITE.map(|k| r.values[k] as f32);
    PersonRow {
        person: r.person,
        cohort: r.cohort as u8,
        sex: r.sex as u8,
        age_months: r.age_months as u16,
        body_weight: r.values[model::BODY_WEIGHT] as f32,
        height: r.values[model::HEIGHT] as f32,
        calcium_intake: r.values[model::CALCIUM_INTAKE] as f32,
        serum_25ohd: r.values[model::SERUM_25OHD] as f32,
        activity: r.values[model::ACTIVITY] as f32,
        menopause_age: if r.sex == 0 { r.values[model::MENOPAUSE_AGE] as f32 } else { f32::NAN },
        prior_fracture: u8::from(r.prior_fracture),
        risk_factors: r.risk_factors,
        abmd_lumbar_spine: abmd[0],
        abmd_total_hip: abmd[1],
        abmd_femoral_neck: abmd[2],
        abmd_distal_radius: abmd[3],
        frailty: r.values[model::FRAILTY] as f32,
        spine: r.spine.0,
        deformities: r.spine.deformities() as u8,
        worst_grade: r.spine.worst_grade(),
        kyphosis: bearing.kyphosis as f32,
        height_loss: bearing.height_loss as f32,
        back: bearing.complaints,
        source_row: r.source_row,
    }
}

fn write_exits<S: Scalar, const L: usize>(
    model: &Model,
    block: &Block<S, L>,
    lives: &Lives<S, L>,
    arm: usize,
    exits: &Exits<S, L>,
    tables: &mut Tables,
) -> Result<(), ModelError> {
    for (lane, r) in block.recruits.iter().enumerate() {
        let abmd = [0, 1, 2, 3].map(|site: usize| exits.abmd[site][lane]);
        for value in abmd {
            // A state that left the numbers stops the run rather than become a result.
            if !(value.to_f64().is_finite() && S::ZERO < value) {
                let month = exits.minutes[lane] / MINUTES_PER_MONTH;
                return Err(ModelError::Numerical {
                    person: r.person,
                    arm,
                    month,
                    what: "areal bone mineral density",
                    value: value.to_f64(),
                });
            }
        }
        if !model.record_persons {
            continue;
        }
        let abmd = abmd.map(Scalar::to_f32);
        let spine = lives.vertebrae.spine[lane];
        let bearing = model.spine.bearing(r, spine, exits.minutes[lane] / MINUTES_PER_MONTH, exits.months_since[lane]);
        tables.follow_up.push(FollowUpRow {
            person: r.person,
            arm: arm as u8,
            minutes: exits.minutes[lane],
            died: u8::from(exits.died[lane]),
            medicine_months: lives.courses.medicine_months(lane, f64::from(exits.minutes[lane].div_ceil(MINUTES_PER_MONTH))) as u16,
            abmd_lumbar_spine: abmd[0],
            abmd_total_hip: abmd[1],
            abmd_femoral_neck: abmd[2],
            abmd_distal_radius: abmd[3],
            spine: spine.0,
            deformities: spine.deformities() as u8,
            worst_grade: spine.worst_grade(),
            kyphosis: bearing.kyphosis as f32,
            height_loss: bearing.height_loss as f32,
            back: bearing.complaints,
        });
    }
    Ok(())
}
