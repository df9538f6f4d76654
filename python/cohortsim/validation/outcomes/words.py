"""What a row of the table of outcomes is, in words: for the screen, figures and the page."""

from __future__ import annotations

from typing import Any

from cohortsim.validation.outcomes.targets import OLDEST

LAYERS = {
    "prevalence": "Prevalence of osteoporosis and low bone mass",
    "incidence": "Fracture incidence and absolute risk",
    "risk": "Risk gradients and risk factors",
    "trials": "Fracture arms of trials",
    "spine": "Deformities of the spine, height, kyphosis, back",
    "mortality": "Death after fracture",
}
TITLES = {
    "class_share": "prevalence at index",
    "rate": "incidence",
    "women_to_men": "women against men, incidence",
    "per_fall": "fractures in percent of falls",
    "risk": "risk",
    "lifetime_risk": "remaining lifetime risk",
    "sum_of_risks": "sum of risks of four sites",
    "per_sd": "per SD lower density",
    "ratio": "with against without",
    "ratio_at_same_density": "with against without, at the same density",
    "share_by_density": "share explained by density",
    "body_mass": "body mass index against 25",
    "rise": "rise of risk with age",
    "rise_by_density": "rise of risk with age, by density",
    "prior_at_landmark": "after an earlier fracture of a site",
    "after_first": "after a first fracture, against the population",
    "after_first_per_year_of_age": "after a first fracture, per year of age",
    "after_first_women_to_men": "after a first fracture, women against men",
    "next_within": "second fracture",
    "between_arms": "rate ratio",
    "share": "people with an event",
    "risk_ratio": "risk ratio",
    "odds_ratio": "odds ratio",
    "hazard_ratio": "hazard ratio",
    "on_films": "seen on films",
    "deformed": "with a deformity at index",
    "attended": "deformities that come to attention",
    "new_within": "with an event",
    "new_by_state": "with an event, with against without one at index",
    "again_within": "with another after a first",
    "height_lost_by": "height lost for one deformity",
    "height_lost": "height lost",
    "kyphosis": "kyphosis",
    "kyphosis_spread": "kyphosis, SD between people",
    "kyphosis_gained": "kyphosis gained",
    "kyphosis_by": "kyphosis for one deformity",
    "kyphosis_above_40": "kyphosis above 40 degrees",
    "deformed_among_bent": "with a deformity, of the hyperkyphotic",
    "back": "odds ratio of the back after a new deformity",
    "excess_deaths": "excess deaths after fracture",
    "death_ratio": "deaths after fracture against without",
    "death_hazard_ratio": "hazard of death after fracture against without",
    "mortality_ratio": "deaths after fracture against the population",
    "died_after": "dead after fracture",
    "deaths_by_factor": "death rate with against without",
}
SITES = {
    "": "",
    "any": "any fracture",
    "osteoporotic": "osteoporotic",
    "new_vertebral_deformity": "new deformity",
    "vertebral_deformity": "new or worse deformity",
}


def what(row: dict[str, Any]) -> str:
    """Return what is measured, without sex, ages and time: the title of a panel."""
    parts = [TITLES[row["measure"]], site(row), str(row["factor"]).replace("_", " ")]
    return ", ".join(part for part in parts if part)


def who(row: dict[str, Any]) -> str:
    """Return cohort, arms, sex, ages and time of a row: its label in a panel."""
    cohort = str(row["cohort"])
    of_all = cohort == "residents" or cohort.startswith("age_")
    arms = str(row["arm"]).replace("_", " ")
    if row["against"]:
        arms = " against ".join(filter(None, (arms, str(row["against"]).replace("_", " "))))
    sex = "" if row["sex"] == "both" else row["sex"]
    cohort = "" if of_all else cohort.replace("_", " ")
    parts = (cohort, arms, " ".join(filter(None, (sex, ages(row)))), time(row))
    return ", ".join(part for part in parts if part)


def site(row: dict[str, Any]) -> str:
    """Return the site in words."""
    name = str(row["site"])
    return SITES.get(name, name.replace("_", " "))


def ages(row: dict[str, Any]) -> str:
    """Return the ages in words; nothing where they are not narrowed."""
    low, high = int(row["age_from"]), int(row["age_to"])
    if high >= OLDEST:
        return f"{low}+" if low else ""
    return str(low) if low == high else f"{low}-{high}"


def time(row: dict[str, Any]) -> str:
    """Return the time in words."""
    years = row["years"]
    if years is None:
        return ""
    return f"{12 * years:.0f} months" if years < 1 else f"{years:g} a"


def interval(row: dict[str, Any], name: str, digits: int) -> str:
    """Return a number with its interval."""
    value, low, high = (row[name + end] for end in ("", "_low", "_high"))
    if value is None:
        return "not evaluated"
    both = "" if low is None or high is None else f" ({low:.{digits}f} to {high:.{digits}f})"
    return f"{value:.{digits}f}{both}"


def digits(row: dict[str, Any]) -> int:
    """Return how many digits after the point a number is shown with."""
    size = abs(float(row["published"]))
    return 0 if size >= 100 else 1 if size >= 10 else 2
