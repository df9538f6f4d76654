"""The text of each page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from model_docs import fractures, people, tables
from model_docs.headers import Header, header
from model_docs.tables import Sources

Table = Callable[[Sources], Iterator[str]]


@dataclass(frozen=True)
class Page:
    """A page: the files of src whose headers it shows, its figure, its tables by their headings.

    A page of one file has that file's title.
    """

    name: str
    files: tuple[str, ...]
    figure: str
    tables: tuple[tuple[str, Table], ...] = ()
    title: str = ""
    points: str = ""


def _parameters(system: str) -> tuple[str, Table]:
    return "Parameters", partial(tables.parameters, system)


def _profiles(kind: str) -> tuple[str, Table]:
    return "Profiles", partial(tables.profiles, kind)


PUBLISHED = (
    "Lines are simulated, with the 95 % Monte Carlo band; points are published, filled where "
    "parameters were fitted to them, hollow where they are only compared."
)
OF_TABLES = (
    "Lines are simulated, with the 95 % Monte Carlo band; points are the tables of the population, "
    "which the model is set to at the start of follow-up: they show that it stays there, no more. "
    "How it agrees with numbers that it was not set to is what `cohortsim validate` shows."
)
PAGES = (
    Page(
        "remodeling",
        ("biology/remodeling",),
        "Turnover and density through two years of denosumab and after",
        (_parameters("remodeling"),),
    ),
    Page(
        "hormones",
        ("biology/hormones",),
        "Density and turnover around the final menstrual period",
        (_parameters("hormones"), _profiles("hormones")),
    ),
    Page(
        "minerals",
        ("biology/minerals",),
        "A calcium supplement against placebo",
        (_parameters("minerals"), _profiles("diet")),
    ),
    Page(
        "loading",
        ("biology/loading",),
        "Seventeen weeks of bed rest, and up again",
        (_parameters("loading"), _profiles("activity")),
    ),
    Page(
        "medicines",
        ("biology/medicines",),
        "One trial of each class of medicine",
        (_parameters("medicines"), ("Catalog", tables.medicines)),
    ),
    Page(
        "density",
        ("biology/density",),
        "Density over life, against each person's own young adult",
        (_parameters("density"),),
    ),
    Page(
        "falls",
        ("biology/falls", "biology/frailty"),
        "Falls by age and sex, and how frailty parts people in falls, hip fractures and deaths",
        (_parameters("falls"),),
        title="Falls and frailty",
        points=OF_TABLES,
    ),
    Page(
        "fracture",
        ("biology/strength", "biology/fracture"),
        "Hip fractures by age and sex, and fractures for each fall by bone density",
        (
            _parameters("fracture"),
            ("Sites", fractures.sites),
            ("Risk factors", fractures.risk_factors),
        ),
        title="Strength and fracture",
        points=OF_TABLES,
    ),
    Page(
        "spine",
        ("biology/spine",),
        "Deformities by level and age, height lost, kyphosis",
        (_parameters("spine"),),
        points="Lines are simulated, with the 95 % Monte Carlo band.",
    ),
    Page(
        "mortality",
        ("biology/mortality",),
        "Death by age against the life table, and after hip fracture",
        (_parameters("mortality"), ("After a fracture", fractures.deaths)),
        points=OF_TABLES,
    ),
    Page(
        "populations",
        ("model/normalize", "cohort/persons"),
        "Hip fracture in the shipped populations",
        (("Populations", people.populations), ("Columns of a file of persons", people.persons)),
        title="Populations and real people",
        points=OF_TABLES,
    ),
)
WRITTEN = "<!-- Written by `make docs` from src/ and python/cohortsim/data; edit those. -->"
STATUS = """\
| status | what it means |
|---|---|
| read | seen in the source |
| recalled | remembered, to be re-read before it is relied on |
| derived | computed; the note says how |
| calibrated | fitted: the balance to bone density and turnover (SD local), the others to outcomes |
| assumption | nobody measured it; the note says why it is so |"""
INDEX = """\
One page for each system: numbered equations, parameters with sources, figures, and what is not to be
trusted. The equations are those at the head of the Rust files, the numbers those of the data files;
nothing is written twice.

{pages}

## How well it fits

`cohortsim validate` simulates every trial of the evidence and prints each published number beside the
simulated one, and whether it was fitted or is only compared; `--out DIR` writes the table and a figure
of each trial. Published numbers and their sources: `python/cohortsim/data/evidence`.
`cohortsim calibrate` refits every calibrated value of the balance and prints what the data do not
identify. "From data" is the share of a fitted value's precision that the data give; the rest comes
from its plausible range. Values of fractures, spine and death were fitted to the
outcomes of use `calibrate` (`scripts/fit_outcomes.py`); no trial of a medicine is among them.

## What the status of a number means

{status}"""


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    return {"README.md": index(), **{f"{page.name}.md": text(page) for page in PAGES}}


def index() -> str:
    """Return the page that leads to the others."""
    listed = []
    for page in PAGES:
        heads = [header(file) for file in page.files]
        said = " ".join(_about(head, page).split("\n\n")[0].replace("\n", " ") for head in heads)
        said = said if page.title else said[:1].lower() + said[1:]
        listed.append(f"- [{page.title or heads[0].title}]({page.name}.md): {said}")
    said = INDEX.format(pages="\n".join(listed), status=STATUS)
    return f"{WRITTEN}\n\n# The model\n\n{said}\n"


def text(page: Page) -> str:
    """Return the text of a page."""
    return "\n".join([WRITTEN, "", *_lines(page)]) + "\n"


def _lines(page: Page) -> Iterator[str]:
    heads, sources = [header(file) for file in page.files], Sources()
    yield f"# {page.title or heads[0].title}"
    for head in heads:
        yield f"\n{sources.text(_about(head, page))}"
    yield "\n## Equations"
    for head in heads:
        if page.title:
            yield f"\n### {head.title}"
        yield from (f"\n{sources.text(part)}" for part in (head.equations, head.notes) if part)
    yield "\n## What is left out, and what is not to be trusted"
    for head in heads:
        yield f"\n{sources.text(_limits(head, page))}"
    points = page.points or PUBLISHED
    yield f"\n## Figure\n\n![{page.figure}](figures/{page.name}.svg)\n\n{page.figure}. {points}"
    for heading, table in page.tables:
        yield f"\n## {heading}\n"
        yield from table(sources)
    yield "\n## Sources\n"
    yield from sources.listed()


def _about(head: Header, page: Page) -> str:
    if not page.title:
        return head.about
    return f"{head.title}: {head.about[:1].lower()}{head.about[1:]}"


def _limits(head: Header, page: Page) -> str:
    return f"{head.title}. {head.limits}" if page.title else head.limits
