"""Rules of the house that a reader should be able to trust without looking."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cohortsim.catalog import Catalog
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
RUST = sorted((ROOT / "src").rglob("*.rs"))
PYTHON = sorted((ROOT / "python" / "cohortsim").rglob("*.py"))
LONGEST = 500
LONGEST_BINDINGS = 300


def lines(path: Path) -> list[str]:
    """Lines of a file."""
    return path.read_text(encoding="utf-8").splitlines()


def code(path: Path) -> str:
    """Rust code of a file without comments and without its tests."""
    if path.name == "tests.rs":
        return ""
    before_tests = path.read_text(encoding="utf-8").split("#[cfg(test)]\nmod tests")[0]
    return re.sub(r"//.*", "", before_tests)


def name(path: Path) -> str:
    """Path from the root."""
    return str(path.relative_to(ROOT))


def test_there_are_sources_to_look_at() -> None:
    assert len(RUST) > 20
    assert len(PYTHON) > 20


@pytest.mark.parametrize("path", [*RUST, *PYTHON], ids=name)
def test_files_are_small_enough_to_read(path: Path) -> None:
    limit = LONGEST_BINDINGS if "bindings" in path.parts else LONGEST
    assert len(lines(path)) <= limit


def test_the_core_names_no_medicine_risk_factor_site_or_population() -> None:
    """They are data. Not looked for: `us`, calcium, estrogen and vitamin D, which are words of
    biology too; medicines in which the unit of a target is defined; `total hip`, where density is
    read.
    """
    catalog = Catalog()
    ids = {i for kind in ("medicines", "populations") for i in catalog.ids(kind)}
    ids |= {factor.id for factor in catalog.risk_factors}
    ids |= {site.id for site in catalog.fracture_sites} - {"other"}
    ids -= {"us", "calcium", "estrogen", "vitamin_d"}
    ids -= {"prednisone", "raloxifene", "teriparatide"}
    assert {"alendronate", "hip", "smoking"} <= ids
    for path in RUST:
        found = {i for i in ids if re.search(rf"\b{i}\b", code(path).replace("total hip", ""))}
        assert not found, f"{name(path)} names {sorted(found)}"


def test_only_the_bindings_know_python() -> None:
    for path in RUST:
        if "bindings" not in path.parts:
            assert "pyo3" not in path.read_text(encoding="utf-8"), name(path)


def test_every_biology_file_says_what_it_leaves_out() -> None:
    for path in sorted((ROOT / "src" / "biology").glob("*.rs")):
        header = "\n".join(line for line in lines(path) if line.startswith("//!"))
        assert "//! 1. " in header, f"{name(path)} has no numbered equations"
        assert re.search(r"[Ll]eft out|artefact|cannot follow", header), (
            f"{name(path)} leaves nothing out?"
        )


def sources(plain: object) -> Iterator[str]:
    """Yield every source that a data file names, at whatever depth."""
    if isinstance(plain, dict):
        for key, value in plain.items():
            if key == "source":
                yield from [value] if isinstance(value, str) else value
            else:
                yield from sources(value)
    elif isinstance(plain, list):
        for value in plain:
            yield from sources(value)


def test_every_source_key_is_in_the_bibliography() -> None:
    """Examples show how users name sources of their own, who have no bibliography: in words."""
    data = ROOT / "python" / "cohortsim" / "data"
    known = set(
        re.findall(r"@\w+\{([^,]+),", (data / "references.bib").read_text(encoding="utf-8"))
    )
    assert len(known) > 50
    for path in data.rglob("*.yaml"):
        used = set(sources(YAML(typ="safe").load(path.read_text(encoding="utf-8"))))
        if "examples" in path.parts:
            used = {source for source in used if " " not in source}
        assert used <= known | {"calibrated", "assumption"}, name(path)
