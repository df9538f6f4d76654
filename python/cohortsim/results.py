"""Results of a run: lazy Polars tables, the measures made from them, and how they came to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cohortsim import provenance, store
from cohortsim.bodies import Bodies
from cohortsim.catalog import Catalog
from cohortsim.errors import Problem, ResultsError
from cohortsim.outcomes import Outcomes
from cohortsim.rates import Rates
from cohortsim.request import Request


class Results(Rates, Outcomes, Bodies):
    """What came out of a run.

    The attributes `persons`, `follow_up`, `events`, `person_time` and `states` are lazy frames, and
    `rows(table)` returns any kept table; README.txt in a folder of results says the unit of each
    column. The methods return finished frames, one row per stratum. `by` may be one column or
    several; [] means everybody together.
    All 95 % intervals tell the chance of the simulation (Monte Carlo) at fixed parameters.
    `provenance` is what provenance.json holds; `folder` is None for results in memory.
    """


def open(folder: str | Path) -> Results:
    """Return the results kept in a folder. Raises ResultsError: not there, or not finished."""
    path = Path(folder)
    if not path.is_dir():
        raise ResultsError(
            Problem(str(folder), "no such folder", "needs results", "check the path")
        )
    record = store.read_json(path / "provenance.json")
    if "scenario" not in record:
        if (path / store.MARK).is_file():
            found, advice = "holds an unfinished run", "finish it with the same `cohortsim run`"
        else:
            found, advice = "holds no readable provenance.json", "check the path"
        raise ResultsError(Problem(str(folder), found, "needs the folder of a run", advice))
    return Results(store.parts_of(path), record, path)


def finish(
    request: Request,
    model: Any,
    parts: store.Parts,
    folder: Path | None,
    *,
    timing: dict[str, Any],
    pause: Callable[[], None],
) -> Results:
    """Return the results of a run whose parts are all there; write what stands beside them.

    `pause` is called between two pieces of work and may raise Interrupted.
    """
    prints = provenance.fingerprints(parts, pause)
    record = provenance.record(request, model, prints, _site_entries(request), timing)
    results = Results(parts, record, folder)
    if folder is not None:
        from cohortsim import summary

        with store.writing(folder):
            summary.write(results, request.files, folder, pause)
            store.write_text(folder / "provenance.json", provenance.text(record))
    return results


def _site_entries(request: Request) -> list[dict[str, Any]]:
    pinned = request.scenario.origin.pinned
    if pinned is not None:
        return list(pinned["fracture_sites"])
    catalog = Catalog(request.scenario.origin.folder)
    return [
        {"id": site.id, "label": site.label, "groups": list(site.groups)}
        for site in catalog.fracture_sites
    ]
