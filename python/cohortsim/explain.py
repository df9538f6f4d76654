"""`cohortsim explain`: the study in English."""

from __future__ import annotations

from collections.abc import Iterable

from cohortsim import english
from cohortsim.catalog import PROFILE_KINDS, Catalog
from cohortsim.citations import entries, short
from cohortsim.explain_courses import Courses, earlier_fracture
from cohortsim.fields import AS_MEASURED
from cohortsim.scenario import Arm, Cohort, EntryRules, Scenario

INTERVALS = (
    "The 95 % intervals of the tables tell the chance of the simulation alone (Monte Carlo), with "
    "all parameters held at their values; they do not tell how well the parameters are known. The "
    "range and source of each value stand in provenance.json."
)
NOT_MODELLED = (
    "Not modelled: care and medicines other than those named; starting a medicine because of a "
    "fracture or a new measurement, other than what follows a stop rule; missed doses, other than "
    "stopping; side effects; weight, diet, activity and smoking that change over the years, other "
    "than by a profile; vertebral deformities that nobody notices; nursing homes, migration and births; "
    "trends in mortality or fracture rates over calendar time. Not validated above age 95."
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
        paragraphs = [s.title or s.name, s.description, self._people()]
        paragraphs += [self._cohort(cohort) for cohort in s.cohorts]
        paragraphs += [self._arm(arm, place) for place, arm in enumerate(s.arms)]
        paragraphs += [self._classes(), self._fractures(), self._visits(), self._overrides()]
        paragraphs += [INTERVALS, NOT_MODELLED]
        return english.wrapped(paragraphs)

    def _people(self) -> str:
        s = self.scenario
        arms = "one arm" if len(s.arms) == 1 else f"{len(s.arms)} arms that share people and luck"
        return (
            f"{s.people:,} people are followed for {english.years(s.years)}, month by month, or until "
            f"they die, in {arms}. The seed is {s.seed}: the same study gives the same tables."
        )

    def _cohort(self, cohort: Cohort) -> str:
        population = self.catalog.population_entry(cohort.population)
        sexes = " and ".join(cohort.sexes).capitalize()
        share = (
            f"{100 * cohort.share:g} % of the people. " if len(self.scenario.cohorts) > 1 else ""
        )
        sentences = [
            f"Cohort {cohort.name}: {share}{sexes} aged {english.ages(cohort.ages)} drawn from the "
            "population "
            f'"{population.label}" ({population.calendar_year}).'
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
        return " ".join(sentences)

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
        changed = {o.parameter: o.value for o in self.scenario.overrides}
        names = ("density.osteopenia_t_score", "density.osteoporosis_t_score")
        quantity = self.catalog.parameters[names[1]]
        upper, lower = (changed.get(n, self.catalog.parameters[n].value) for n in names)
        return (
            f"Osteopenia and osteoporosis are judged at the {site}: a T-score above {upper:g} is "
            f"normal, above {lower:g} osteopenia, {lower:g} or lower osteoporosis "
            f"({self._cite(quantity.source)}); the reference is young women, for both sexes."
        )

    def _fractures(self) -> str:
        sites = ", ".join(site.label.lower() for site in self.catalog.fracture_sites)
        factors = [factor.label.lower() for factor in self.catalog.risk_factors]
        known = ", ".join(["age", "sex", "bone density", "turnover", "earlier fractures", *factors])
        return (
            f"Falls, fractures ({sites}) and deaths are drawn each month. The hazard of a fracture "
            f"depends on: {known}. People die by the life table of their population, more of them "
            "after some fractures and fewer of the others, so that the whole population as "
            "measured dies by its life table."
        )

    def _overrides(self) -> str:
        changes = [
            f"{o.parameter} is {o.value:g} {o.unit}, because: {o.reason.rstrip('.')}."
            for o in self.scenario.overrides
        ]
        return f"This study changes: {' '.join(changes)}" if changes else ""

    def _cite(self, keys: Iterable[str]) -> str:
        return ", ".join(short(key, self.bibliography) for key in keys)
