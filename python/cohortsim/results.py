"""Results of a run: lazy Polars tables, the measures made from them, and how they came to be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import polars as pl

from cohortsim import compare, provenance, store
from cohortsim import incidence as incidences
from cohortsim import prevalence as prevalences
from cohortsim import visits as visited
from cohortsim.catalog import Catalog
from cohortsim.columns import MARKERS, OF_VISITS, TABLES
from cohortsim.errors import Problem, ResultsError
from cohortsim.fields import DensitySite
from cohortsim.mistakes import shown
from cohortsim.request import Request
from cohortsim.scenario import Scenario
from cohortsim.strata import checked, chosen

By = str | Iterable[str]


class Results:
    """What came out of a run.

    The attributes `persons`, `follow_up`, `events`, `person_time` and `states` are lazy frames, and
    `rows(table)` returns any kept table; README.txt in a folder of results says the unit of each
    column. The methods return finished
    frames, one row per stratum. `by` may be one column or several; [] means everybody together.
    All 95 % intervals tell the chance of the simulation (Monte Carlo) at fixed parameters.
    `provenance` is what provenance.json holds; `folder` is None for results in memory.
    """

    def __init__(
        self, parts: store.Parts, record: dict[str, Any], folder: Path | None = None
    ) -> None:
        self._parts = parts
        self.provenance = record
        self.folder = folder
        self.scenario = Scenario.model_validate(record["scenario"])

    def __repr__(self) -> str:
        where = str(self.folder) if self.folder else "in memory"
        s = self.scenario
        size = f"{s.headcount:,} people, {s.years} years, {len(s.arms)} arms"
        return f"<Results of {s.name}: {size}; {where}>"

    # --- tables ---------------------------------------------------------------------------------

    @property
    def persons(self) -> pl.LazyFrame:
        """One row per person: who they are at index. ResultsError: the run did not keep it."""
        return self._table("persons")

    @property
    def follow_up(self) -> pl.LazyFrame:
        """One row per person and arm: how long they were followed, and their density at exit."""
        return self._table("follow_up")

    @property
    def events(self) -> pl.LazyFrame:
        """One row per fracture or death, with age in months and class at the start of the month."""
        return self._table("events")

    @property
    def person_time(self) -> pl.LazyFrame:
        """Minutes lived and months with a fall by arm, cohort, sex, age, year and class."""
        return self._table("person_time")

    @property
    def states(self) -> pl.LazyFrame:
        """The living by class of density, at index and each anniversary, at each density site."""
        return self._table("states")

    def rows(self, table: str) -> pl.LazyFrame:
        """Return the rows of a table by its name. ResultsError: the run did not keep it."""
        return self._table(chosen(table, TABLES, "rows(table)", "table"))

    def parts(self, table: str) -> list[pl.LazyFrame]:
        """Return the rows of a table batch by batch, in the order of the people.

        Raises ResultsError: the run did not keep it.
        """
        self.rows(table)
        return list(self._parts[table])

    @property
    def kept(self) -> list[str]:
        """Names of the tables that the run kept."""
        return list(self._parts)

    @property
    def arms(self) -> list[str]:
        """Names of the arms."""
        return [arm.name for arm in self.scenario.arms]

    @property
    def sites(self) -> list[str]:
        """Ids of the fracture sites."""
        return [site["id"] for site in self.provenance["fracture_sites"]]

    @property
    def groups(self) -> dict[str, list[str]]:
        """Groups of fracture sites, such as major_osteoporotic, and their members."""
        groups: dict[str, list[str]] = {"any": self.sites}
        for site in self.provenance["fracture_sites"]:
            for group in site["groups"]:
                if group != "any":
                    groups.setdefault(group, []).append(site["id"])
        return groups

    # --- measures -------------------------------------------------------------------------------

    def incidence(
        self,
        by: By = ("arm", "site"),
        *,
        group: str | None = None,
        sites: By | None = None,
        arm: str | None = None,
    ) -> pl.DataFrame:
        """Return fractures per 1,000 person-years with exact 95 % intervals.

        Args:
            by: any of arm, cohort, sex, age_band, age, year, class, site.
            group: only the sites of a group, such as "major_osteoporotic".
            sites: only these sites.
            arm: only this arm; the first where `by` does not hold arm (all hold the same people).

        Every fracture counts; the time of everybody alive is at risk. Columns: events,
        person_years, rate_per_1000, low, high. Raises ResultsError: unknown stratum, site, group.
        """
        strata = checked(by, (*incidences.PERSON_TIME_STRATA, "site"), "incidence(by=...)")
        places = self._chosen(group, sites)
        events, time = (self._of_arm(t, strata, arm) for t in (self.events, self.person_time))
        return incidences.fracture_rates(events, time, strata, places, self._bands).collect()

    def prevalence(
        self,
        by: By = ("arm", "sex", "age_band"),
        *,
        site: str | None = None,
        year: int | None = 0,
        arm: str | None = None,
    ) -> pl.DataFrame:
        """Return how many of the living have normal density, osteopenia, osteoporosis.

        Args:
            by: any of arm, cohort, sex, age_band, age, year, site; age is that at the anniversary.
            site: density site; the scenario's `classify_at` if not given.
            year: anniversary, 0 = index; None = all; ignored where `by` holds year.
            arm: only this arm; the first one where `by` does not hold arm.

        Columns: people, the three classes as counts, percent, and Wilson 95 % intervals in percent.
        Raises ResultsError: unknown stratum, site or year.
        """
        strata = checked(by, prevalences.STATE_STRATA, "prevalence(by=...)")
        states = self._of_arm(self._states(strata, site, year, "prevalence"), strata, arm)
        return prevalences.prevalence(states, strata, self._bands).collect()

    def mean_abmd(
        self,
        by: By = ("arm", "sex", "age_band"),
        *,
        site: str | None = None,
        year: int | None = 0,
        arm: str | None = None,
    ) -> pl.DataFrame:
        """Return mean areal density of the living; arguments and errors as `prevalence`.

        Columns: people, abmd_g_per_cm2 (g/cm2).
        """
        strata = checked(by, prevalences.STATE_STRATA, "mean_abmd(by=...)")
        states = self._of_arm(self._states(strata, site, year, "mean_abmd"), strata, arm)
        return prevalences.mean_abmd(states, strata, self._bands).collect()

    def averted(
        self, arm: str | None = None, *, versus: str | None = None, by: By = ()
    ) -> pl.DataFrame:
        """Return events that an arm averts, per 1,000 people, with 95 % intervals.

        Args:
            arm: the arm that averts; the second if not given.
            versus: the arm it is compared with; the first if not given.
            by: any of cohort, sex, age_band, age, each at index.

        Each person is compared with himself or herself in the other arm. One row per fracture
        site, one for any fracture, one for death. Columns: people (at index), events_versus,
        events, averted, averted_per_1000, low, high. Raises ResultsError: unknown arm or stratum, or
        an arm against itself.
        """
        strata = checked(by, compare.PAIRED_STRATA, "averted(by=...)")
        if len(self.arms) < 2:
            found = f"the study has one arm ({self.arms[0]})"
            raise ResultsError(
                Problem("averted()", found, "needs two", "add an arm to the scenario")
            )
        first, second = self._arm(versus, 0), self._arm(arm, 1)
        if first == second:
            found, advice = f"{first} against itself", "name another `arm` or `versus`"
            raise ResultsError(Problem("averted()", found, "needs two different arms", advice))
        return (
            compare.averted(
                self.events, self.states, strata, self.sites, self._bands, second, first
            )
            .with_columns(pl.col("arm", "versus").cast(pl.Enum(self.arms)))
            .collect()
        )

    def falls(self, by: By = ("arm", "sex", "age_band"), *, arm: str | None = None) -> pl.DataFrame:
        """Return months with a fall per 1,000 person-years; as `incidence`, without site.

        Columns: falls, person_years, rate_per_1000, low, high.
        """
        strata = checked(by, incidences.PERSON_TIME_STRATA, "falls(by=...)")
        time = self._of_arm(self.person_time, strata, arm)
        return incidences.falls(time, strata, self._bands).collect()

    def mortality(
        self, by: By = ("arm", "sex", "age_band"), *, arm: str | None = None
    ) -> pl.DataFrame:
        """Return deaths per 1,000 person-years; as `incidence`, without site.

        Columns: deaths, person_years, rate_per_1000, low, high.
        """
        strata = checked(by, incidences.PERSON_TIME_STRATA, "mortality(by=...)")
        events, time = (self._of_arm(t, strata, arm) for t in (self.events, self.person_time))
        return incidences.mortality(events, time, strata, self._bands).collect()

    def visits(self, *, arm: str | None = None, measure: By | None = None) -> pl.DataFrame:
        """Return mean changes of density and turnover markers since index, at the study's visits.

        Args:
            arm: only this arm.
            measure: only these: lumbar_spine, total_hip, femoral_neck, distal_radius, ctx, p1np.

        One row per arm, cohort, month and measure, of those who live at the visit, sorted. Columns:
        people; change_percent (mean change since index), sd_percent (its standard deviation between
        people), se_percent (its standard error), from_peak_percent (mean distance from the young
        adult; for density from each person's own). Raises ResultsError: the study has no visits, or
        no such arm or measure.
        """
        rows = self._table("visits")
        if arm is not None:
            rows = rows.filter(pl.col("arm").cast(pl.String) == self._arm(arm, 0))
        if measure is not None:
            names = (*get_args(DensitySite), *MARKERS)
            wanted = checked(measure, names, "visits(measure=...)", "measure")
            rows = rows.filter(pl.col("measure").cast(pl.String).is_in(wanted))
        return visited.changes(rows)

    # --- inside ---------------------------------------------------------------------------------

    @property
    def _bands(self) -> Sequence[int]:
        return self.scenario.age_bands

    def _table(self, name: str) -> pl.LazyFrame:
        if name not in self._parts:
            found, needed = f"no table {name}", "needs a run that kept it"
            key = "visits: [0, 12]" if name in OF_VISITS else "persons: true"
            raise ResultsError(Problem("results", found, needed, f"set `record: {{{key}}}`"))
        return pl.concat(self._parts[name])

    def _chosen(self, group: str | None, sites: By | None) -> list[str]:
        members = self.sites
        if group is not None:
            members = self.groups[chosen(group, self.groups, "incidence(group=...)", "group")]
        if sites is None:
            return members
        wanted = checked(sites, self.sites, "incidence(sites=...)", "fracture site")
        return [site for site in members if site in wanted]

    def _of_arm(self, frame: pl.LazyFrame, by: Sequence[str], arm: str | None) -> pl.LazyFrame:
        """Keep one arm, unless rows of several arms are wanted: no person is counted twice."""
        if arm is None and "arm" in by:
            return frame
        return frame.filter(pl.col("arm").cast(pl.String) == self._arm(arm, 0))

    def _arm(self, name: str | None, place: int) -> str:
        return self.arms[place] if name is None else chosen(name, self.arms, "arm", "arm")

    def _states(
        self, by: Sequence[str], site: str | None, year: int | None, what: str
    ) -> pl.LazyFrame:
        states = self.states
        if site is not None or "site" not in by:
            sites = get_args(DensitySite)
            named = site or self.scenario.classify_at
            named = chosen(named, sites, f"{what}(site=...)", "density site")
            states = states.filter(pl.col("site").cast(pl.String) == named)
        if "year" in by or year is None:
            return states
        if isinstance(year, bool) or year not in range(self.scenario.years + 1):
            found, needed = f"no anniversary {shown(year)}", f"needs 0 to {self.scenario.years}"
            raise ResultsError(
                Problem(f"{what}(year=...)", found, needed, "choose one, or None for all")
            )
        return states.filter(pl.col("year") == year)


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
