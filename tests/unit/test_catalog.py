"""Every shipped data file can be read, and a wrong one says what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cohortsim as cs
import pytest
from cohortsim import document
from cohortsim.catalog import PROFILE_KINDS, Catalog
from cohortsim.citations import UNPUBLISHED, entries, short
from cohortsim.entries import Quantity
from cohortsim.errors import CatalogError
from cohortsim.example import EXAMPLE
from cohortsim.reading import with_settings

CATALOG = Catalog()


def quantities() -> list[tuple[str, Quantity]]:
    found = list(CATALOG.parameters.items())
    for site in CATALOG.fracture_sites:
        found += site.quantities()
    for factor in CATALOG.risk_factors:
        found += factor.quantities()
    for id_ in CATALOG.ids("medicines"):
        found += CATALOG.medicine(id_).quantities()
    for kind in PROFILE_KINDS:
        for id_ in CATALOG.ids(f"profiles/{kind}"):
            found += CATALOG.profile(kind, id_).quantities()
    return found


def test_every_number_cites_an_entry_of_the_bibliography() -> None:
    known = entries(CATALOG.references).keys() | UNPUBLISHED.keys()
    named = quantities()
    assert len(named) > 100
    for name, quantity in named:
        assert set(quantity.source) <= known, name


def test_every_population_can_be_read() -> None:
    ids = CATALOG.ids("populations")
    assert {"us", "us_nonhispanic_white"} <= set(ids)
    for id_ in ids:
        plain = CATALOG.population(id_).plain
        assert plain["life_table"]["first_age"] == 20
        assert len(plain["correlation"]["women"]) == len(plain["correlation"]["women"][0])
        incident = {entry["site"] for entry in plain["fracture_incidence"]}
        assert incident == {site.id for site in CATALOG.fracture_sites}


def test_decision_numbers_of_fracture_sites_are_permanent() -> None:
    numbers = {site.id: site.decision for site in CATALOG.fracture_sites}
    assert numbers == {
        "hip": 0,
        "clinical_vertebral": 1,
        "distal_forearm": 2,
        "proximal_humerus": 3,
        "pelvis": 4,
        "other": 5,
    }


def test_promised_profiles_are_there() -> None:
    promised = {
        "hormones": "natural early_menopause surgical_menopause primary_ovarian_insufficiency "
        "hormone_therapy hormone_therapy_late hormone_therapy_long healthy_man hypogonadal_man "
        "androgen_deprivation aromatase_inhibitor",
        "activity": "sedentary usual active endurance_training impact_training "
        "resistance_training bed_rest bed_rest_90_days spinal_cord_injury",
        "diet": "calcium_low calcium_usual calcium_ample calcium_supplemented vitamin_d_deficient "
        "vitamin_d_replete dairy_poor vegan protein_low protein_ample",
    }
    for kind, ids in promised.items():
        assert set(ids.split()) <= set(CATALOG.ids(f"profiles/{kind}"))


def test_promised_medicines_are_there() -> None:
    promised = (
        "alendronate risedronate ibandronate_oral ibandronate_iv zoledronate denosumab "
        "raloxifene tamoxifen estrogen estrogen_progestin hormone_therapy teriparatide "
        "abaloparatide romosozumab calcium vitamin_d calcium_vitamin_d prednisone "
        "aromatase_inhibitor androgen_deprivation_therapy"
    )
    assert set(promised.split()) <= set(CATALOG.ids("medicines"))


def test_a_value_outside_its_range_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "medicines").mkdir()
    text = (EXAMPLE / "medicines" / "my_alendronate.yaml").read_text(encoding="utf-8")
    path = tmp_path / "medicines" / "mine.yaml"
    path.write_text(text.replace("high: 90", "high: 30"), encoding="utf-8")
    with pytest.raises(CatalogError, match=r"medicines/mine\.yaml:\d+:\d+ effects\[0\]\.amount"):
        Catalog(tmp_path).medicine("mine")


def test_an_unknown_id_gets_the_nearest_name() -> None:
    with pytest.raises(CatalogError, match='did you mean "alendronate"'):
        CATALOG.medicine("alendronat")


def test_ids_cannot_leave_the_catalog() -> None:
    assert not CATALOG.has("medicines", "../parameters/density")


@pytest.mark.parametrize(
    ("author", "said"),
    [
        ("Doe, Jane", "Doe 2001"),
        ("Doe, Jane and Roe, Rita", "Doe and Roe 2001"),
        ("Doe, Jane and Roe, Rita and Poe, P.", "Doe et al. 2001"),
    ],
)
def test_short_citations(author: str, said: str) -> None:
    bib = entries(f"@article{{x2001,\n  author = {{{author}}},\n  year = {{2001}}\n}}\n")
    assert short("x2001", bib) == said
    assert short("unknown", bib) == "unknown"


def test_a_study_in_no_file_finds_medicines_in_the_working_folder(
    study: cs.Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = (EXAMPLE / "medicines" / "my_alendronate.yaml").read_text(encoding="utf-8")
    (tmp_path / "here" / "medicines").mkdir(parents=True)
    (tmp_path / "here" / "medicines" / "my_alendronate.yaml").write_text(own, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    treatment = {"medicine": "my_alendronate", "persistence": "full"}
    arms: list[dict[str, Any]] = [
        {"name": "usual_care"},
        {"name": "mine", "medicines": [treatment]},
    ]
    plain = study.plain() | {"arms": arms, "people": 200}
    file = tmp_path / "here" / "study.yaml"
    file.write_text(document.dump(plain), encoding="utf-8")
    shipped = with_settings(
        cs.load("us_adults_50plus"),
        [f"arms[1].medicines[0].{key}={value}" for key, value in treatment.items()],
    )
    assert shipped.arms[1].medicines[0].medicine == "my_alendronate"
    first = cs.run(file).provenance["fingerprints"]
    for same in (plain, cs.Scenario(**plain)):
        assert cs.run(same).provenance["fingerprints"] == first
