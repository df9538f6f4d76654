"""`cohortsim explain`: the study in English."""

from __future__ import annotations

from collections.abc import Iterable

from cohortsim import english
from cohortsim.catalog import PROFILE_KINDS, Catalog
from cohortsim.citations import entries, short
from cohortsim.explain_courses import Courses, earlier_fracture
from cohortsim.fields import AS_MEASURED
from cohortsim.recruitment import DeformityRule, EntryRules
from cohortsim.scenario import Arm, Cohort, Scenario

BREAKING = (
    "A bone breaks when the load on it exceeds its strength: strength comes from bone density, "
    "turnover and microdamage, load from body weight, height and falls."
)
SPINE = (
    "The spine has thirteen vertebrae, T4 to L4, each with a grade of deformity; some deformities "
    "are noticed, and then count as clinical vertebral fractures. From the vertebrae follow height "
    "loss, kyphosis and back pain."
)
DEATHS = (
    "People die by the life table of their population: the frail and those with some recent "
    "fractures more, others less, so that the whole population as measured dies by its life table. "
    "After some fractures people move to a nursing home."
)
KNOWN = (
    "age",
    "sex",
    "bone density",
    "turnover",
    "body weight and height",
    "frailty",
    "vitamin D",
    "activity",
    "earlier fractures",
)

INTERVALS = (
    "The 95 % intervals of the tables tell the chance of the simulation alone (Monte Carlo), with "
    "all parameters held at their values; they do not tell how well the parameters are known. The "
    "range and source of each value stand in provenance.json."
)
NOT_MODELLED = (
    "Not modelled: care and medicines other than those named; starting a medicine because of a "
    "fracture or a new measurement, other than what follows a stop rule; missed doses, other than "
    "stopping; side effects; weight, diet, activity and smoking that change over the years, other "
    "than by a profile; costs, quality of life, migration and births. Not validated above age 95."
)


class Explanation:
    """Says a study in sentences, with the catalog's labels and sources."""

    def __init__(self, scenario: Scenario, catalog: Catalog | None = None) -> None:
        self.scenario = scenario
        self.catalog = catalog or Catalog(scenario.origin.folder)
        self.bibliography = entries(self.catalog.references)
        self.courses = Courses(self.catalog, self._cite, scenario.classify_at)

    def text(self) -> str:
        """Return the whole explanation, wrapped at 80 columns."""
        s = self.scenario
        paragraphs = [s.title or s.name, s.description, self._people(), self._calendar()]
        paragraphs += [self._cohort(cohort) for cohort in s.cohorts]
        paragraphs += [self._arm(arm, place) for place, arm in enumerate(s.arms)]
        paragraphs += [self._classes(), self._fractures(), self._visits(), self._overrides()]
        paragraphs += [INTERVALS, NOT_MODELLED]
        return english.wrapped(paragraphs)

    def _people(self) -> str:
        s = self.scenario
        arms = "one arm" if len(s.arms) == 1 else f"{len(s.arms)} arms that share people and luck"
        people = "As many people as their file has" if s.people is None else f"{s.people:,} people"
        return (
            f"{people} are followed for {english.years(s.years)}, month by month, or until "
            f"they die, in {arms}. The seed is {s.seed}: the same study gives the same tables."
        )

    def _cohort(self, cohort: Cohort) -> str:
        sexes = " and ".join(cohort.sexes).capitalize()
        share = (
            f"{100 * cohort.share:g} % of the people. " if len(self.scenario.cohorts) > 1 else ""
        )
        sentences = [
            f"Cohort {cohort.name}: {share}{sexes} aged {english.ages(cohort.ages)} "
            f"{self._drawn(cohort)}.",
            self._scanned(cohort),
        ]
        if cohort.entry is not None and cohort.entry.is_a_rule:
            sentences.append(f"Recruited are people {self._entry(cohort.entry)}.")
        for kind in PROFILE_KINDS:
            for id_ in getattr(cohort, kind):
                if id_ != AS_MEASURED:
                    profile = self.catalog.profile(kind, id_)
                    said = profile.explain or f"{profile.label}."
                    sentences.append(f"{kind.capitalize()} ({id_}): {said}")
        measured = [kind for kind in PROFILE_KINDS if getattr(cohort, kind) == (AS_MEASURED,)]
        if measured:
            sentences.append(f"As measured in the population: {', '.join(measured)}.")
        for treatment in cohort.medicines:
            sentences.append(self.courses.told(treatment, every_arm=True))
        return " ".join(sentence for sentence in sentences if sentence)

    def _drawn(self, cohort: Cohort) -> str:
        """Where the people come from: a population, or a file and the population that it is like."""
        population = self.catalog.population_entry(cohort.population_id)
        named = f'"{population.label}" ({population.calendar_year})'
        if population.like is not None:
            other = self.catalog.population_entry(population.like).label
            named += f', which is taken to be like "{other}" where it has no numbers of its own'
        if isinstance(cohort.population, str):
            return f"drawn from the population {named}"
        return (
            f"from the file {cohort.population.file}; their life table and fracture rates, and what "
            f"the file does not hold, are those of the population {named}"
        )

    def _scanned(self, cohort: Cohort) -> str:
        ratio = self.catalog.population_entry(cohort.population_id).scanned_mortality_ratio
        if cohort.people == "residents" or ratio is None:
            return ""
        name = self.catalog.population(cohort.population_id).ratio_name
        value = self._changed.get(name, ratio.value)
        return (
            f"They are people who come for a density scan: they die at {value:g} of the rates of "
            f"residents ({self._cite(ratio.source)})."
        )

    def _arm(self, arm: Arm, place: int) -> str:
        head = f"Arm {arm.name}" + (" (the one others are compared with)" if place == 0 else "")
        if not arm.medicines:
            return f"{head}: no medicine is added."
        return f"{head}: " + " ".join(self.courses.told(t) for t in arm.medicines)

    def _entry(self, rules: EntryRules) -> str:
        scores = [
            f"{english.between(rule.at_least, rule.at_most)} at the {english.words(rule.site)}"
            for rule in rules.t_scores
        ]
        said = []
        if scores:
            joined = english.listed(scores, "or" if rules.t_score_rule == "any" else "and")
            said.append(f"with a T-score of {joined}")
        if rules.prior_fracture is not None:
            said.append(earlier_fracture(rules.prior_fracture))
        since = rules.years_since_menopause
        if since is not None:
            span = english.between(since.from_, since.to)
            said.append(
                f"{span.replace('or lower', 'or fewer').replace('higher', 'more')} years "
                "after menopause"
            )
        if rules.vertebral_deformities is not None:
            said.append(_deformed(rules.vertebral_deformities))
        return f"{', '.join(said)}, all judged at the start"

    def _visits(self) -> str:
        months = [str(month) for month in self.scenario.record.visits]
        if not months:
            return ""
        return (
            "Mean changes of bone density and of the turnover markers CTX and P1NP since the start "
            f"are kept at month{'s' if len(months) > 1 else ''} {english.listed(months)}."
        )

    def _classes(self) -> str:
        site = english.words(self.scenario.classify_at)
        changed = self._changed
        names = ("density.osteopenia_t_score", "density.osteoporosis_t_score")
        quantity = self.catalog.parameters[names[1]]
        upper, lower = (changed.get(n, self.catalog.parameters[n].value) for n in names)
        return (
            f"Osteopenia and osteoporosis are judged at the {site}: a T-score above {upper:g} is "
            f"normal, above {lower:g} osteopenia, {lower:g} or lower osteoporosis "
            f"({self._cite(quantity.source)}); the reference is young women, for both sexes."
        )

    @property
    def _changed(self) -> dict[str, float]:
        return {override.parameter: override.value for override in self.scenario.overrides}

    def _calendar(self) -> str:
        """Which year the study is set in, and whether time moves on."""
        s = self.scenario
        ids = dict.fromkeys(cohort.population_id for cohort in s.cohorts)
        found = [self.catalog.population_entry(id_) for id_ in ids]
        years = {entry.id: s.calendar_year or entry.calendar_year for entry in found}
        index = (
            f"in {next(iter(years.values()))}"
            if len(set(years.values())) == 1
            else "in the year of each population"
        )
        said = [f"The study begins {index}."]
        if s.secular_trend:
            said.append(
                "Calendar time moves on: death rates follow the life tables of the years, "
                "as far as there are any, and fracture rates go on changing as they did in the "
                "past, from the year in which they were measured."
            )
        else:
            said.append(
                "Calendar time stands still: death rates stay those of that year, and fracture "
                "rates those that were measured"
                + ", ".join(f" in {e.incidence_year or e.calendar_year} ({e.label})" for e in found)
                + "."
            )
        for entry in found:
            tables = self.catalog.population(entry.id).plain["life_table"]["years"]
            first, last = min(tables), max(tables)
            if not first <= years[entry.id] <= last:
                span = f"of {first}" if first == last else f"from {first} to {last}"
                said.append(
                    f"{entry.label} has life tables {span}: {years[entry.id]} takes the nearest."
                )
        return " ".join(said)

    def _fractures(self) -> str:
        sites = ", ".join(site.label.lower() for site in self.catalog.fracture_sites)
        factors = [factor.label.lower() for factor in self.catalog.risk_factors]
        also = f"; and on risk factors: {'; '.join(factors)}" if factors else ""
        return (
            f"Falls, fractures ({sites}) and deaths are drawn each month. {BREAKING} So the risk of a "
            f"fracture depends on: {english.listed(list(KNOWN))}{also}. {SPINE} {DEATHS}"
        )

    def _overrides(self) -> str:
        changes = [
            f"{o.parameter} is {o.value:g} {o.unit}, because: {o.reason.rstrip('.')}."
            for o in self.scenario.overrides
        ]
        return f"This study changes: {' '.join(changes)}" if changes else ""

    def _cite(self, keys: Iterable[str]) -> str:
        return ", ".join(short(key, self.bibliography) for key in keys)


def _deformed(rule: DeformityRule) -> str:
    grade = {None: "", 1: "", 2: " of moderate grade or worse", 3: " of severe grade"}
    low, high = rule.at_least or 0, rule.at_most
    if high is None:
        number = f"{low} or more" if low != 1 else "at least one"
    elif high == 0:
        return f"without a deformed vertebra{grade[rule.grade_at_least]}"
    else:
        number = f"at most {high}" if not low else f"{low}" if low == high else f"{low} to {high}"
    many = "vertebra" if (number.endswith("one") or number in ("1", "at most 1")) else "vertebrae"
    return f"with {number} deformed {many}{grade[rule.grade_at_least]}"
