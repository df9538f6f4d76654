"""Measures of what happens and of what there is: rates, prevalence, what an arm averts, visits."""

from __future__ import annotations

from typing import get_args

import polars as pl

from cohortsim import compare, incidence
from cohortsim import prevalence as prevalences
from cohortsim import visits as visited
from cohortsim.columns import DEATH, DEFORMITY, MARKERS, NURSING_HOME, SPINAL_SITE
from cohortsim.errors import Problem, ResultsError
from cohortsim.fields import DensitySite
from cohortsim.strata import By, Split, checked, chosen, with_age_band
from cohortsim.tables import Tables

Names = str | list[str] | tuple[str, ...]


class Rates(Tables):
    """Rates, prevalence, comparison of arms."""

    def incidence(
        self,
        by: By = ("arm", "site"),
        *,
        group: str | None = None,
        sites: Names | None = None,
        arm: str | None = None,
        recorded_only: bool = False,
    ) -> pl.DataFrame:
        """Return fractures per 1,000 person-years with exact 95 % intervals.

        Args:
            by: any of arm, cohort, sex, age_band, age, year, class, site; any column of `persons`
                that is true or false, a name or a small number (risk factors, prior_fracture,
                deformities, ...); class_at_index; groups by numbers from `cs.quantiles` and
                `cs.bands`. Ages, years and class are those at the time, all else is at index.
            group: only the sites of a group, such as "major_osteoporotic".
            sites: only these sites, or ["vertebral_deformity"]: new or worse deformities of
                vertebrae, whether or not they came to attention; they are no fracture site otherwise.
            arm: only this arm; the first where `by` does not hold arm (all hold the same people).
            recorded_only: leave out clinical vertebral fractures that registers miss. Use it to
                compare with rates from registers; without it everything is counted that came to
                clinical attention.

        Every fracture counts, also a person's second one; the time of everybody alive is at risk.
        By columns of people, each life is cut at birthdays and anniversaries (Lexis), to the
        minute. Columns: events, person_years, rate_per_1000, low, high. Every combination of strata
        has a row; one that nobody lived in has 0 events and no rate. Raises ResultsError: unknown
        stratum, site, group or arm.
        """
        place = "incidence(by=...)"
        strata = self._split(by, (*incidence.PERSON_TIME_STRATA, "site"), place)
        kinds = self._chosen(group, sites, strata)
        if recorded_only:
            self._has_register("incidence(recorded_only=...)", kinds)
        events, time = self._events_and_time(strata, arm, place)
        if recorded_only:
            events = events.filter("recorded")
        return incidence.event_rates(events, time, strata.names, kinds, "events")

    def mortality(
        self, by: By = ("arm", "sex", "age_band"), *, arm: str | None = None
    ) -> pl.DataFrame:
        """Return deaths per 1,000 person-years; as `incidence`, without site.

        Columns: deaths, person_years, rate_per_1000, low, high.
        """
        return self._rate(DEATH, "deaths", by, arm, "mortality(by=...)")

    def nursing_home(
        self, by: By = ("arm", "sex", "age_band"), *, arm: str | None = None
    ) -> pl.DataFrame:
        """Return people who enter a nursing home after a fracture, per 1,000 person-years.

        As `incidence`, without site. A person enters once; the time of everybody alive is counted.
        Columns: entries, person_years, rate_per_1000, low, high.
        """
        return self._rate(NURSING_HOME, "entries", by, arm, "nursing_home(by=...)")

    def falls(
        self, by: Names = ("arm", "sex", "age_band"), *, arm: str | None = None
    ) -> pl.DataFrame:
        """Return months with a fall per 1,000 person-years.

        Args:
            by: any of arm, cohort, sex, age_band, age, year, class; falls are not kept by person.
            arm: only this arm; the first one where `by` does not hold arm.

        Columns: falls, person_years, rate_per_1000, low, high. Raises ResultsError: unknown stratum.
        """
        strata = Split(checked(by, incidence.PERSON_TIME_STRATA, "falls(by=...)"))
        time = self._of_arm(self.person_time, strata, arm)
        return incidence.falls(with_age_band(time, self._bands), strata.names)

    def prevalence(
        self,
        by: Names = ("arm", "sex", "age_band"),
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
        strata = Split(checked(by, prevalences.STATE_STRATA, "prevalence(by=...)"))
        states = self._of_arm(self._states(strata, site, year, "prevalence"), strata, arm)
        return prevalences.prevalence(states, strata.names, self._bands).collect()

    def mean_abmd(
        self,
        by: Names = ("arm", "sex", "age_band"),
        *,
        site: str | None = None,
        year: int | None = 0,
        arm: str | None = None,
    ) -> pl.DataFrame:
        """Return mean areal density of the living; arguments and errors as `prevalence`.

        Columns: people, abmd_g_per_cm2 (g/cm2).
        """
        strata = Split(checked(by, prevalences.STATE_STRATA, "mean_abmd(by=...)"))
        states = self._of_arm(self._states(strata, site, year, "mean_abmd"), strata, arm)
        return prevalences.mean_abmd(states, strata.names, self._bands).collect()

    def averted(
        self, arm: str | None = None, *, versus: str | None = None, by: Names = ()
    ) -> pl.DataFrame:
        """Return events that an arm averts, per 1,000 people, with 95 % intervals.

        Args:
            arm: the arm that averts; the second if not given.
            versus: the arm it is compared with; the first if not given.
            by: any of cohort, sex, age_band, age, each at index.

        Each person is compared with himself or herself in the other arm. One row per fracture
        site, per group of sites, for any fracture, for vertebral deformities, nursing home entries
        and death. Columns: people (at index), events_versus, events, averted, averted_per_1000,
        low, high. Raises ResultsError: unknown arm or stratum, or an arm against itself.
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
                self.events, self.states, strata, self._outcomes(), self._bands, second, first
            )
            .with_columns(pl.col("arm", "versus").cast(pl.Enum(self.arms)))
            .collect()
        )

    def visits(self, *, arm: str | None = None, measure: Names | None = None) -> pl.DataFrame:
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

    def _rate(self, kind: str, count: str, by: By, arm: str | None, place: str) -> pl.DataFrame:
        strata = self._split(by, incidence.PERSON_TIME_STRATA, place)
        events, time = self._events_and_time(strata, arm, place)
        return incidence.event_rates(events, time, strata.names, [kind], count)

    def _events_and_time(
        self, by: Split, arm: str | None, place: str
    ) -> tuple[pl.LazyFrame, pl.LazyFrame]:
        """Return events and minutes lived with their strata: from the table of time, or by person."""
        if not by.at_index:
            time = self._of_arm(self.person_time, by, arm)
            events = self._of_arm(self.events, by, arm)
            return incidence.of_events(events, self._bands), with_age_band(time, self._bands)
        if "class" in by.names:
            found = f"class together with {', '.join(by.at_index)}"
            needed = "needs strata that stand in one table: class changes from month to month"
            raise ResultsError(Problem(place, found, needed, "use class_at_index"))
        strata = [name for name in by.names if name != "site"]
        told, lived = [], []
        for people, follow_up, events in self._by_person(by, "follow_up", "events"):
            rows = self._of_arm(follow_up, by, arm)
            lived.append(incidence.time_of(people, rows, strata, self._bands))
            who = people.select("person", *by.at_index)
            told.append(self._of_arm(events, by, arm).join(who, on="person"))
        return incidence.of_events(pl.concat(told), self._bands), pl.concat(lived)

    def _chosen(self, group: str | None, sites: Names | None, by: Split) -> list[str]:
        members = self.sites
        if group is not None:
            members = self.groups[chosen(group, self.groups, "incidence(group=...)", "group")]
        if sites is None:
            return members
        options = [*members, DEFORMITY] if group is None else members
        wanted = checked(sites, options, "incidence(sites=...)", "fracture site")
        if not wanted:
            found, needed = "no fracture site", "needs one at least"
            raise ResultsError(Problem("incidence(sites=...)", found, needed, "leave it out"))
        if {DEFORMITY, SPINAL_SITE} <= set(wanted) and "site" not in by.names:
            found = f"{SPINAL_SITE} and {DEFORMITY} together"
            needed = "needs them apart, because the first is part of the second"
            raise ResultsError(Problem("incidence(sites=...)", found, needed, 'add "site" to `by`'))
        return [site for site in options if site in wanted]

    def _outcomes(self) -> dict[str, list[str]]:
        """Return the rows of `averted`: names of outcomes with the events that they hold."""
        single = {site: [site] for site in self.sites}
        whole = {name: sites for name, sites in self.groups.items() if name != "any"}
        others = {kind: [kind] for kind in (DEFORMITY, NURSING_HOME, DEATH)}
        return single | whole | {compare.ANY: self.sites} | others

    def _states(self, by: Split, site: str | None, year: int | None, what: str) -> pl.LazyFrame:
        states = self.states
        if site is not None or "site" not in by.names:
            sites = get_args(DensitySite)
            named = site or self.scenario.classify_at
            named = chosen(named, sites, f"{what}(site=...)", "density site")
            states = states.filter(pl.col("site").cast(pl.String) == named)
        return self._at(states, by, year, what)
