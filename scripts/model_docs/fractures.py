"""Fracture sites, deaths after fractures and risk factors -> Markdown tables."""

from __future__ import annotations

from collections.abc import Iterator

from cohortsim.fracture_sites import FRACTURE_NUMBERS

from model_docs.markdown import cells, digits, head, sentences, span, with_unit
from model_docs.tables import DATA, Plain, Sources, effect_of, read

MEANINGS = {  # of the numbers of a fracture site
    "strength_exponent": "a of strength 1",
    "change_exponent": "c of strength 1",
    "spread": "spread of strength 3",
    "turnover_exponent": "t of strength 1",
    "microdamage_exponent": "d of strength 1",
    "weight_exponent": "pw of strength 2",
    "height_exponent": "ph of strength 2",
    "frailty_exponent": "phi of strength 2",
    "share_from_falls": "s of fracture 1",
    "prior_fracture_ratio": "prior ratio of fracture 2",
    "healing_draw": "added to the healing state, hip 1",
    "instability": "SD of frailty added, fades",
    "mobility_loss": "SD of frailty added, for good",
}


def sites(sources: Sources) -> Iterator[str]:
    """Yield the numbers of all fracture sites side by side, then each with its source."""
    found = _sites()
    yield head("number", "what it is", *(site["label"] for site in found))
    for name in FRACTURE_NUMBERS:
        numbers = [digits(site[name]["value"]) for site in found]
        yield cells(name.replace("_", " "), MEANINGS[name], *numbers)
    for site in found:
        yield f"\n### {site['label']} (`{site['id']}`)\n"
        groups = ", ".join(f"`{group}`" for group in site["groups"])
        yield sentences(
            sources.text(site.get("describes", "")),
            f"ICD-10 {', '.join(site['icd10'])}; groups {groups}",
            f"Density at the {site['density_site'].replace('_', ' ')}",
            sources.text(site.get("note", "")),
        )
        yield f"\n{head('number', 'value', 'plausible range', 'status and source', 'why')}"
        yield from (_number(name, site[name], sources) for name in FRACTURE_NUMBERS)
        yield from _nursing_home(site, sources)


def deaths(sources: Sources) -> Iterator[str]:
    """Yield by how much fractures themselves raise the hazard of death, with sources."""
    yield "Hazard of death relative to that without the fracture, frailty and instability aside,"
    yield "at 80 years.\n"
    yield head("site", "months", "women", "men", "status and source", "why")
    for site in _sites():
        steps = site.get("mortality_after", [])
        ends = [*(step["from_month"] for step in steps[1:]), site.get("mortality_until_month")]
        for step, end in zip(steps, ends, strict=False):
            women, men = step["women"], step["men"]
            yield cells(
                site["label"],
                f"{step['from_month']} on" if end is None else f"{step['from_month']} to {end}",
                f"{digits(women['value'])} ({span(women)})",
                f"{digits(men['value'])} ({span(men)})",
                sources.rests_on(women),
                sources.text(women.get("note", "")),
            )
        slope = site.get("mortality_age_slope")
        if slope:
            women, men = slope["women"], slope["men"]
            yield cells(
                site["label"],
                "slope of the excess per decade of age",
                f"{digits(women['value'])} ({span(women)})",
                f"{digits(men['value'])} ({span(men)})",
                sources.rests_on(women),
                sources.text(women.get("note", "")),
            )


def risk_factors(sources: Sources) -> Iterator[str]:
    """Yield every number of each risk factor."""
    yield (
        "Prevalence by age and sex, and correlations with everything else, are tables of each "
        "population ([populations](populations.md)). *At equal density*: the published ratio was "
        "adjusted for bone density; else only what was left after other ways were taken out, as the "
        "note says."
    )
    for path in sorted((DATA / "risk_factors").glob("*.yaml")):
        factor = read(f"risk_factors/{path.name}")
        yield f"\n### {factor['label']} (`{factor['id']}`)\n"
        yield sentences(*(sources.text(factor.get(key, "")) for key in ("describes", "note")))
        yield f"\n{head('number', 'value', 'plausible range', 'status and source', 'why')}"
        for site, ratio in factor.get("hazard_ratios", {}).items():
            held = ", at equal density" if ratio["adjusted_for_bmd"] else ""
            yield _number(f"hazard ratio, {site}{held}", ratio, sources)
        for name in ("falls_ratio", "mortality_ratio"):
            if name in factor:
                yield _number(name, factor[name], sources)
        for effect in factor.get("effects", []):
            yield _number(effect_of(effect, sources).split(" (")[0], effect["amount"], sources)


def _sites() -> list[Plain]:
    found = [read(f"fracture_sites/{p.name}") for p in (DATA / "fracture_sites").glob("*.yaml")]
    return sorted(found, key=lambda site: site["decision"] + 10 * (site["id"] == "other"))


def _number(name: str, entry: Plain, sources: Sources) -> str:
    return cells(
        name.replace("_", " "),
        with_unit(entry["value"], entry["unit"]),
        span(entry),
        sources.rests_on(entry),
        sources.text(entry.get("note", "")),
    )


def _nursing_home(site: Plain, sources: Sources) -> Iterator[str]:
    table = site.get("nursing_home")
    if table:
        for sex in ("women", "men"):
            for age, entry in zip(table["ages"], table[sex], strict=True):
                yield _number(f"enters a nursing home, {sex} of {digits(age)}", entry, sources)
