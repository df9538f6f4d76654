//! The kernel on one thread: criterion prints the time for one batch and thousands of person-months per second ("elements").
//! `COHORTSIM_CPU=baseline cargo bench` measures another instruction-set level.
#![allow(missing_docs)]

use cohortsim_core::cohort::simulate::simulate;
use cohortsim_core::model::Model;
use cohortsim_core::numeric::cpu::Cpu;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const PEOPLE: u64 = 4096;

fn main_job(c: &mut Criterion) {
    let mut model = Model::from_json(include_str!("../tests/fixtures/request.json")).expect("the fixture compiles");
    let mut group = c.benchmark_group("main_job");
    group.sample_size(10);
    group.throughput(Throughput::Elements(PEOPLE * u64::from(model.months) * model.arms.len() as u64));
    for cpu in Cpu::available() {
        model.cpu = cpu;
        group.bench_function(cpu.name(), |b| b.iter(|| simulate(&model, 0, PEOPLE, 1)));
    }
    group.finish();
}

fn compile(c: &mut Criterion) {
    let text = include_str!("../tests/fixtures/request.json");
    c.benchmark_group("model").sample_size(10).bench_function("compile", |b| b.iter(|| Model::from_json(text)));
}

criterion_group!(benches, main_job, compile);
criterion_main!(benches);
