"""A slow, obvious twin of the kernel: the same people, months, hazards and events, in plain NumPy.

Everything is float64; people are a vector and months a Python loop. It is written from the equations
in the headers of the sources and from what the documentation promises, not for speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from . import balance, chance, people
from .balance import SITES, Floats, Person, State
from .chance import Ints
from .people import AGES, MONTHS_PER_YEAR, NEVER, Acting, Bools, People, Plain

MINUTES_PER_MONTH = 43_830
DISTANT_STEPS, RECENT_MONTHS = 64, 24
REFERENCE_PEOPLE, FIRST_REFERENCE_PERSON = 2048, 2**62

Table = dict[str, NDArray[Any]]
Means = dict[str, dict[str, Floats]]
"""Mean relative risks by population and quantity: arrays (2 sexes, 121 ages)."""


# Index


@dataclass(frozen=True)
class AtIndex:
    """People with the balance and the risks that they bring to index."""

    people: People
    person: Person
    state: State
    scale: Floats
    """g/cm2 per relative density, (n, 4)."""
    exposures: list[Acting]
    """Those that every arm has."""
    months_since: Floats
    """Since the last fracture that counts, (n, fracture sites)."""


def lived_to_index(request: Plain, who: People, person: Person, exposures: list[Acting]) -> State:
    """Return the balance at index: from peak in 64 equal steps, the last two years by month."""
    p = request["parameters"]
    state = balance.at_peak(p, person)
    # Months from index: whole numbers and 128ths of them, so that edges of exposures are met exactly.
    from_peak = who.age_months - 12.0 * p["cohort.history_from"]
    distant = np.maximum(0.0, from_peak - RECENT_MONTHS)
    begin = -(RECENT_MONTHS + distant)
    steps = [
        (begin + distant * k / DISTANT_STEPS, distant / DISTANT_STEPS) for k in range(DISTANT_STEPS)
    ]
    one = np.ones(len(distant))
    steps += [(-before * one, one) for before in range(RECENT_MONTHS, 0, -1)]
    for start, months in steps:
        inputs = people.inputs_at(exposures, start + months / 2.0)
        age = (who.age_months + start) / 12.0
        state = balance.step(p, person, inputs, state, age, months / 12.0)
    return state


def at_index(request: Plain, who: People, means: Means) -> AtIndex:
    """Return people as follow-up finds them."""
    p = request["parameters"]
    person = people.person_of(request, who)
    exposures = people.of_risk_factors(request, who) + people.of_cohorts(request, who)
    state = lived_to_index(request, who, person, exposures)
    scale = people.density_at_index(who) / balance.relative_density(p, person, state)
    return AtIndex(
        people=who,
        person=person,
        state=state,
        scale=scale,
        exposures=exposures,
        months_since=months_since_fracture(request, who, state, means),
    )


# Hazards


def of_population(request: Plain, table: Any, who: People, age: Ints) -> Floats:
    """Return a function of (population) -> table (2 sexes, 121 ages), read for each person."""
    tables = np.array([table(population) for population in request["populations"]])
    values: Floats = tables[who.population, who.sex, np.minimum(age, AGES[-1])]
    return values


def mean_of(request: Plain, means: Means, name: str, who: People, age: Ints) -> Floats:
    """Return the population's mean of a relative risk at each person's sex and an age."""
    return of_population(request, lambda population: means[population["id"]][name], who, age)


def probability(hazard: Floats, months: float = 1.0) -> Floats:
    """Return 1 - exp(-hazard x months)."""
    return np.asarray(-np.expm1(-hazard * months))


def relative_fracture_hazard(
    request: Plain, site: Plain, who: People, abmd: Floats, resorption: Floats, prior: Bools
) -> Floats:
    """Return r of a fracture site (fracture, equation 1); abmd is that of its density site."""
    reference = request["parameters"][f"density.reference_mean.{site['density_site']}"]
    r: Floats = site["gradient_per_sd"] ** ((reference - abmd) / site["sd"])
    r = r * resorption ** site["turnover_exponent"]
    r = r * np.where(prior, site["prior_fracture_ratio"], 1.0)
    for k, factor in enumerate(request["risk_factors"]):
        ratio = factor["hazard_ratios"].get(site["id"], 1.0)
        r = r * np.where(who.risk_factors[:, k], ratio, 1.0)
    return r


def fall_factor(site: Plain, fall_per_expected: Floats) -> Floats:
    """Return (1 - s) + s x fall / p_fall (fracture, equation 2)."""
    s: float = site["share_from_falls"]
    return (1.0 - s) + s * fall_per_expected


def death_ratio_after(site: Plain, sex: Ints, months: Floats) -> Floats:
    """Return the relative hazard of death by months since a fracture (mortality, equation 2)."""
    ratio: Floats = np.ones(len(months))
    for step in site["mortality_after"]:
        holds = (step["from_month"] <= months) & (months < site["mortality_until_month"])
        ratio = np.where(holds, np.where(sex == 1, step["men"], step["women"]), ratio)
    return ratio


def death_ratio_of_factors(request: Plain, who: People) -> Floats:
    """Return the relative hazard of death by risk factors."""
    ratio: Floats = np.ones(len(who.number))
    for k, factor in enumerate(request["risk_factors"]):
        ratio *= np.where(who.risk_factors[:, k], factor["mortality_ratio"], 1.0)
    return ratio


def months_since_fracture(request: Plain, who: People, state: State, means: Means) -> Floats:
    """Return months since the last fracture before index that still counts, by fracture site."""
    falls = of_population(request, people.fall_hazard, who, who.age)
    own_falls = falls * people.fall_ratio(request, who)
    own_falls /= mean_of(request, means, "fall", who, who.age)
    fall_per_expected = probability(own_falls) / probability(falls)
    all_sites = []
    for site in request["fracture_sites"]:
        r = otherwise(request, site, who, state) * fall_factor(site, fall_per_expected)
        mean = mean_of(request, means, f"fracture.{site['id']}", who, who.age)
        all_sites.append(earlier_fracture(request, site, who, r / mean))
    return np.array(all_sites).reshape(len(all_sites), -1).T


def otherwise(request: Plain, site: Plain, who: People, state: State) -> Floats:
    """Return the relative hazard at index without the ratio for an earlier fracture."""
    abmd = who.values[f"abmd_{site['density_site']}"]
    nobody = np.zeros_like(who.prior_fracture)
    return relative_fracture_hazard(request, site, who, abmd, state["resorption"], nobody)


def earlier_fracture(request: Plain, site: Plain, who: People, relative: Floats) -> Floats:
    """Return months since a fracture at one site drawn at a relative hazard, survived until index.

    Only people with a history of fracture have one; they have it as often as keeps its frequency
    among all people what the hazard says.
    """
    since = np.full(len(who.number), NEVER)
    if not site["mortality_after"]:
        return since
    first = chance.EARLIER_FRACTURE + 4 * site["decision"]
    whether, when, survived = (
        chance.once(request["seed"], who.number, first + k) for k in range(3)
    )
    window = site["mortality_until_month"]
    age = np.maximum(0, who.age - int(request["parameters"]["cohort.earlier_fracture_age_shift"]))
    hazard = of_population(
        request, lambda population: people.fracture_hazard(population, site["id"]), who, age
    )
    death = of_population(request, people.death_hazard, who, age)
    months = np.floor(when * window)
    excess = np.zeros(len(since))
    for month in range(int(window)):
        ratio = death_ratio_after(site, who.sex, np.full(len(since), float(month)))
        excess += np.where(month < months, (ratio - 1.0) * death, 0.0)
    history = of_population(
        request, lambda population: people.prevalence(population, "prior_fracture"), who, who.age
    )
    share = probability(hazard * relative, window) / history
    had = who.prior_fracture & (whether < share) & (survived < np.exp(-excess))
    return np.where(had, months, since)


# What makes a population come out at its own rates


def mean_relative_risks(request: Plain, population: int, sex: int, age: int) -> dict[str, float]:
    """Return the means over a reference sample of a population at one sex and age.

    The sample is of the population itself: no cohort's profile is set and no cohort's exposure acts.
    """
    n = REFERENCE_PEOPLE
    first = FIRST_REFERENCE_PERSON + (sex * len(AGES) + age) * n
    who = people.measured(
        request,
        number=np.arange(first, first + n, dtype=np.int64),
        population=np.full(n, population),
        sex=np.full(n, sex),
        age_months=np.full(n, age * 12 + 6),
        first_normal=ndtri((np.arange(n) + 0.5) / n),
    )
    exposures = people.of_risk_factors(request, who)
    state = lived_to_index(request, who, people.person_of(request, who), exposures)

    fall_ratio = people.fall_ratio(request, who)
    means = {"fall": float(np.mean(fall_ratio))}
    falls = of_population(request, people.fall_hazard, who, who.age)
    fall_per_expected = probability(falls * fall_ratio / means["fall"]) / probability(falls)
    death = death_ratio_of_factors(request, who)
    for site in request["fracture_sites"]:
        abmd = who.values[f"abmd_{site['density_site']}"]
        r = relative_fracture_hazard(
            request, site, who, abmd, state["resorption"], who.prior_fracture
        )
        r = r * fall_factor(site, fall_per_expected)
        means[f"fracture.{site['id']}"] = float(np.mean(r))
        own = otherwise(request, site, who, state) * fall_factor(site, fall_per_expected)
        since = earlier_fracture(request, site, who, own / np.mean(r))
        death = death * death_ratio_after(site, who.sex, since)
    means["death"] = float(np.mean(death))
    return means


def means_of_all(request: Plain) -> Means:
    """Return the means of every population at every sex and age, log-linear between samples."""
    youngest = int(request["parameters"]["cohort.youngest_age"])
    ages = range(youngest, 101, 5)
    found: Means = {}
    for i, population in enumerate(request["populations"]):
        cells = [[mean_relative_risks(request, i, sex, age) for age in ages] for sex in (0, 1)]
        found[population["id"]] = {
            name: np.exp(
                [np.interp(AGES, ages, np.log([cell[name] for cell in row])) for row in cells]
            )
            for name in cells[0][0]
        }
    return found


def means_of_model(derived: dict[str, Any]) -> Means:
    """Return the means that a compiled model says it uses."""
    return {
        population: {name: np.asarray(table) for name, table in quantities.items()}
        for population, quantities in derived.items()
    }


# Follow-up


@dataclass(frozen=True)
class Month:
    """What was asked of chance in one month of one arm: arrays (decisions, n).

    Decisions are: fall, death, then the fracture sites.
    """

    alive: Bools
    abmd: Floats
    """g/cm2 at the start of the month, (n, 4)."""
    draw: Floats
    threshold: Floats
    hazard: Floats


@dataclass(frozen=True)
class Lives:
    """Tables as the kernel gives them, and every draw beside its threshold, by arm and month."""

    tables: dict[str, Table]
    chance: list[list[Month]]


def simulated(request: Plain, number: Ints, means: Means) -> Lives:
    """Return the lives of these people in all arms."""
    index = at_index(request, people.recruited(request, number), means)
    book = Book(request, index.people)
    months = [followed(request, index, means, arm, book) for arm in range(len(request["arms"]))]
    return Lives(book.tables(), months)


def followed(request: Plain, index: AtIndex, means: Means, arm: int, book: Book) -> list[Month]:
    """Live all months of one arm: look, ask chance, write down, go on."""
    p, who = request["parameters"], index.people
    of_arm = people.of_arm(request, who, arm)
    exposures = index.exposures + of_arm
    state = index.state
    alive = np.ones(len(who.number), dtype=np.bool_)
    prior = who.prior_fracture.copy()
    since = index.months_since.copy()
    exit_minutes = np.full(len(alive), request["months"] * MINUTES_PER_MONTH)
    exit_abmd = np.zeros_like(index.scale)
    asked = []
    for month in range(request["months"]):
        age_months = who.age_months + month
        inputs = people.inputs_at(exposures, np.full(len(alive), float(month)))
        abmd = index.scale * balance.relative_density(p, index.person, state)
        exit_abmd[alive] = abmd[alive]
        if month % MONTHS_PER_YEAR == 0:
            book.count_states(arm, month, alive, abmd)

        now = ask_chance(request, index, means, month, alive, abmd, state, prior, since)
        asked.append(now)
        happened = (now.draw < now.threshold) & alive
        minute = minutes_of(now)
        death = np.where(happened[1], minute[1], MINUTES_PER_MONTH)
        # Who dies no longer breaks a bone or falls; in the same minute death comes first.
        fractured = happened[2:] & (minute[2:] < death)
        fell = happened[0] & ((death == MINUTES_PER_MONTH) | (minute[0] < death))
        book.count_time(arm, month, alive, abmd, death, fell)
        book.write_events(arm, month, abmd, np.vstack([happened[1:2], fractured]), minute[1:])

        exit_minutes[happened[1]] = month * MINUTES_PER_MONTH + death[happened[1]]
        alive = alive & ~happened[1]
        prior |= fractured.any(axis=0)
        state = balance.step(
            p, index.person, inputs, state, age_months / 12.0, np.full(len(alive), 1.0 / 12.0)
        )
        # The month after a fracture is the first: months since are 0 in it.
        since = np.where(fractured.T, 0.0, np.minimum(NEVER, since + 1.0))
    abmd = index.scale * balance.relative_density(p, index.person, state)
    exit_abmd[alive] = abmd[alive]
    book.count_states(arm, request["months"], alive, abmd)
    taken = of_arm + people.of_cohorts(request, who)
    begun = people.medicine_months(taken, np.ceil(exit_minutes / MINUTES_PER_MONTH))
    book.write_exits(arm, exit_minutes, ~alive, begun, exit_abmd)
    return asked


def ask_chance(
    request: Plain,
    index: AtIndex,
    means: Means,
    month: int,
    alive: Bools,
    abmd: Floats,
    state: State,
    prior: Bools,
    since: Floats,
) -> Month:
    """Return this month's draws, hazards and thresholds (falls 1 and 3, fracture 2, mortality 1)."""
    who = index.people
    age = (who.age_months + month) // MONTHS_PER_YEAR

    def drawn(decision: int) -> Floats:
        return chance.uniform(request["seed"], who.number, month, decision)

    falls = of_population(request, people.fall_hazard, who, age)
    own = falls * people.fall_ratio(request, who) / mean_of(request, means, "fall", who, age)
    draws, hazards = [drawn(chance.FALL)], [own]
    fell = (draws[0] < probability(own)).astype(np.float64)

    death = of_population(request, people.death_hazard, who, age)
    death = death * death_ratio_of_factors(request, who)
    for k, site in enumerate(request["fracture_sites"]):
        death = death * death_ratio_after(site, who.sex, since[:, k])
    draws.append(drawn(chance.DEATH))
    hazards.append(death / mean_of(request, means, "death", who, age))

    for site in request["fracture_sites"]:
        incidence = of_population(
            request, lambda of, id_=site["id"]: people.fracture_hazard(of, id_), who, age
        )
        r = relative_fracture_hazard(
            request,
            site,
            who,
            abmd[:, SITES.index(site["density_site"])],
            state["resorption"],
            prior,
        )
        mean = mean_of(request, means, f"fracture.{site['id']}", who, age)
        draws.append(drawn(chance.FIRST_FRACTURE + site["decision"]))
        hazards.append(incidence * r / mean * fall_factor(site, fell / probability(falls)))
    hazard = np.array(hazards)
    return Month(alive, abmd, np.array(draws), probability(hazard), hazard)


def minutes_of(month: Month) -> Ints:
    """Return when within the month a constant hazard has used up each draw; 0 without a hazard."""
    some = month.hazard > 0.0
    share = -np.log1p(-month.draw) / np.where(some, month.hazard, 1.0)
    minute = np.minimum(np.floor(share * MINUTES_PER_MONTH), MINUTES_PER_MONTH - 1)
    return np.where(some, minute, 0.0).astype(np.int64)


# Tables


class Book:
    """Where what happens is written down."""

    def __init__(self, request: Plain, who: People) -> None:
        self._request, self._who = request, who
        self._events: list[Ints] = []
        self._exits: list[Table] = []
        self._time: list[Ints] = []
        self._states: list[Ints] = []

    def _strata(self, arm: int, month: int) -> list[Ints]:
        who = self._who
        age = (who.age_months + month) // MONTHS_PER_YEAR
        same = np.ones_like(who.number)
        return [same * arm, who.cohort, who.sex, age, same * (month // MONTHS_PER_YEAR)]

    def _class(self, abmd: Floats) -> Ints:
        site: str = self._request["class_site"]
        return people.density_class(self._request, site, abmd[:, SITES.index(site)])

    def count_states(self, arm: int, month: int, alive: Bools, abmd: Floats) -> None:
        """Count the living by density class at each site at an anniversary."""
        for k, site in enumerate(SITES):
            own_class = people.density_class(self._request, site, abmd[:, k])
            micrograms = np.floor(abmd[:, k] * 1e6 + 0.5).astype(np.int64)
            counts = [(own_class == c).astype(np.int64) for c in range(3)]
            columns = [*self._strata(arm, month), np.full_like(own_class, k), *counts, micrograms]
            self._states.append(np.array(columns)[:, alive])

    def count_time(
        self, arm: int, month: int, alive: Bools, abmd: Floats, lived: Ints, fell: Bools
    ) -> None:
        """Count minutes lived and falls by stratum."""
        columns = [*self._strata(arm, month), self._class(abmd), lived, fell.astype(np.int64)]
        self._time.append(np.array(columns)[:, alive])

    def write_events(
        self, arm: int, month: int, abmd: Floats, happened: Bools, minute: Ints
    ) -> None:
        """Write down deaths (row 0) and fractures (the other rows)."""
        who, own_class = self._who, self._class(abmd)
        for event, (which, when) in enumerate(zip(happened, minute, strict=True)):
            same = np.ones_like(who.number)
            age = who.age_months + month
            columns = [who.number, same * arm, same * month, when, same * event, age]
            self._events.append(np.array([*columns, who.cohort, who.sex, own_class])[:, which])

    def write_exits(
        self, arm: int, minutes: Ints, died: Bools, medicine_months: Ints, abmd: Floats
    ) -> None:
        """Write down how people left."""
        self._exits.append(
            {
                "person": self._who.number,
                "arm": np.full_like(self._who.number, arm),
                "minutes": minutes,
                "died": died.astype(np.int64),
                "medicine_months": medicine_months,
            }
            | {f"abmd_{site}": abmd[:, k] for k, site in enumerate(SITES)}
        )

    def tables(self) -> dict[str, Table]:
        """Return everything as the kernel's tables."""
        strata = ["arm", "cohort", "sex", "age", "year"]
        events = [
            "person",
            "arm",
            "month",
            "minute",
            "event",
            "age_months",
            "cohort",
            "sex",
            "class",
        ]
        counts = ["normal", "osteopenia", "osteoporosis", "abmd_sum"]
        return {
            "persons": persons_table(self._who),
            "follow_up": {
                name: np.concatenate([one[name] for one in self._exits]) for name in self._exits[0]
            },
            "events": dict(zip(events, np.hstack(self._events), strict=True)),
            "person_time": added_up(self._time, [*strata, "class"], ["minutes", "falls"]),
            "states": added_up(self._states, [*strata, "site"], counts),
        }


def persons_table(who: People) -> Table:
    """Return who the people are."""
    bits = 2 ** np.arange(who.risk_factors.shape[1])
    table: Table = {
        "person": who.number,
        "cohort": who.cohort,
        "sex": who.sex,
        "age_months": who.age_months,
        "prior_fracture": who.prior_fracture.astype(np.int64),
        "risk_factors": (who.risk_factors * bits).sum(axis=1),
    }
    table |= who.values
    table["menopause_age"] = np.where(who.sex == 1, np.nan, who.values["menopause_age"])
    return table


def added_up(parts: list[Ints], keys: list[str], amounts: list[str]) -> Table:
    """Return the sums of the amounts by the keys, ordered by the keys."""
    columns = np.hstack(parts)
    strata, which = np.unique(columns[: len(keys)], axis=1, return_inverse=True)
    table: Table = dict(zip(keys, strata, strict=True))
    for name, values in zip(amounts, columns[len(keys) :], strict=True):
        total = np.zeros(strata.shape[1], dtype=np.int64)
        np.add.at(total, which.ravel(), values)
        table[name] = total
    return table
