"""Measures of what bodies are like: the spine and its levels, and distributions of any number."""

from __future__ import annotations

import math
from collections.abc import Iterator

import polars as pl

from cohortsim import spine
from cohortsim.at_index import with_age
from cohortsim.columns import BACK
from cohortsim.errors import Problem, ResultsError
from cohortsim.mistakes import shown
from cohortsim.strata import By, Split, chosen, with_age_band
from cohortsim.tables import AT_INDEX, Tables

WIDTHS = {"kyphosis": 5.0, "height_loss": 1.0}
NO_NUMBERS = ("person", "spine", "source_row")


class Bodies(Tables):
    """The spine, and distributions of numbers."""

    def spine(
        self,
        by: By = ("arm", "sex", "age_band"),
        *,
        year: int | None = 0,
        arm: str | None = None,
    ) -> pl.DataFrame:
        """Return vertebral deformities, height loss, kyphosis and back outcomes of the living.

        Args:
            by: any of arm, cohort, sex, age_band, age, year; at index (`year=0`) also
                class_at_index, columns of `persons` and groups by numbers.
            year: anniversary, 0 = index; None = all; ignored where `by` holds year.
            arm: only this arm; the first where `by` does not hold arm.

        Columns: people; deformities (of all together); deformed, and mild, moderate, severe by the
        grade of the worst vertebra (Genant 1, 2, 3); hyperkyphotic (kyphosis at least
        `spine.hyperkyphosis_from`); back_pain, back_disability, limited_activity, bed_rest: each as
        a count, `_percent`, and Wilson 95 % interval `_low`, `_high`; height_loss_ (cm since youth)
        and kyphosis_ (degrees Cobb, T4 to T12) as `mean`, `sd` between people, and the 95 %
        interval of the mean, `low` and `high`. Raises ResultsError: unknown stratum or year.
        """
        split = self._split(by, spine.SPINE_STRATA, "spine(by=...)")
        if split.at_index:
            rows = self._spines_at_index(split, year)
        else:
            table = self._of_arm(self.rows("spine"), split, arm)
            rows = self._at(table, split, year, "spine")
        return spine.table(with_age_band(rows, self._bands), split.names)

    def vertebrae(
        self, by: By = ("sex",), *, at: str = "index", arm: str | None = None
    ) -> pl.DataFrame:
        """Return how many people have a deformity at each level of the spine, T4 to L4.

        Args:
            by: any of arm, cohort, sex, age_band, age (both at index), class_at_index, columns of
                `persons`, groups by numbers.
            at: "index", or "end": those who are alive at the end of follow-up.
            arm: only this arm; the first where `by` does not hold arm.

        Columns: level; people; deformed with `_percent`, `_low`, `_high` (Wilson 95 %); mild,
        moderate, severe (Genant 1, 2, 3) and wedge, biconcave, crush as counts of people. Raises
        ResultsError: unknown stratum.
        """
        split = self._split(by, AT_INDEX, "vertebrae(by=...)")
        code = pl.col("spine").alias("code")
        rows = list(self._values(code, split, at, arm, "vertebrae(at=...)"))
        return spine.by_level(pl.concat(rows), split.names)

    def distribution(
        self,
        what: str,
        *,
        width: float | None = None,
        by: By = ("sex",),
        at: str = "index",
        arm: str | None = None,
    ) -> pl.DataFrame:
        """Return a histogram of a number of people: kyphosis, height_loss, body_weight, ...

        Args:
            what: a column of numbers of `persons` (at index) or of `follow_up` (at the end).
            width: of an interval, in the unit of the column; 5 degrees of kyphosis, 1 cm of height
                loss, else to be given.
            by, at, arm: as in `vertebrae`.

        Columns: from, to (an interval holds its lower end), people, percent of the stratum, low,
        high (Wilson 95 %). Raises ResultsError: unknown column or stratum, no width.
        """
        split = self._split(by, AT_INDEX, "distribution(by=...)")
        source = "follow_up" if at == "end" else "persons"
        schema = self.parts(source)[0].collect_schema()
        known = {name: kind for name, kind in schema.items() if name not in NO_NUMBERS}
        numbers = [name for name, kind in known.items() if kind.is_numeric()]
        column = chosen(what, numbers, "distribution(what)", "number of people")
        wide = WIDTHS.get(column) if width is None else width
        if isinstance(wide, bool) or not isinstance(wide, int | float) or not 0 < wide < math.inf:
            found, needed = f"width {shown(width)}", "needs a number above 0"
            raise ResultsError(Problem("distribution(width=...)", found, needed, "give a width"))
        value = pl.col(column).alias("value")
        rows = list(self._values(value, split, at, arm, "distribution(at=...)"))
        return spine.histogram(pl.concat(rows), "value", float(wide), split.names)

    # --- inside ---------------------------------------------------------------------------------

    def _values(
        self, value: pl.Expr, by: Split, at: str, arm: str | None, place: str
    ) -> Iterator[pl.LazyFrame]:
        """Yield a value of each person at index, or at the end if alive, with strata at index."""
        end = chosen(at, ("index", "end"), place, "time") == "end"
        for people, persons, follow_up in self._by_person(by, "persons", "follow_up"):
            rows = self._of_arm(follow_up, by, arm)
            if end:
                values = rows.filter(~pl.col("died")).select("person", "arm", value)
            else:
                here = persons.select("person", value)
                values = rows.select("person", "arm").join(here, on="person")
            yield self._with_age(people).join(values, on="person")

    def _spines_at_index(self, by: Split, year: int | None) -> pl.LazyFrame:
        if "arm" in by.names or "year" in by.names or year != 0:
            found = f"{', '.join(by.at_index)} together with arms or later years"
            needed = "needs strata of the table spine: rows of people are those at index"
            raise ResultsError(Problem("spine(by=...)", found, needed, "use year=0 without arm"))
        counted = [name for name in by.at_index if name in spine.SUMS]
        if counted:
            needed = "needs strata that are not counted in the table itself"
            problem = Problem("spine(by=...)", ", ".join(counted), needed, "look at `persons`")
            raise ResultsError(problem)
        limit = self.provenance["request"]["parameters"][spine.THRESHOLD]
        rows = []
        own = ("worst_grade", "deformities", "height_loss", "kyphosis", *BACK)
        for people, persons in self._by_person(by, "persons"):
            missing = [name for name in own if name not in by.at_index]
            joined = people.join(persons.select("person", *missing), on="person")
            rows.append(with_age(spine.of_people(joined, limit)))
        return pl.concat(rows)
