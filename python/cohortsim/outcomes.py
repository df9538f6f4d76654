"""Measures of risk over years, of what follows a fracture, and of deaths caused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from cohortsim import deaths, risks
from cohortsim.errors import Problem, ResultsError
from cohortsim.mistakes import shown
from cohortsim.strata import By, Split, with_age_band
from cohortsim.tables import AT_INDEX, Tables
from cohortsim.units import MINUTES_PER_YEAR

ON_AGE_SCALE = ("arm", "cohort", "sex")
AT_DEATH = ("arm", "cohort", "sex", "age_band", "age")
OLDEST = 120


class Outcomes(Tables):
    """Risks with death competing, deaths caused."""

    def cumulative_incidence(
        self,
        outcome: str,
        years: float | Iterable[float] = 10,
        *,
        by: By = ("arm", "sex", "age_band"),
        arm: str | None = None,
        recorded_only: bool = False,
    ) -> pl.DataFrame:
        """Return the risk of a first event within some years of index, death competing.

        Args:
            outcome: a fracture site, a group of sites ("any", "major_osteoporotic"),
                "vertebral_deformity", "nursing_home_entry" or "death".
            years: years since index, one or several; fractions are possible.
            by: any of arm, cohort, sex, age_band, age, class_at_index, columns of `persons`, groups
                by numbers; all at index.
            arm: only this arm; the first where `by` does not hold arm.
            recorded_only: leave out clinical vertebral fractures that registers miss; deformities
                are in no register.

        Aalen-Johansen: nobody leaves before the end but by death, so it is the share of people with
        the event. Columns: years; people (at index); at_risk (alive, without the event, observed,
        at that time); events and deaths before them, until then; percent, low, high (risk and its
        95 % interval); without_percent (alive without the event). Raises ResultsError: unknown
        outcome or stratum, or more years than were followed.
        """
        place = "cumulative_incidence(by=...)"
        kinds = self._outcome(outcome, "cumulative_incidence(outcome)", recorded=recorded_only)
        split = self._split(by, AT_INDEX, place)
        until = self._until(years, "cumulative_incidence(years=...)")
        lives = [
            risks.since_index(self._with_age(people), follow_up, events, kinds, until)
            for people, follow_up, events in self._lives(split, arm, recorded_only)
        ]
        return _by_years(risks.table(pl.concat(lives), split.names, 0, until), split)

    def lifetime_risk(
        self,
        outcome: str,
        *,
        at: float = 50,
        to: float | None = None,
        by: By = ("arm", "sex"),
        arm: str | None = None,
        recorded_only: bool = False,
    ) -> pl.DataFrame:
        """Return the remaining risk of those alive at an age, death competing.

        Args:
            outcome: as in `cumulative_incidence`.
            at: age from which the risk is told, years.
            to: age until which, years; as old as anybody in the stratum becomes if not given.
            by: any of arm, cohort, sex, class_at_index, columns of `persons`, groups by numbers.
            arm, recorded_only: as in `cumulative_incidence`.

        Aalen-Johansen on the scale of age with delayed entry: people of all ages at index are put
        together as in a period life table, each observed from his or her age at index on. So it
        needs a cohort with people of every age from `at` on; the risk is missing where nobody is
        observed for more than a year of age, or where all of the few observed leave before others
        come. Who comes later counts as not yet broken; before index only `prior_fracture` is known.

        Columns: from_age, to_age (years); people (ever observed), at_risk, events, deaths, percent,
        low, high, without_percent (alive without the event at `to_age`: near 0 if the risk is that
        of a whole life). Raises ResultsError: unknown outcome or stratum, ages that are none.
        """
        kinds = self._outcome(outcome, "lifetime_risk(outcome)", recorded=recorded_only)
        split = self._split(by, ON_AGE_SCALE, "lifetime_risk(by=...)")
        start, end = self._ages(at, to)
        lives = [
            risks.since_birth(people, follow_up, events, kinds, start)
            for people, follow_up, events in self._lives(split, arm, recorded_only)
        ]
        made = risks.table(pl.concat(lives), split.names, start, None if end is None else [end])
        ages = [
            pl.lit(start / MINUTES_PER_YEAR).alias("from_age"),
            (pl.col("until") / MINUTES_PER_YEAR).alias("to_age"),
        ]
        return made.select(*split.names, *ages, *risks.RISK_COLUMNS)

    def refracture(
        self,
        index: str,
        outcome: str = "any",
        *,
        years: float | Iterable[float] | None = None,
        by: By = ("arm", "sex"),
        arm: str | None = None,
        recorded_only: bool = False,
    ) -> pl.DataFrame:
        """Return the risk of a further fracture after each person's first one in follow-up.

        Args:
            index: site or group of the fracture that the curve starts from.
            outcome: what may follow, as in `cumulative_incidence`; it has to happen in a later
                minute. "death" gives death after the index fracture.
            years: years since the index fracture; each whole year of follow-up if not given.
            by: any of arm, cohort, sex, age_band, age (both at the index fracture),
                class_at_index, columns of `persons`, groups by numbers.
            arm, recorded_only: as in `cumulative_incidence`; both fractures have to be recorded.

        Aalen-Johansen with death competing; who broke late is observed for fewer years. Columns as
        in `cumulative_incidence`, people being those with an index fracture; the risk is missing
        where nobody was observed for so long. Raises ResultsError: unknown outcome or stratum.
        """
        place = "refracture(index)"
        first = self._outcome(index, place, death=False, recorded=recorded_only)
        kinds = self._outcome(outcome, "refracture(outcome)", recorded=recorded_only)
        split = self._split(by, AT_INDEX, "refracture(by=...)")
        every_year = range(1, self.scenario.years + 1)
        until = self._until(every_year if years is None else years, "refracture(years=...)")
        lives = [
            self._with_age(risks.since_fracture(people, follow_up, events, first, kinds))
            for people, follow_up, events in self._lives(split, arm, recorded_only)
        ]
        return _by_years(risks.table(pl.concat(lives), split.names, 0, until), split)

    def deaths_attributable(
        self,
        by: By = ("arm", "sex", "age_band"),
        *,
        after: str = "any",
        arm: str | None = None,
    ) -> pl.DataFrame:
        """Return how many deaths fractures cause, beside the excess of deaths after a fracture.

        Args:
            by: any of arm, cohort, sex, age_band, age (all at death), class_at_index, columns of
                `persons`, groups by numbers.
            after: site or group of the first fracture in follow-up after which deaths are compared.
            arm: only this arm; the first where `by` does not hold arm.

        Columns: deaths; person_years; caused (sum of the part of each death's hazard that fractures
        of any site caused, also those before index), low, high (its 95 % interval); caused_percent
        (of all deaths); caused_per_1000 (person-years); deaths_after and person_years_after (from
        the fracture on); expected_after (deaths at the rates of people of the same stratum, sex and
        age without such a fracture in follow-up); excess_after (observed less expected, where there
        are such people), excess_low, excess_high; caused_after (caused, from the fracture on);
        caused_of_excess_percent. Raises ResultsError: unknown stratum or site.
        """
        kinds = self._outcome(after, "deaths_attributable(after=...)", death=False)
        split = self._split(by, AT_DEATH, "deaths_attributable(by=...)")
        keys = list(dict.fromkeys([*split.names, "sex", "age"]))
        alike = not split.at_index  # the table of person-time has these strata
        sums = [
            deaths.counts(people, follow_up, events, kinds, keys, self._bands, all_time=not alike)
            for people, follow_up, events in self._lives(split, arm, False)
        ]
        if alike:
            time = with_age_band(self._of_arm(self.person_time, split, arm), self._bands)
            sums.append(time.group_by(keys).agg(pl.col("minutes").sum().cast(pl.Int64)))
        return deaths.table(deaths.added_up(sums, keys), split.names)

    # --- inside ---------------------------------------------------------------------------------

    def _lives(
        self, by: Split, arm: str | None, recorded_only: bool
    ) -> Iterator[tuple[pl.LazyFrame, pl.LazyFrame, pl.LazyFrame]]:
        """Yield people with strata, their follow-up and their events, batch by batch."""
        for people, follow_up, events in self._by_person(by, "follow_up", "events"):
            told = events.filter("recorded") if recorded_only else events
            yield people, self._of_arm(follow_up, by, arm), self._of_arm(told, by, arm)

    def _until(self, years: float | Iterable[float], place: str) -> list[int]:
        """Return years as minutes. ResultsError: what is no number, or beyond follow-up."""
        given: list[Any] = list(years) if isinstance(years, Iterable) else [years]
        longest = self.scenario.years
        wrong = [
            year
            for year in given
            if isinstance(year, bool)
            or not isinstance(year, int | float)
            or not 0 < year <= longest
        ]
        if wrong or not given:
            found = f"no {shown(wrong[0])} years of follow-up" if wrong else "no years"
            needed = f"needs numbers above 0, at most {longest}"
            raise ResultsError(Problem(place, found, needed, "the study sets its `years`"))
        return sorted({round(year * MINUTES_PER_YEAR) for year in given})

    def _ages(self, at: float, to: float | None) -> tuple[int, int | None]:
        """Return ages as minutes. ResultsError: what is no age, or younger than anybody is."""
        months = pl.col("age_months")
        ends = self.persons.select(months.min(), months.max().alias("oldest")).collect().row(0)
        youngest, oldest = ends[0] / 12, ends[1] / 12 + self.scenario.years
        problems = []
        if not _is_age(at) or at + 1 < youngest or at >= oldest:
            needed = f"needs an age in years; nobody is observed before {youngest:.1f}"
            needed += f" or after {oldest:.1f}"
            advice = "choose an age at which people are observed"
            problems.append(Problem("lifetime_risk(at=...)", shown(at), needed, advice))
        if to is not None and not (_is_age(to) and (not _is_age(at) or to > at)):
            needed, advice = "needs an age in years, above `at`", "leave it out for all of life"
            problems.append(Problem("lifetime_risk(to=...)", shown(to), needed, advice))
        if problems:
            raise ResultsError(problems)
        end = None if to is None else round(to * MINUTES_PER_YEAR)
        return round(at * MINUTES_PER_YEAR), end


def _is_age(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value <= OLDEST


def _by_years(table: pl.DataFrame, by: Split) -> pl.DataFrame:
    years = (pl.col("until") / MINUTES_PER_YEAR).alias("years")
    return table.select(*by.names, years, *risks.RISK_COLUMNS)
