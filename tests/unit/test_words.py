"""Texts that people read, held as snapshots (`pytest --snapshot-update` after a wanted change)."""

from __future__ import annotations

import re
from pathlib import Path

import cohortsim as cs
from cohortsim import terminal
from cohortsim.catalog import PROFILE_KINDS, Catalog
from cohortsim.citations import UNPUBLISHED, entries, full
from cohortsim.example import write_example
from cohortsim.explain import Explanation
from cohortsim.explain_entry import explained
from syrupy.assertion import SnapshotAssertion

PROFILE = """
id: mine
label: Late surgery
describes: Both ovaries removed at 48.
applies_to: women
set:
  menopause_age:
    {value: 48, unit: a, low: 45, high: 51, source: vesco2012, status: recalled, note: A mean.}
effects:
  - target: estrogen_suppression
    amount: {value: 1, unit: "1", low: 0.5, high: 1, source: calibrated, status: calibrated}
course: {anchor: menopause, start_month: 3, months: 24}
note: Compare connelly2000.
"""
BIBLIOGRAPHY = r"""
@article{x2001,
  author = {R{\"o}sler, G. and {A and B Group} and others},
  title = {Is it so?},
  journal = {Bone},
  year = {2001},
  volume = {3},
  number = {2},
  pages = {1--9},
  doi = {10.1/x}
}
@misc{y2002,
  author = {S{\o}gaard, A.},
  title = {Data},
  year = {2002},
  url = {https://example.org}
}
"""


def test_the_shipped_study_in_english(snapshot: SnapshotAssertion) -> None:
    assert Explanation(cs.load("us_adults_50plus")).text() == snapshot


def test_courses_recruitment_and_visits_in_english(
    rich: cs.Scenario, snapshot: SnapshotAssertion
) -> None:
    text = Explanation(rich).text()
    first, last = text.index("Cohort women"), text.index("Osteopenia and osteoporosis are")
    assert text[first:last] == snapshot
    assert "kept at months 0, 6, 12 and 60." in " ".join(text.split())


def test_a_medicine_and_a_profile_in_english(rich_file: Path, snapshot: SnapshotAssertion) -> None:
    (rich_file.parent / "profiles" / "hormones").mkdir(parents=True)
    own = rich_file.parent / "profiles" / "hormones" / "mine.yaml"
    own.write_text(PROFILE, encoding="utf-8")
    catalog = Catalog(rich_file.parent)
    assert explained("tablet", catalog) == snapshot
    assert explained("mine", catalog) == snapshot
    assert explained("nothing", catalog) == ""


def test_every_medicine_and_profile_says_its_sources_in_full() -> None:
    catalog = Catalog()
    known = entries(catalog.references)
    kinds = ["medicines", *(f"profiles/{kind}" for kind in PROFILE_KINDS)]
    for id_ in (id_ for kind in kinds for id_ in catalog.ids(kind)):
        told = " ".join(explained(id_, catalog).split())
        for _, quantity in (
            catalog.medicine(id_).quantities() if catalog.has("medicines", id_) else ()
        ):
            assert f"plausible {quantity.low:g} to {quantity.high:g}" in told
            for key in set(quantity.source) - UNPUBLISHED.keys():
                assert f"{key}: {full(key, known)}" in told


def test_a_source_in_full() -> None:
    bib = entries(BIBLIOGRAPHY)
    assert full("x2001", bib) == (
        "Rösler, G.; A and B Group; et al. Is it so? Bone 2001;3(2):1–9. doi:10.1/x"
    )
    assert full("y2002", bib) == "Søgaard, A. Data. 2002. https://example.org"
    assert full("calibrated", bib) == "fitted to published results"
    assert full("unknown", bib) == "unknown"


def test_the_own_country_in_english(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    write_example(tmp_path / "new", "own_country")
    study = cs.load(tmp_path / "new" / "study.yaml")
    text = Explanation(study).text()
    first, last = text.index("The study begins"), text.index("Arm usual_care")
    assert text[first:last] == snapshot
    told = explained("norway", Catalog(tmp_path / "new"))
    assert told[: told.index("BMD offset")] == snapshot


def test_rules_of_entry_and_people_in_english(study: cs.Scenario) -> None:
    plain = study.plain()
    for rule, words in [
        ({"at_least": 1}, "with at least one deformed vertebra,"),
        ({"at_least": 2, "grade_at_least": 2}, "2 or more deformed vertebrae of moderate grade or"),
        ({"at_most": 0}, "without a deformed vertebra,"),
        ({"at_most": 2, "grade_at_least": 3}, "at most 2 deformed vertebrae of severe grade,"),
        ({"at_least": 1, "at_most": 1}, "with 1 deformed vertebra,"),
        ({"at_least": 1, "at_most": 3}, "with 1 to 3 deformed vertebrae,"),
    ]:
        plain["cohorts"][0] |= {"entry": {"vertebral_deformities": rule}, "people": "scanned"}
        text = " ".join(Explanation(cs.load(plain)).text().split())
        assert words in text
    assert "They are people who come for a density scan: they die at 0.8 of the rates" in text
    far = Explanation(cs.load(plain | {"calendar_year": 2140, "secular_trend": True})).text()
    assert "2140 takes the nearest" in " ".join(far.split())


def test_fracture_sites_and_risk_factors_in_english() -> None:
    catalog = Catalog()
    hip = " ".join(explained("hip", catalog).split())
    falls = next(site for site in catalog.fracture_sites if site.id == "hip").share_from_falls
    assert f"Share from falls: {falls.value:g} (plausible" in hip
    smoking = " ".join(explained("smoking", catalog).split())
    ratios = next(factor for factor in catalog.risk_factors if factor.id == "smoking").hazard_ratios
    ratio = ratios["hip"].value
    assert f"Hazard ratio of hip, at equal bone density: {ratio:g} (plausible" in smoking


def test_the_screen_shows_changes_at_visits_by_cohort_and_arm(study: cs.Scenario) -> None:
    months = [0, *range(1, 10)]
    results = cs.run(study.changed(record={"persons": False, "visits": months}))
    lines = terminal.screen(results).splitlines()
    first = lines.index("Mean change since the start, % (those alive at each month)") + 1
    assert lines[first].split() == ["lumbar", "spine", *map(str, months[1:9])]
    assert lines[first + 1 : first + 3][0] == " women"
    assert lines[first + 2].startswith("  usual_care  ")
    assert lines[first + 7].split() == ["lumbar", "spine", "9"]  # no month 0, eight on a line
    change = results.visits(arm="usual_care", measure="lumbar_spine").row(1, named=True)
    assert lines[first + 2].split()[1] == f"{change['change_percent']:+.2f}"
    assert max(map(len, lines)) <= 80
    only_index = cs.run(study.changed(people=20, record={"visits": [0]}))
    assert "Mean change" not in terminal.screen(only_index)


def test_the_screen_after_a_run(snapshot: SnapshotAssertion) -> None:
    screen = terminal.screen(cs.run("us_adults_50plus", people=2000))
    assert re.sub(r"in [\d.]+ s: .*", "in ...", screen) == snapshot
