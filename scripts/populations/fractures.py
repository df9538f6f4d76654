"""Fracture incidence by site, sex and age, laid out from published sources: United States."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from populations.definitions import LAST_KNOT, OPEN_AGE, SEXES, Array
from populations.published_incidence import (
    BURGE_OTHER_SHARE,
    BURGE_TOTAL,
    FOREARM_50_64,
    HIP_ALL_65,
    HIP_NHW,
    HIP_TO_WHITE,
    HUMERUS_YEARS_BEFORE_65,
    MEDICARE,
    PELVIS_67_92,
    PELVIS_ALL_TO_HOSPITAL,
    PELVIS_SLOPE_50_64,
    PROXIMAL_SHARE_OF_HUMERUS,
    RIBS_MEN_65,
    RIBS_PER_DECADE,
    RIBS_WOMEN_TO_MEN,
    TIBIA_SLOPE_50_64,
    VERTEBRAL_50_64,
    all_to_white,
    to_white,
)
from populations.rates import (
    BANDS,
    BANDS_65,
    Curve,
    Note,
    band_curve,
    band_mean,
    knots_of_bands,
    log_linear,
    mean_age,
    persons_in,
)

YEAR_OF_SOURCES = 2005  # its US population weights the published rates
RACE_TEXT = {
    "all": "",
    "white": ", white people by the published race ratios",
    "black": ", black people by the published race ratios",
    "hispanic": ", Hispanic people by the published race ratios",
}


@dataclass(frozen=True)
class Incidence:
    """Fractures per 1,000 person-years of one group; `persons` is the US population by sex."""

    persons: dict[str, Array]
    group: str

    def curves(self) -> dict[tuple[str, str], Curve]:
        """Rates per person-year of all sites and sexes."""
        sites: dict[str, Callable[[str], Curve]] = {
            "hip": self.hip,
            "clinical_vertebral": self.clinical_vertebral,
            "distal_forearm": self.distal_forearm,
            "proximal_humerus": self.proximal_humerus,
            "pelvis": self.pelvis,
            "ribs": self.ribs,
            "tibia": self.tibia,
            "other": self.other,
        }
        found = {(site, sex): curve(sex) for site, curve in sites.items() for sex in SEXES}
        return {key: Curve(c.ages, c.rates / 1000, c.notes) for key, c in found.items()}

    # --- Medicare ---------------------------------------------------------------------------

    def medicare(self, site: str, sex: str, group: str) -> list[float]:
        """Rates of BANDS_65: the crude rate of both sexes laid out by the published ratios."""
        source = MEDICARE[site]
        ratio = {"women": 1.0, "men": source.men}
        total, weighted = 0.0, 0.0
        for each in SEXES:
            for band, age_ratio in zip(BANDS_65, source.ages, strict=True):
                n = persons_in(self.persons[each], band)
                total += n
                weighted += n * ratio[each] * age_ratio
        level = source.per_1000 * total / weighted
        if group != "all":
            level *= to_white(site, group) / all_to_white(site)
        return [level * ratio[sex] * age_ratio for age_ratio in source.ages]

    def medicare_note(self, more: str = "") -> Note:
        """Note of a rate from Medicare."""
        text = f"Medicare 2000-2005 crude rate laid out by rate ratios{RACE_TEXT[self.group]}{more}"
        return "taylor2011", "derived", text

    # --- sites ------------------------------------------------------------------------------

    def hip_factor(self, sex: str) -> float:
        """Relative to non-Hispanic white people; all races: at 65 and over."""
        if self.group == "white":
            return 1.0
        if self.group in HIP_TO_WHITE:
            return HIP_TO_WHITE[self.group][sex]
        ages, rates = knots_of_bands(HIP_NHW[sex], self.persons[sex])
        mean = band_mean(log_linear(ages, rates), self.persons[sex], 65, OPEN_AGE)
        return HIP_ALL_65[sex] / mean

    def hip(self, sex: str) -> Curve:
        """Hip: hospital counts, not claims, which lie about a quarter above them."""
        factor = self.hip_factor(sex)
        text = "hospital 2006, repeat fractures counted; knots give the published band means"
        note: Note = ("ettinger2010", "derived", text)
        if self.group == "all":
            text = f"ettinger2010 x {factor:.3f} to meet Medicare 2005 at 65 and over"
            note = ("brauer2009", "derived", text)
        elif self.group != "white":
            text = f"ettinger2010 x {factor:.3f}, {self.group} to white {sex}"
            note = ("wright2012" if sex == "women" else "liu2017", "derived", text)
        rates = [factor * rate for rate in HIP_NHW[sex]]
        return band_curve(rates, self.persons[sex], [note] * len(BANDS))

    def clinical_vertebral(self, sex: str) -> Curve:
        """Clinical vertebral: Medicare has nobody below 65, so Malmo gives those ages."""
        site = "clinical_vertebral"
        factor = 1.0 if sex == "women" else MEDICARE[site].men
        factor *= to_white(site, self.group)
        text = "Malmo women 50-64"
        text += "" if sex == "women" else " x men:women of Medicare (assumption)"
        text += "" if self.group == "white" else f" x {self.group}:white of Medicare"
        rates = [
            *(factor * rate for rate in VERTEBRAL_50_64),
            *self.medicare(site, sex, self.group),
        ]
        notes: list[Note] = [("kanis2000", "derived", text)] * 3 + [self.medicare_note()] * 5
        return band_curve(rates, self.persons[sex], notes)

    def distal_forearm(self, sex: str) -> Curve:
        """Distal forearm."""
        old = self.medicare("distal_forearm", sex, self.group)
        young: Note = ("assumption", "assumption", "flat below 65, as at 65-69")
        if sex == "women":
            text = "rise after menopause relative to 65-69 as in UK general practice"
            young = ("vanstaa2001", "recalled", text)
        rates = [*(share * old[0] for share in FOREARM_50_64[sex]), *old]
        return band_curve(rates, self.persons[sex], [young] * 3 + [self.medicare_note()] * 5)

    def proximal_humerus_rates(self, sex: str, group: str) -> list[float]:
        """Rates of BANDS."""
        old = [PROXIMAL_SHARE_OF_HUMERUS * r for r in self.medicare("humerus", sex, group)]
        slope = math.log(old[3] / old[0]) / 15
        return [*(old[0] * math.exp(-slope * y) for y in HUMERUS_YEARS_BEFORE_65[sex]), *old]

    def proximal_humerus(self, sex: str) -> Curve:
        """Proximal humerus."""
        text = "exponential shape (men: from 60) continued below 65"
        notes: list[Note] = [("kim2012", "derived", text)] * 3
        share = f", proximal share {PROXIMAL_SHARE_OF_HUMERUS} assumed"
        notes += [self.medicare_note(share)] * 5
        rates = self.proximal_humerus_rates(sex, self.group)
        return band_curve(rates, self.persons[sex], notes)

    def pelvis(self, sex: str) -> Curve:
        """Pelvis: exponential between two published ages, so the knots need no band means."""
        low, high = PELVIS_67_92[sex]
        slope = math.log(high / low) / 25  # 67.5 to 92.5
        factor = self.hip_factor(sex)
        ages = np.array([*(52.5 + 5 * i for i in range(9)), LAST_KNOT])
        damp = np.where(ages < 67.5, PELVIS_SLOPE_50_64[sex], 1.0)
        level = PELVIS_ALL_TO_HOSPITAL * factor
        rates = level * low * np.exp(slope * damp * (np.minimum(ages, 92.5) - 67.5))
        race = "" if self.group == "white" else f" x {factor:.3f} ({self.group} to white, of hip)"
        treated = f"x {PELVIS_ALL_TO_HOSPITAL:.2f} for all treated (andrich2015){race}"
        text = f"Bavaria, hospital, exponential 67-92, {treated}"
        young = "exponential continued below 65" + ("" if sex == "women" else " at half slope")
        notes: list[Note] = [("assumption", "assumption", young)] * 3
        notes += [("rapp2013", "derived", text)] * 6
        return Curve(ages, rates, [*notes, ("assumption", "assumption", "flat after 92.5")])

    def ribs_rates(self, sex: str, group: str) -> list[float]:
        """Rates of BANDS: men of 65 and over as published, one slope, race as at the humerus."""
        shape = [
            RIBS_PER_DECADE ** ((mean_age(self.persons["men"], band) - 75) / 10) for band in BANDS
        ]
        men = [persons_in(self.persons["men"], band) for band in BANDS_65]
        level = RIBS_MEN_65 / float(np.average(shape[3:], weights=men))
        level *= to_white("humerus", group) * (1.0 if sex == "men" else RIBS_WOMEN_TO_MEN)
        return [level * each for each in shape]

    def ribs(self, sex: str) -> Curve:
        """Ribs: one published rate of men, women by a published ratio."""
        text = f"3.5 per 1,000 men of 65 and over, x {RIBS_PER_DECADE} a decade (assumption)"
        text += "" if sex == "men" else ", women:men of Finnish hospitals (palvanen2004ribs)"
        text += "" if self.group == "white" else f", {self.group}:white as at the humerus"
        note: Note = ("barrettconnor2010", "derived", text)
        rates = self.ribs_rates(sex, self.group)
        return band_curve(rates, self.persons[sex], [note] * len(BANDS))

    def tibia_rates(self, sex: str, group: str) -> list[float]:
        """Rates of BANDS."""
        old = self.medicare("tibia_fibula", sex, group)
        return [*(old[0] * math.exp(-TIBIA_SLOPE_50_64 * y) for y in (15, 10, 5)), *old]

    def tibia(self, sex: str) -> Curve:
        """Tibia and fibula without the ankle."""
        text = f"{100 * TIBIA_SLOPE_50_64:.1f} % a year below 65-69"
        notes: list[Note] = [("assumption", "assumption", text)] * 3 + [self.medicare_note()] * 5
        return band_curve(self.tibia_rates(sex, self.group), self.persons[sex], notes)

    def other(self, sex: str) -> Curve:
        """The rest of the published total, with the pattern of tibia and fibula by age and sex."""
        text = (
            "33 % of 2.05 million fractures of 2005 less humerus, ribs and tibia, pattern of tibia"
        )
        text += RACE_TEXT[self.group].replace("the published", "its")
        level = self.other_to_tibia()
        rates = [level * rate for rate in self.tibia_rates(sex, self.group)]
        note: Note = ("burge2007", "recalled", text)
        return band_curve(rates, self.persons[sex], [note] * len(BANDS))

    def other_to_tibia(self) -> float:
        """Rest over tibia and fibula, of all races, that meets the published total of 2005."""
        counted, tibiae = 0.0, 0.0
        for sex in SEXES:
            persons = np.array([persons_in(self.persons[sex], band) / 1000 for band in BANDS])
            tibia = float((persons * self.tibia_rates(sex, "all")).sum())
            tibiae += tibia
            counted += tibia + sum(
                float((persons * rates(sex, "all")).sum())
                for rates in (self.proximal_humerus_rates, self.ribs_rates)
            )
        return (BURGE_TOTAL * BURGE_OTHER_SHARE - counted) / tibiae
