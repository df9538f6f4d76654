"""The text of each page."""

from __future__ import annotations

from collections.abc import Iterator

from model_docs import tables
from model_docs.headers import header

SYSTEMS = ("remodeling", "hormones", "minerals", "loading", "medicines", "density")
PROFILES = {"hormones": "hormones", "loading": "activity", "minerals": "diet"}
FIGURES = {  # name of the figure and what it shows
    "remodeling": ("remodeling", "Turnover and density through two years of denosumab and after"),
    "hormones": ("hormones", "Density and turnover around the final menstrual period"),
    "minerals": ("minerals", "A calcium supplement against placebo"),
    "loading": ("loading", "Seventeen weeks of bed rest, and up again"),
    "medicines": ("medicines", "One trial of each class of medicine"),
    "density": ("density", "Density over life, against each person's own young adult"),
}
OF_FIGURES = (
    "Lines are simulated, with the 95 % Monte Carlo band; points are published, filled where "
    "parameters were fitted to them, hollow where they are only compared."
)
WRITTEN = "<!-- Written by `make docs` from src/ and python/cohortsim/data; edit those. -->"
STATUS = """\
| status | what it means |
|---|---|
| read | seen in the source |
| recalled | remembered, to be re-read before it is relied on |
| derived | computed; the note says how |
| calibrated | fitted with all others of this status to published bone density and turnover; SD local |
| assumption | nobody measured it; the note says why it is so |"""
INDEX = """\
One page for each system: numbered equations, parameters with sources, figures, and what is not to be
trusted. The equations are those at the head of the Rust files, the numbers those of the data files;
nothing is written twice.

{pages}

Falls, fractures and mortality are described at the head of `src/biology/falls.rs`, `fracture.rs` and
`mortality.rs`.

## How well it fits

`cohortsim validate` simulates every trial of the evidence and prints each published number beside the
simulated one, and whether it was fitted or is only compared; `--out DIR` writes the table and a figure
of each trial. Published numbers and their sources: `python/cohortsim/data/evidence`.
`cohortsim calibrate` refits every calibrated value and prints what the data do not identify. "From data"
is the share of a fitted value's precision that the data give; the rest comes from its plausible range.

## What the status of a number means

{status}"""


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    made = {f"{system}.md": page(system) for system in SYSTEMS}
    return {"README.md": index(), **made}


def index() -> str:
    """Return the page that leads to the others."""
    listed = []
    for system in SYSTEMS:
        head = header(system)
        first = head.about.split("\n\n")[0].replace("\n", " ")
        listed.append(f"- [{head.title}]({system}.md): {first[:1].lower()}{first[1:]}")
    text = INDEX.format(pages="\n".join(listed), status=STATUS)
    return f"{WRITTEN}\n\n# The model\n\n{text}\n"


def page(system: str) -> str:
    """Return the page of a system."""
    return "\n".join([WRITTEN, "", *_page(system)]) + "\n"


def _page(system: str) -> Iterator[str]:
    head, sources = header(system), tables.Sources()
    yield f"# {head.title}"
    yield f"\n{head.about}"
    yield f"\n## Equations\n\n{head.equations}"
    if head.notes:
        yield f"\n{head.notes}"
    yield f"\n## What is left out, and what is not to be trusted\n\n{head.limits}"
    name, title = FIGURES[system]
    yield f"\n## Figure\n\n![{title}](figures/{name}.svg)\n\n{title}. {OF_FIGURES}"
    yield "\n## Parameters\n"
    yield from tables.parameters(system, sources)
    if system == "medicines":
        yield "\n## Catalog\n"
        yield from tables.medicines(sources)
    if system in PROFILES:
        yield "\n## Profiles\n"
        yield from tables.profiles(PROFILES[system], sources)
    yield "\n## Sources\n"
    yield from sources.listed()
