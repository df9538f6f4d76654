"""Every shipped data file can be read, and a wrong one says what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cohortsim as cs
import pytest
from cohortsim import document
from cohortsim.catalog import PROFILE_KINDS, Catalog
from cohortsim.citations import UNPUBLISHED, entries, short
from cohortsim.entries import Interval, Quantity
from cohortsim.errors import CatalogError
from cohortsim.example import EXAMPLE
from cohortsim.fracture_sites import SPINE
from cohortsim.population import CHARACTERISTICS
from cohortsim.reading import with_settings

CATALOG = Catalog()


def quantities() -> list[tuple[str, Quantity]]:
    found = list(CATALOG.parameters.items())
    for site in CATALOG.fracture_sites:
        found += site.quantities()
    for factor in CATALOG.risk_factors:
        found += factor.quantities()
    for id_ in CATALOG.ids("populations"):
        found += CATALOG.population(id_).quantities()
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
    promised = "us us_nonhispanic_white us_nonhispanic_black us_mexican_american uk sweden"
    assert set(promised.split()) <= set(ids)
    sites = [site.id for site in CATALOG.fracture_sites]
    factors = [factor.id for factor in CATALOG.risk_factors]
    for id_ in ids:
        data = CATALOG.population(id_)
        assert not [*data.lacking(sites, factors)]
        plain = data.plain
        assert plain["life_table"]["first_age"] <= 30
        assert [entry["id"] for entry in plain["characteristics"]] == list(CHARACTERISTICS)
        order = data.ordered(plain["correlation"]["women"], factors)
        assert len(order) == len(order[0]) == len(CHARACTERISTICS) + 1 + len(factors)
        assert data.entry.country
        assert data.entry.scanned_mortality_ratio is not None


def test_decision_numbers_of_fracture_sites_are_permanent() -> None:
    numbers = {site.id: site.decision for site in CATALOG.fracture_sites}
    assert numbers == {
        "hip": 0,
        "clinical_vertebral": 1,
        "distal_forearm": 2,
        "proximal_humerus": 3,
        "pelvis": 4,
        "other": 5,
        "ribs": 6,
        "tibia": 7,
    }
    assert [site.id for site in CATALOG.fracture_sites if site.of_the_spine] == [SPINE]


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


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "dose_range: {low: 2.5, high: 10}",
            "dose_range: {low: 6, high: 10}",
            r"tablet\.yaml:5:13 dose_range: 6 to 10; needs a range that holds the dose, 5 mg",
        ),
        (
            "target: glucocorticoid",
            "target: glucocorticoid\n    shape: per_dose",
            r"tablet\.yaml:6:11 interval: 1 d, and glucocorticoid is per_dose; .* whole months",
        ),
        ("unit: d}", "unit: day}", r'interval\.unit: "day"; needs one of d, wk, mo or a'),
        ("value: 0.5, unit", "value: 2, unit", r"amount\.value: 2 lies outside .* needs 0\.2 to 1"),
        ("share: 0.5,", "share: 0.7,", r"curve\[1\]\.share: 0\.7 lies outside .* 0\.4 to 0\.6"),
        ("{month: 0, share: 1}", "{month: 1, share: 1}", r"curve\[0\]: month 1 with share 1; the"),
        (
            "{month: 12, share: 0.5, low: 0.4, high: 0.6}",
            "{month: 12, share: 0.5}, {month: 6, share: 0.4}",
            r"curve\[2\]: month 6, share 0\.4; months must ascend",
        ),
        ("scales_with_dose: false", "scale_with_dose: false", 'did you mean "scales_with_dose"'),
    ],
)
def test_a_wrong_medicine_says_what_is_wrong_and_where(
    tmp_path: Path, tablet: str, old: str, new: str, words: str
) -> None:
    assert old in tablet
    (tmp_path / "tablet.yaml").write_text(tablet.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogError, match=words):
        Catalog(tmp_path).medicine("tablet")


@pytest.mark.parametrize("text", ["applies_to: men\n", "course: {start_month: 3}\n"])
def test_a_profile_has_effects_but_no_doses(tmp_path: Path, tablet: str, text: str) -> None:
    effects = tablet[tablet.index("effects:") : tablet.index("persistence:")]
    path = tmp_path / "mine.yaml"
    path.write_text(f"id: mine\nlabel: Mine\n{text}{effects}", encoding="utf-8")
    profile = Catalog(tmp_path).profile("activity", "mine")
    assert [effect.target for effect in profile.effects] == ["glucocorticoid", "load"]
    path.write_text(
        f"id: mine\nlabel: Mine\n{text}{effects}".replace("load,", "load, shape: per_dose,"),
        encoding="utf-8",
    )
    with pytest.raises(CatalogError, match=r"effects\[1\]\.shape: per_dose, but nothing is dosed"):
        Catalog(tmp_path).profile("activity", "mine")


def test_intervals_in_whole_months() -> None:
    found = [
        Interval.model_validate({"value": value, "unit": unit}).whole_months
        for value, unit in [(6, "mo"), (1, "a"), (0.5, "a"), (1.5, "mo"), (4, "wk"), (30, "d")]
    ]
    assert found == [6, 12, 6, None, None, None]


def test_medicines_and_trials_can_be_read() -> None:
    for id_ in CATALOG.ids("medicines"):
        medicine = CATALOG.medicine(id_)
        assert medicine.id == id_
        assert medicine.scale(None) == medicine.scale(medicine.dose.value) == 1.0
        assert all(effect.at(1.0) == 1.0 for effect in medicine.effects)
    for id_ in CATALOG.scenario_ids("trials", "studies"):
        assert cs.load(id_).name


def test_trials_are_studies_with_an_id(
    study: cs.Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "data"
    (shipped / "trials").mkdir(parents=True)
    (shipped / "scenarios").mkdir()
    for kind in ("trials", "scenarios"):
        path = shipped / kind / f"a_{kind[:-1]}.yaml"
        path.write_text(document.dump(study.plain()), encoding="utf-8")
    catalog = Catalog(shipped=shipped)
    assert catalog.scenario_ids() == ["a_scenario", "a_trial"]
    assert catalog.scenario_ids("trials") == ["a_trial"]
    assert catalog.scenario_path("a_trial") == shipped / "trials" / "a_trial.yaml"
    assert catalog.scenario_path("another") is None


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
