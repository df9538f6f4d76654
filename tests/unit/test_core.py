"""What both languages must know is the same in both."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import cohortsim
from cohortsim.catalog import Catalog
from cohortsim.columns import CLASSES, TABLES
from cohortsim.core import core
from cohortsim.fields import DensitySite
from cohortsim.population import CHARACTERISTICS, PRIOR_FRACTURE
from cohortsim.units import MINUTES_PER_MONTH

HERE = Path(cohortsim.__file__).parent


def test_the_stubs_name_what_the_binary_holds() -> None:
    tree = ast.parse((HERE / "_core.pyi").read_text(encoding="utf-8"))
    named = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    held = {name for name in dir(core()) if not name.startswith("__")}
    assert named == held
    model = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Model")
    methods = {node.name for node in model.body if isinstance(node, ast.FunctionDef)}
    assert methods == {name for name in dir(core().Model) if not name.startswith("__")}


def test_density_sites_are_the_cores() -> None:
    assert list(get_args(DensitySite)) == core().density_sites()


def test_a_month_has_the_cores_minutes() -> None:
    assert core().minutes_per_month() == MINUTES_PER_MONTH


def test_tables_and_classes_are_the_cores() -> None:
    specs = core().column_specs()
    assert set(TABLES) == set(specs)
    columns = {spec["name"] for spec in specs["states"]}
    assert set(CLASSES) < columns


def test_every_parameter_has_the_unit_that_the_core_asks_for() -> None:
    wanted = {spec["name"]: spec["unit"] for spec in core().parameter_specs()}
    given = {name: quantity.unit for name, quantity in Catalog().parameters.items()}
    assert given == wanted


def test_characteristics_are_the_cores() -> None:
    held = [entry["name"] for entry in core().characteristics()]
    assert held == [*CHARACTERISTICS, PRIOR_FRACTURE]


def test_the_public_names_are_there() -> None:
    for name in cohortsim.__all__:
        assert getattr(cohortsim, name) is not None
    assert callable(cohortsim.run)
