"""The screen at the end of a run: plain text, 80 columns, numbers under each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from cohortsim.deaths import caused
from cohortsim.uncertainty import scaled_poisson
from cohortsim.units import MINUTES_PER_MONTH

if TYPE_CHECKING:
    from cohortsim.results import Results

WIDTH = 80
LABEL = 20
CELL = 7
LAST = 9
TAIL = 15
CLASS_CELLS = {"normal": 8, "osteopenia": 11, "osteoporosis": 13}
BANDS_ON_A_LINE = (WIDTH - LABEL - LAST - TAIL) // CELL
VISIT_LABEL = 24
VISIT_CELL = 7
VISITS_ON_A_LINE = (WIDTH - VISIT_LABEL) // VISIT_CELL
ALL = "all ages"
MAJOR = "major_osteoporotic"
SHOWN_GROUPS = {MAJOR: "major osteoporotic", "any": "any fracture"}
SPINE = {
    "deformed, %": "deformed_percent",
    "height lost, cm": "height_loss_mean",
    "kyphosis, degrees": "kyphosis_mean",
    "hyperkyphosis, %": "hyperkyphotic_percent",
    "back pain, %": "back_pain_percent",
}
Row = tuple[str, dict[str, str], str, str]  # label, a cell for each band, all ages, one more
INTERVALS = (
    "95 % intervals: chance of the simulation alone (Monte Carlo, narrower with more",
    "people) at fixed parameters; how well the parameters are known is not in them.",
)


def screen(results: Results) -> str:
    """Return everything that is shown when a run is over."""
    blocks = [
        _who(results),
        _prevalence(results),
        _incidence(results),
        _spine(results),
        _deaths(results),
        _visits(results),
        *(_averted(results, arm) for arm in results.arms[1:]),
        INTERVALS,
        _end(results),
    ]
    shown = [[line.rstrip()[:WIDTH] for line in block] for block in blocks]
    return "\n\n".join("\n".join(lines) for lines in shown if lines)


def person_months(results: Results) -> int:
    """Return the person-months lived in all arms."""
    lived = results.person_time.select(pl.col("minutes").sum()).collect().item()
    return int(lived) // MINUTES_PER_MONTH


def _who(results: Results) -> list[str]:
    s = results.scenario
    people = results.prevalence(by="sex", year=0)
    sexes = ", ".join(f"{row['people']:,} {row['sex']}" for row in people.iter_rows(named=True))
    lines = [s.name + (f": {s.title}" if s.title else "")]
    lines.append(f"{s.headcount:,} people ({sexes}), {s.years} years by the month, seed {s.seed}")
    if len(s.cohorts) > 1:
        counted = results.prevalence(by="cohort", year=0)
        named = (f"{row['cohort']} {row['people']:,}" for row in counted.iter_rows(named=True))
        lines += _wrapped("cohorts: ", _listed(list(named)))
    lines += _wrapped("arms, the same people in each: ", _listed(results.arms))
    return lines


def _wrapped(head: str, pieces: Sequence[str]) -> list[str]:
    lines = [head]
    for piece in pieces:
        if len(lines[-1]) + len(piece.rstrip()) > WIDTH:
            lines.append("  ")
        lines[-1] += piece
    return lines


def _listed(words: Sequence[str]) -> list[str]:
    return [*(f"{word}, " for word in words[:-1]), *words[-1:]]


def _prevalence(results: Results) -> list[str]:
    s = results.scenario
    site, arm = s.classify_at.replace("_", " "), results.arms[0]
    by_band = results.prevalence(by=["sex", "age_band", "year"])
    by_sex = results.prevalence(by=["sex", "year"])
    heads = "".join(f"{name:>{width}}" for name, width in CLASS_CELLS.items())
    end = f"after {s.years} years" if s.years > 1 else "after 1 year"
    lines = [
        f"Density class at the {site}, % of the living, {arm}",
        f"{'':<14}{'at the start':>32}{end:>32}",
        f"{'':<14}{heads}{heads}",
    ]
    for sex in by_sex["sex"].unique(maintain_order=True):
        mine = by_band.filter(pl.col("sex") == sex)
        for band in [*_bands(mine), "all"]:
            rows = mine.filter(pl.col("age_band").cast(pl.String) == band)
            rows = by_sex.filter(pl.col("sex") == sex) if band == "all" else rows
            lines.append(f"{sex + ' ' + band:<14}" + _classes(rows, 0) + _classes(rows, s.years))
    return lines


def _classes(rows: pl.DataFrame, year: int) -> str:
    row = rows.filter(pl.col("year") == year)
    if row.is_empty():
        return "".join(f"{'-':>{width}}" for width in CLASS_CELLS.values())
    return "".join(
        f"{row[f'{name}_percent'][0]:>{width}.1f}" for name, width in CLASS_CELLS.items()
    )


def _incidence(results: Results) -> list[str]:
    """Rates by site and group; intervals of all ages only, those of bands are in the tables."""
    groups = [None, *(name for name in SHOWN_GROUPS if name in results.groups)]
    by_band, whole = (
        pl.concat([_rates(results, group, by) for group in groups])
        for by in (["sex", "site", "age_band"], ["sex", "site"])
    )
    heads = _bands(by_band)
    lines = [f"Fractures per 1,000 person-years, {results.arms[0]}"]
    for sex in whole["sex"].unique(maintain_order=True):
        mine = by_band.filter(pl.col("sex") == sex)
        rows = []
        for row in whole.filter(pl.col("sex") == sex).iter_rows(named=True):
            of_site = mine.filter(pl.col("site") == row["site"]).iter_rows(named=True)
            cells = {r["age_band"]: _rate(r) for r in of_site}
            rows.append((row["site"].replace("_", " "), cells, _rate(row), _interval(row)))
        lines += _banded(sex, heads, rows, "95 % interval")
    return lines


def _rates(results: Results, group: str | None, by: list[str]) -> pl.DataFrame:
    """Return rates of each site, or of a group of sites together, named as in the table."""
    if group is None:
        return results.incidence(by=by).with_columns(pl.col("site").cast(pl.String))
    found = results.incidence(by=[name for name in by if name != "site"], group=group)
    return found.with_columns(pl.lit(SHOWN_GROUPS[group]).alias("site")).select(*by, pl.exclude(by))


def _banded(sex: str, heads: list[str], rows: Sequence[Row], tail: str) -> Iterator[str]:
    """Yield rows with a cell for each age band; all ages and one more column end the last line."""
    for first in range(0, len(heads), BANDS_ON_A_LINE):
        shown = heads[first : first + BANDS_ON_A_LINE]
        last = shown[-1] == heads[-1]
        yield f"{sex:<{LABEL}}" + _cells(shown) + (_ends(ALL, tail) if last else "")
        for label, cells, whole, end in rows:
            line = f"{'  ' + label:<{LABEL}.{LABEL}}" + _cells([cells[head] for head in shown])
            yield line + (_ends(whole, end) if last else "")


def _cells(words: Sequence[str]) -> str:
    return "".join(f"{word:>{CELL}}" for word in words)


def _ends(whole: str, tail: str) -> str:
    return f"{whole:>{LAST}}{tail:>{TAIL}}"


def _bands(frame: pl.DataFrame) -> list[str]:
    found = frame["age_band"].unique().sort()
    return [str(band) for band in found]


def _digits(row: dict[str, Any]) -> int:
    return 2 if row["high"] < 10 else 1 if row["high"] < 100 else 0


def _rate(row: dict[str, Any]) -> str:
    return "-" if row["high"] is None else f"{row['rate_per_1000']:.{_digits(row)}f}"


def _interval(row: dict[str, Any]) -> str:
    if row["high"] is None:
        return "-"
    return f"{row['low']:.{_digits(row)}f}-{row['high']:.{_digits(row)}f}"


def _spine(results: Results) -> list[str]:
    """Deformities, height, kyphosis and pain by age at the start, and of all at the end."""
    years = results.scenario.years
    by_band = results.spine(by=["sex", "age_band"])
    whole = results.spine(by=["sex", "year"], year=None)
    lines = [f"The spine at the start, {results.arms[0]}"]
    for sex in whole["sex"].unique(maintain_order=True):
        bands = {row["age_band"]: row for row in by_band.iter_rows(named=True) if row["sex"] == sex}
        start, *_, end = (row for row in whole.iter_rows(named=True) if row["sex"] == sex)
        rows = [
            (
                label,
                {band: _number(row, column) for band, row in bands.items()},
                _number(start, column),
                _number(end, column),
            )
            for label, column in SPINE.items()
        ]
        tail = f"after {years} years" if years > 1 else "after 1 year"
        lines += _banded(sex, list(bands), rows, tail)
    return lines


def _number(row: dict[str, Any], column: str) -> str:
    return f"{row[column]:.1f}" if row["people"] else "-"


def _deaths(results: Results) -> list[str]:
    """How many died, how many of these deaths fractures caused, and nursing home entries."""
    arm = results.arms[0]
    entries = dict(results.nursing_home(by="sex").select("sex", "entries").iter_rows())
    head = f"{'caused by fractures, %':>25}{'95 % interval':>16}{'to a nursing home':>19}"
    lines = [f"{'Deaths, ' + _cut(arm, 5 + LABEL - 8):<{LABEL}}"[:LABEL] + head]
    for sex, deaths in results.mortality(by="sex").select("sex", "deaths").iter_rows():
        percents, squares = caused(
            results.events.filter(pl.col("arm") == arm, pl.col("sex") == sex)
        )
        low, high = scaled_poisson(percents, squares, 1)
        shares = (f"{x / deaths:.1f}" if deaths else "-" for x in (percents, low, high))
        share, *limits = shares
        lines.append(
            f"{'  ' + sex:<{LABEL - 8}}{deaths:>8,}{share:>25}{'-'.join(limits):>16}{entries[sex]:>19,}"
        )
    return lines


def _visits(results: Results) -> list[str]:
    """Mean changes at visits after index, a row for each arm; no visits, no table."""
    if "visits" not in results.kept:
        return []
    table = results.visits().filter(pl.col("month") > 0)
    if table.is_empty():
        return []
    lines = ["Mean change since the start, % (those alive at each month)"]
    for (measure,), mine in table.group_by(["measure"], maintain_order=True):
        months = mine["month"].unique().sort().to_list()
        for first in range(0, len(months), VISITS_ON_A_LINE):
            shown = months[first : first + VISITS_ON_A_LINE]
            heads = "".join(f"{month:>{VISIT_CELL}}" for month in shown)
            lines.append(f"{str(measure).replace('_', ' '):<{VISIT_LABEL}}{heads}")
            for (cohort,), of_cohort in mine.group_by(["cohort"], maintain_order=True):
                if len(results.scenario.cohorts) > 1:
                    lines.append(f" {cohort}")
                for (arm,), rows in of_cohort.group_by(["arm"], maintain_order=True):
                    changes = dict(rows.select("month", "change_percent").iter_rows())
                    label = "  " + _cut(str(arm), VISIT_LABEL - 3)
                    cells = "".join(_change(changes.get(month)) for month in shown)
                    lines.append(f"{label:<{VISIT_LABEL}}{cells}")
    return lines


def _change(percent: float | None) -> str:
    if percent is None:
        return f"{'-':>{VISIT_CELL}}"
    return f"{percent:>+{VISIT_CELL}.{2 if abs(percent) < 99.995 else 1}f}"


def _averted(results: Results, arm: str) -> list[str]:
    """What an arm averts: sites that matter most and groups; the table has all sites."""
    versus, years = results.arms[0], results.scenario.years
    over = f"over {years} years" if years > 1 else "over 1 year"
    lines = [
        *_wrapped("Averted by ", [f"{arm} ", f"against {versus}, ", f"per 1,000 people {over}"]),
        f"{'':<20}{_cut(versus, 14):>15}{_cut(arm, 19):>20}{'averted':>9}{'95 % interval':>16}",
    ]
    others = [
        site for site in results.sites if site not in results.groups.get(MAJOR, results.sites)
    ]
    averted = results.averted(arm).filter(~pl.col("event").is_in([*others, "non_vertebral"]))
    for row in averted.iter_rows(named=True):
        scale = 1000 / row["people"]
        before, after = row["events_versus"] * scale, row["events"] * scale
        digits = 2 if max(-row["low"], row["high"]) < 100 else 1
        interval = f"{row['low']:.{digits}f} to {row['high']:.{digits}f}"
        lines.append(
            f"{row['event'].replace('_', ' '):<20.20}{before:>15.{digits}f}{after:>20.{digits}f}"
            f"{row['averted_per_1000']:>9.{digits}f}{interval:>16}"
        )
    return lines


def _cut(name: str, room: int) -> str:
    return name if len(name) <= room else name[: room - 2] + ".."


def _end(results: Results) -> Iterator[str]:
    used = results.provenance["resources"]
    if used["simulated_people"]:
        speed = used["person_months_per_second"]
        yield (
            f"{used['person_months']:,} person-months lived in {used['seconds']:.1f} s: "
            f"{speed:,.0f} person-months per second"
        )
    yield f"results in {results.folder}" if results.folder else "results in memory only"
