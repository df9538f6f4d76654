"""United Kingdom and Sweden: published totals and lifetime risks laid out over age."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from populations.definitions import OLDER_FROM, OPEN_AGE, YOUNGEST, Array
from populations.fractures import Incidence
from populations.life_tables import Table
from populations.lifetime import factor_for, lifetime_risk
from populations.published_incidence import VERTEBRAL_50_64
from populations.rates import Curve, Note, band_curve, band_mean, log_linear

Curves = dict[tuple[str, str], Curve]  # (site, sex)
US_WHITE = "us_nonhispanic_white"

# --- United Kingdom -------------------------------------------------------------------------

UK, UK_YEAR = "United Kingdom", 2010
# General practice (CPRD) 2008-2012, per 1,000 person-years at 50 and over (vandervelde2016).
CPRD = {
    ("hip", "women"): 3.35,
    ("hip", "men"): 1.34,
    ("clinical_vertebral", "women"): 1.18,
    ("clinical_vertebral", "men"): 0.59,
    ("distal_forearm", "women"): 4.12,
}
COUNTED = ("hip", "clinical_vertebral", "distal_forearm")
CPRD_TEXT = "CPRD 2008-2012, 50 and over, ages of 2010"


def united_kingdom(persons: dict[str, Array], white: Incidence) -> Curves:
    """Curves of US white people times the ratio of the totals; `persons` are those of the UK.

    Men's forearm has the ratio of women's. Sites without a published total have the ratio of the
    three others together, because general practice records fewer fractures than hospitals see.
    """
    curves = white.curves()

    def mean(site: str, sex: str) -> float:
        curve = curves[site, sex]
        rate = log_linear(curve.ages, curve.rates)
        return 1000 * band_mean(rate, persons[sex], OLDER_FROM, OPEN_AGE)

    factors = {key: total / mean(*key) for key, total in CPRD.items()}
    factors["distal_forearm", "men"] = factors["distal_forearm", "women"]
    made: Curves = {}
    for (site, sex), curve in curves.items():
        factor = factors.get((site, sex))
        if factor is None:
            counted = {each: mean(each, sex) for each in COUNTED}
            seen = sum(factors[each, sex] * rate for each, rate in counted.items())
            factor = seen / sum(counted.values())
        made[site, sex] = Curve(
            curve.ages, factor * curve.rates, [uk_note(site, sex, factor)] * len(curve.ages)
        )
    return made


def uk_note(site: str, sex: str, factor: float) -> Note:
    """Source, status and note of a rate."""
    text = f"{US_WHITE} x {factor:.3f}"
    if (site, sex) in CPRD:
        return "vandervelde2016", "derived", f"{text}: {CPRD_TEXT}"
    if site in COUNTED:
        return "vandervelde2016", "derived", f"{text}, the ratio of women"
    three = "hip, vertebral and forearm together"
    return "vandervelde2016", "derived", f"{text}, the ratio of {three} in {sex}"


# --- Sweden ---------------------------------------------------------------------------------

SWEDEN, SWEDISH_YEAR = "Sweden", 1995
LIFE_TABLE_YEAR = 1993  # UN rates of 1990-1995
# Remaining lifetime risk at 45, Malmo (kanis2000).
START = 45
MALMO = {
    ("hip", "women"): 0.233,
    ("hip", "men"): 0.112,
    ("clinical_vertebral", "women"): 0.154,
    ("clinical_vertebral", "men"): 0.086,
    ("distal_forearm", "women"): 0.215,
    ("distal_forearm", "men"): 0.052,
    ("proximal_humerus", "women"): 0.133,
    ("proximal_humerus", "men"): 0.044,
}
# Hip in a Norwegian town 1994-2008, 90 and over to 50-54 (582.2 : 8.7 and 349.2 : 5.8 per 10,000,
# emaus2011): exponential between. Its pattern and that of the US are averaged in logs.
HARSTAD = {"women": 582.2 / 8.7, "men": 349.2 / 5.8}
HARSTAD_YEARS = 40.0  # from 52.5 to 92.5
MIDDLE = 72.5


# The formula gives everybody the same risk; vertebrae break again and again in the same people, so that
# fewer have a first one. Simulated first fractures against Malmo's risks ask for this much more.
SAME_PEOPLE = {"women": 1.16, "men": 1.25}


@dataclass(frozen=True)
class Sweden:
    """Fracture incidence of Sweden; `persons` are its own, `deaths` its life table."""

    persons: dict[str, Array]
    deaths: Table
    white: Incidence

    def curves(self) -> Curves:
        """Rates per person-year of the sites that Malmo reported."""
        us = self.white.curves()
        made: Curves = {}
        for (site, sex), published in MALMO.items():
            again = SAME_PEOPLE[sex] if site == "clinical_vertebral" else 1.0
            risk = again * published
            pattern = northern(us[site, sex], sex) if site == "hip" else us[site, sex]
            if (site, sex) == ("clinical_vertebral", "women"):
                made[site, sex] = self.vertebral_of_women(risk)
            else:
                made[site, sex] = self.level(pattern, site, sex, risk)
        return made

    def level(self, pattern: Curve, site: str, sex: str, risk: float) -> Curve:
        """The pattern times the factor that meets the risk."""
        factor = self.factor(lambda k: Curve(pattern.ages, k * pattern.rates, []), sex, risk)
        whose = "mean of us_nonhispanic_white and Harstad" if site == "hip" else US_WHITE
        text = f"lifetime risk at 45 in Malmo: pattern of {whose} x {factor:.3f}"
        notes: list[Note] = [("kanis2000", "derived", text)] * len(pattern.ages)
        return Curve(pattern.ages, factor * pattern.rates, notes)

    def factor(self, curve_of: Callable[[float], Curve], sex: str, risk: float) -> float:
        """Factor at which the remaining lifetime risk at START is the published one."""
        deaths = self.deaths[sex][START - YOUNGEST :]

        def risk_of(factor: float) -> float:
            curve = curve_of(factor)
            return lifetime_risk(log_linear(curve.ages, curve.rates), deaths, START)

        return factor_for(risk_of, risk)

    def vertebral_of_women(self, risk: float) -> Curve:
        """Malmo at 50-64, from 65 on the age pattern of Medicare."""
        old = self.white.medicare("clinical_vertebral", "women", "white")

        def curve_of(factor: float) -> Curve:
            text = f"lifetime risk at 45 in Malmo, age pattern of Medicare x {factor:.3f}"
            notes: list[Note] = [("kanis2000", "derived", "Malmo, in table 3 of ettinger2010")] * 3
            notes += [("kanis2000", "derived", text)] * len(old)
            rates = [*VERTEBRAL_50_64, *(factor * rate for rate in old)]
            curve = band_curve(rates, self.persons["women"], notes)
            return Curve(curve.ages, curve.rates / 1000, curve.notes)

        return curve_of(self.factor(curve_of, "women", risk))


def northern(us: Curve, sex: str) -> Curve:
    """Hip: the mean, in logs, of the US pattern and an exponential one of Northern Norway."""
    exponential = HARSTAD[sex] ** ((us.ages - MIDDLE) / HARSTAD_YEARS)
    level = float(log_linear(us.ages, us.rates)(np.array([MIDDLE]))[0])
    return Curve(us.ages, np.sqrt(us.rates * level * exponential), us.notes)
