//! `cohortsim._core`: the only Rust that knows Python. Text in, columns out; the interpreter lock is released in one place.

use cohortsim_core::cohort::persons::Columns;
use cohortsim_core::cohort::{course as typical, simulate as simulation, trace as tracing};
use cohortsim_core::error::ModelError;
use cohortsim_core::exposure::Target;
use cohortsim_core::model::{CHARACTERISTICS, Model as CoreModel, PRIOR_FRACTURE};
use cohortsim_core::numeric::cpu::Cpu;
use cohortsim_core::parameters::{DENSITY_SITES, Parameters};
use cohortsim_core::record::{Column, table_specs};
use cohortsim_core::units::MINUTES_PER_MONTH;
use numpy::{IntoPyArray, PyArray3, PyReadonlyArray1};
use pyo3::create_exception;
use pyo3::exceptions::{PyArithmeticError, PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::collections::BTreeMap;

create_exception!(cohortsim._core, RequestError, PyValueError, "The request cannot be simulated; `problems` lists (place, found, needed).");
create_exception!(cohortsim._core, StateError, PyArithmeticError, "A state left the numbers it may take.");

/// The one way by which an error of the core becomes an exception.
fn raised(py: Python<'_>, error: ModelError) -> PyErr {
    match error {
        ModelError::Request(problems) => {
            let list: Vec<(String, String, String)> =
                problems.0.iter().map(|p| (p.place.clone(), p.found.clone(), p.needed.clone())).collect();
            let exception = RequestError::new_err(ModelError::Request(problems).to_string());
            match exception.value(py).setattr("problems", list) {
                Ok(()) => exception,
                Err(other) => other,
            }
        }
        numerical @ ModelError::Numerical { .. } => StateError::new_err(numerical.to_string()),
    }
}

/// A compiled study: immutable, shared by all threads.
#[pyclass(frozen, module = "cohortsim._core")]
struct Model {
    core: CoreModel,
}

#[pymethods]
impl Model {
    /// People of the scenario.
    #[getter]
    fn people(&self) -> u64 {
        self.core.people
    }

    /// Months of follow-up.
    #[getter]
    fn months(&self) -> u32 {
        self.core.months
    }

    /// What individual risks are related to, by population, quantity, sex and age: mean ratios of falls and death, offsets of load against
    /// strength.
    fn derived<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let all = PyDict::new(py);
        for population in &self.core.populations {
            let means = PyDict::new(py);
            means.set_item("fall", population.mean.fall.0.to_vec())?;
            means.set_item("death", population.mean.death.0.to_vec())?;
            means.set_item("fall_undated", population.mean.fall_undated.0.to_vec())?;
            means.set_item("offset_history.spine", population.mean.offset_history.0.to_vec())?;
            means.set_item("recorded", population.mean.recorded.0.to_vec())?;
            for (site, table) in DENSITY_SITES.iter().zip(&population.mean.course) {
                means.set_item(format!("course.{site}"), table.0.to_vec())?;
            }
            for (k, site) in self.core.fracture_sites.iter().enumerate() {
                means.set_item(format!("offset.{}", site.id), population.mean.offset[k].0.to_vec())?;
                means.set_item(format!("offset_undated.{}", site.id), population.mean.offset_undated[k].0.to_vec())?;
            }
            all.set_item(&population.id, means)?;
        }
        Ok(all)
    }
}

/// Version of the core.
#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Minutes in a month: the integer unit of person-time.
#[pyfunction]
fn minutes_per_month() -> u32 {
    MINUTES_PER_MONTH
}

/// The instruction-set level in use.
#[pyfunction]
fn cpu_level(py: Python<'_>) -> PyResult<&'static str> {
    Cpu::choose().map(Cpu::name).map_err(|e| raised(py, e))
}

/// Columns of numbers by cohort, as Python gives them.
type GivenColumns<'py> = BTreeMap<String, BTreeMap<String, PyReadonlyArray1<'py, f64>>>;

/// Compiles the JSON text of a request; what populations are related to is taken over from `like` where it rests on the same numbers.
/// `persons` has the columns of people whom the user has, by cohort: NaN where a value is missing.
#[pyfunction]
#[pyo3(signature = (request, like = None, persons = None))]
fn compile(py: Python<'_>, request: &str, like: Option<Py<Model>>, persons: Option<GivenColumns<'_>>) -> PyResult<Model> {
    let earlier = like.as_ref().map(|m| &m.get().core);
    let columns_of = |given: BTreeMap<String, PyReadonlyArray1<'_, f64>>| -> Columns {
        given.into_iter().map(|(name, column)| (name, column.as_array().to_vec())).collect()
    };
    let persons = persons.unwrap_or_default().into_iter().map(|(cohort, given)| (cohort, columns_of(given))).collect();
    let core = py.detach(|| CoreModel::from_json_with(request, earlier, &persons)).map_err(|e| raised(py, e))?;
    Ok(Model { core })
}

/// Simulates people `first_person..first_person + n_people` in all arms: {table: {column: array}}.
#[pyfunction]
fn simulate<'py>(py: Python<'py>, model: &Model, first_person: u64, n_people: u64, threads: usize) -> PyResult<Bound<'py, PyDict>> {
    let tables = py.detach(|| simulation::simulate(&model.core, first_person, n_people, threads)).map_err(|e| raised(py, e))?;
    let all = PyDict::new(py);
    all.set_item("persons", columns(py, tables.persons.into_columns())?)?;
    all.set_item("follow_up", columns(py, tables.follow_up.into_columns())?)?;
    all.set_item("events", columns(py, tables.events.into_columns())?)?;
    all.set_item("person_time", columns(py, tables.person_time.into_columns())?)?;
    all.set_item("states", columns(py, tables.states.into_columns())?)?;
    all.set_item("spine", columns(py, tables.spine.into_columns())?)?;
    all.set_item("visits", columns(py, tables.visits.into_columns())?)?;
    Ok(all)
}

/// Moves columns into NumPy arrays without a copy.
fn columns<'py>(py: Python<'py>, from: Vec<(&'static str, Column)>) -> PyResult<Bound<'py, PyDict>> {
    let all = PyDict::new(py);
    for (name, column) in from {
        match column {
            Column::U8(v) => all.set_item(name, v.into_pyarray(py))?,
            Column::U16(v) => all.set_item(name, v.into_pyarray(py))?,
            Column::U32(v) => all.set_item(name, v.into_pyarray(py))?,
            Column::U64(v) => all.set_item(name, v.into_pyarray(py))?,
            Column::I64(v) => all.set_item(name, v.into_pyarray(py))?,
            Column::F32(v) => all.set_item(name, v.into_pyarray(py))?,
            Column::F64(v) => all.set_item(name, v.into_pyarray(py))?,
        }
    }
    Ok(all)
}

/// One person's life in one arm, one row a month: {column: array}.
#[pyfunction]
fn trace<'py>(py: Python<'py>, model: &Model, arm: usize, person: u64) -> PyResult<Bound<'py, PyDict>> {
    if arm >= model.core.arms.len() || person >= model.core.people {
        return Err(PyIndexError::new_err(format!(
            "arm {arm}, person {person}: no such life; needed: an arm below {} and a person below {}",
            model.core.arms.len(),
            model.core.people
        )));
    }
    let life = py.detach(|| tracing::trace(&model.core, arm, person));
    let all = PyDict::new(py);
    for (name, column) in life.names.into_iter().zip(life.columns) {
        all.set_item(name, column.into_pyarray(py))?;
    }
    Ok(all)
}

/// Courses of typical people under several parameter sets: array of sets x (courses x people x visits) x (four densities, CTX, P1NP),
/// relative to the young adult.
#[pyfunction]
fn courses<'py>(py: Python<'py>, request: &str) -> PyResult<Bound<'py, PyArray3<f64>>> {
    let rows = py.detach(|| -> Result<_, ModelError> {
        let request = typical::CoursesRequest::from_json(request)?;
        typical::courses(&request)
    });
    let rows: Vec<Vec<Vec<f64>>> =
        rows.map_err(|e| raised(py, e))?.into_iter().map(|set| set.into_iter().map(|row| row.to_vec()).collect()).collect();
    Ok(PyArray3::from_vec3(py, &rows)?)
}

fn described<'py>(py: Python<'py>, rows: Vec<Vec<(&str, String)>>) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for row in rows {
        let entry = PyDict::new(py);
        for (key, value) in row {
            entry.set_item(key, value)?;
        }
        list.append(entry)?;
    }
    Ok(list)
}

/// All parameters: name, unit, meaning.
#[pyfunction]
fn parameter_specs(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let row = |s: cohortsim_core::parameters::Spec| vec![("name", s.name), ("unit", s.unit.into()), ("meaning", s.meaning.into())];
    described(py, Parameters::specs().into_iter().map(row).collect())
}

/// All columns by table: name, dtype, unit, meaning.
#[pyfunction]
fn column_specs(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let all = PyDict::new(py);
    for (table, specs) in table_specs() {
        let rows = specs
            .iter()
            .map(|c| vec![("name", c.name.to_string()), ("dtype", c.dtype.into()), ("unit", c.unit.into()), ("meaning", c.meaning.into())])
            .collect();
        all.set_item(table, described(py, rows)?)?;
    }
    Ok(all)
}

/// What an exposure can act on: name, unit, meaning, low, high, shape (while_taken or per_dose).
#[pyfunction]
fn exposure_targets(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let list = PyList::empty(py);
    for t in &Target::ALL {
        let entry = PyDict::new(py);
        entry.set_item("name", t.name)?;
        entry.set_item("unit", t.unit)?;
        entry.set_item("meaning", t.meaning)?;
        entry.set_item("low", t.low)?;
        entry.set_item("high", t.high)?;
        entry.set_item("shape", if t.target.per_dose() { "per_dose" } else { "while_taken" })?;
        list.append(entry)?;
    }
    Ok(list)
}

/// Density sites in the order of their codes.
#[pyfunction]
fn density_sites() -> Vec<&'static str> {
    DENSITY_SITES.to_vec()
}

/// Characteristics of a person: name, unit.
#[pyfunction]
fn characteristics(py: Python<'_>) -> PyResult<Bound<'_, PyList>> {
    let mut rows: Vec<Vec<(&str, String)>> =
        CHARACTERISTICS.iter().map(|(n, u)| vec![("name", (*n).into()), ("unit", (*u).into())]).collect();
    rows.push(vec![("name", PRIOR_FRACTURE.into()), ("unit", "1".into())]);
    described(py, rows)
}

/// cohortsim's core.
#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use super::{
        Model, RequestError, StateError, characteristics, column_specs, compile, courses, cpu_level, density_sites, exposure_targets,
        minutes_per_month, parameter_specs, simulate, trace, version,
    };
}
