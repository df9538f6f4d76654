"""Fracture incidence as published: the figures that the curves of `fractures` are built from."""

from __future__ import annotations

from dataclasses import dataclass

# Hip, per 1,000 person-years by BANDS, US non-Hispanic white people 2006 (ettinger2010).
HIP_NHW = {
    "women": (0.29, 0.57, 1.05, 2.03, 3.94, 7.93, 14.47, 26.05),
    "men": (0.28, 0.38, 0.66, 1.18, 2.10, 4.02, 8.13, 16.30),
}
# Hip at 65 and over, per 1,000, all races, US Medicare 2005 (brauer2009).
HIP_ALL_65 = {"women": 7.935, "men": 3.690}


@dataclass(frozen=True)
class Medicare:
    """Incidence in US Medicare 2000-2005 (taylor2011): crude rate and rate ratios."""

    per_1000: float
    men: float  # rate ratio men : women
    ages: tuple[float, ...]  # rate ratios of BANDS_65, first 1
    races: tuple[float, float, float, float]  # Asian, African, Hispanic, other : white


MEDICARE = {
    "clinical_vertebral": Medicare(
        6.30, 0.58, (1, 1.72, 2.80, 4.24, 6.00), (0.80, 0.25, 0.69, 0.74)
    ),
    "distal_forearm": Medicare(3.45, 0.23, (1, 1.27, 1.65, 2.00, 2.34), (0.63, 0.32, 0.90, 0.69)),
    "humerus": Medicare(2.74, 0.38, (1, 1.43, 2.06, 2.70, 3.86), (0.52, 0.36, 0.74, 0.72)),
    "tibia_fibula": Medicare(0.90, 0.49, (1, 1.19, 1.44, 1.64, 2.32), (0.45, 0.88, 0.94, 0.81)),
}
# Shares of Asian, African, Hispanic, other people in Medicare (wright2012).
MEDICARE_RACES = (0.015, 0.08, 0.015, 0.01)
RACES = {"black": 1, "hispanic": 2}  # place of a group among them

# Hip relative to white people of the same sex. Women: fractures over shares of people in Medicare
# 2000-2009, both sexes, not adjusted for age (4,119 of 8 %, 1,294 of 1.5 %, 102,849 of 88 %:
# wright2012). Men: age-adjusted, Northern California 2010 (80, 98 and 137 per 100,000: liu2017).
HIP_TO_WHITE = {
    "black": {"women": (4119 / 0.08) / (102849 / 0.88), "men": 80 / 137},
    "hispanic": {"women": (1294 / 0.015) / (102849 / 0.88), "men": 98 / 137},
}

# Clinical vertebral fracture, women 50-64, Malmo, per 1,000 (kanis2000, in ettinger2010 table 3).
VERTEBRAL_50_64 = (1.17, 1.27, 2.12)
# Distal forearm 50-64 relative to 65-69: women rise after menopause (vanstaa2001, recalled), men
# are flat (assumption).
FOREARM_50_64 = {"women": (0.59, 0.76, 0.90), "men": (1.0, 1.0, 1.0)}
PROXIMAL_SHARE_OF_HUMERUS = 0.78  # at 65 and over (assumption)
# Years before 65-69 to which the slope of humerus fracture since then is continued, at 50-64:
# exponential shape, in men from 60 only (kim2012).
HUMERUS_YEARS_BEFORE_65 = {"women": (15, 10, 5), "men": (5, 5, 5)}
# Pelvis, hospital, Bavaria 2004-2009 (rapp2013), per 1,000: 65-69 and 90+; times all : hospital
# treated = 22.4 : 16.5 (andrich2015).
PELVIS_67_92 = {"women": (0.54, 9.35), "men": (0.38, 4.45)}
PELVIS_ALL_TO_HOSPITAL = 22.4 / 16.5
# Share of the pelvic slope that goes on below 65: men have relatively more of these fractures from
# violence (assumption).
PELVIS_SLOPE_50_64 = {"women": 1.0, "men": 0.5}
# Ribs: US men of 65 and over, mostly white (barrettconnor2010), per 1,000; women to men as treated in
# hospital in Finland at 60 and over, 2001 (51 and 77 per 100,000: palvanen2004ribs). Steeper with age
# than in women who reported fractures (1.2 a decade: fitzgerald2012), flatter than in hospitals.
RIBS_MEN_65 = 3.5
RIBS_WOMEN_TO_MEN = 51 / 77
RIBS_PER_DECADE = 1.3  # rate ratio (assumption)
# "Other": 33 % of the 2.05 million osteoporotic fractures of 2005 in the US at 50+ (burge2007,
# recalled), less proximal humerus, ribs, tibia and fibula, which are counted on their own.
BURGE_TOTAL, BURGE_OTHER_SHARE = 2_050_000.0, 0.33
TIBIA_SLOPE_50_64 = 0.015  # per year, of tibia and "other" below 65 (assumption)


def to_white(site: str, group: str) -> float:
    """Rate of a group relative to white people in Medicare: all, white, black or hispanic."""
    if group == "white":
        return 1.0
    return all_to_white(site) if group == "all" else MEDICARE[site].races[RACES[group]]


def all_to_white(site: str) -> float:
    """Rate of all races relative to white people in Medicare."""
    races = MEDICARE[site].races
    others = sum(share * ratio for share, ratio in zip(MEDICARE_RACES, races, strict=True))
    return 1 - sum(MEDICARE_RACES) + others
