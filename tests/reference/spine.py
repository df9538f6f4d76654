"""The spine, vertebra by vertebra (numbers in brackets: equations of the spine).

Arrays over people and levels have the shape (n, 13), levels from T4 down to L4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import chance
from .chance import Ints
from .people import People, normal_of, spread_between_people
from .populations import Plain
from .strength import share_broken
from .systems import Bools, Floats, Parameters

LEVELS = tuple(f"t{k}" for k in range(4, 13)) + tuple(f"l{k}" for k in range(1, 5))
GRADES = ("mild", "moderate", "severe")
SHAPES = ("wedge", "biconcave", "crush")
REGION_OF_LEVEL = tuple("thoracic" if k < 7 else "lumbar" for k in range(len(LEVELS)))
OF_KYPHOSIS = 9
"""Levels that the Cobb angle spans: T4 to T12."""
MOST_KYPHOSIS = 120.0
"""Degrees beyond which no back is bent."""
OUTCOMES = ("back_pain", "back_disability", "limited_activity", "bed_rest")
MOST_COUNTED = 3
"""Deformities beyond this add nothing to complaints."""
MOST_ATTENDED = 15
"""Compressions that came to attention are counted up to this."""


@dataclass(frozen=True)
class Spine:
    """Genant grade (0 to 3) and shape (0 none, then as in SHAPES) of each level, and how many
    deformities came to clinical attention.
    """

    grade: Ints
    shape: Ints
    attended: Ints

    @property
    def deformities(self) -> Ints:
        """Deformed levels."""
        return np.asarray(np.sum(self.grade > 0, axis=1))

    @property
    def worst(self) -> Ints:
        """Worst grade."""
        return np.asarray(np.max(self.grade, axis=1))

    @property
    def packed(self) -> NDArray[np.uint64]:
        """All of it in one number."""
        total = np.zeros(len(self.attended), dtype=np.uint64)
        for k in range(len(LEVELS)):
            total |= self.grade[:, k].astype(np.uint64) << np.uint64(2 * k)
            total |= self.shape[:, k].astype(np.uint64) << np.uint64(26 + 2 * k)
        return total | self.attended.astype(np.uint64) << np.uint64(52)


def intact(n: int) -> Spine:
    """Return spines without a deformity."""
    none = np.zeros((n, len(LEVELS)), dtype=np.int64)
    return Spine(none, none.copy(), np.zeros(n, dtype=np.int64))


# Load of the levels


def level_part(p: Parameters, spine: Spine) -> Floats:
    """Return c: what a level bears by its place, its neighbours and its own deformity (2)."""
    own: Floats = np.array([p[f"spine.load.{level}"] for level in LEVELS])
    padded = np.pad(spine.grade, ((0, 0), (1, 1)))
    neighbours = padded[:, :-2] + padded[:, 2:]
    c: Floats = own + p["spine.neighbour_load"] * neighbours
    return c + p["spine.own_weakening"] * spine.grade


def kyphosis_load(p: Parameters, excess: Floats) -> Floats:
    """Return what so many degrees above the mean add to ln load (1)."""
    load: Floats = p["spine.kyphosis_load"] * excess / 10.0
    return load


def by_level(p: Parameters, site: Plain, spine: Spine, margin: Floats) -> Floats:
    """Return the probability that the hardest load compresses each level (3); 0 at grade 3."""
    share = share_broken(margin[:, None] + level_part(p, spine), site["spread"])
    return np.where(spine.grade >= len(GRADES), 0.0, share)


# What a compression becomes


@dataclass(frozen=True)
class Compression:
    """One compression of those who have one; what stands at the others means nothing."""

    who: Bools
    level: Ints
    """Position in LEVELS."""
    before: Ints
    grade: Ints
    shape: Ints
    attended: Bools
    """Whether it came to clinical attention."""
    spine: Spine
    """Everybody's spine after it."""


def compressed(
    p: Parameters, spine: Spine, who: Bools, by: Floats, u: tuple[Floats, Floats, Floats, Floats]
) -> Compression:
    """Return what becomes of spines (4); `by`: weights of the levels; `u`: draws of level, grade,
    shape, attention.
    """
    edges = np.cumsum(by, axis=1)
    level = np.sum(u[0][:, None] * edges[:, -1:] >= edges, axis=1)
    level = np.minimum(level, len(LEVELS) - 1)
    rows = np.arange(len(level))
    before = spine.grade[rows, level]
    grade = np.minimum(np.maximum(before + 1, drawn_grade(p, u[1])), len(GRADES))
    # A level keeps the shape of its first compression.
    shape = np.where(before > 0, spine.shape[rows, level], drawn_shape(p, level, u[2]))
    share = np.array([p[f"spine.attention_share.{name}"] for name in GRADES])
    attended = who & (u[3] < share[grade - 1])

    def put(old: Ints, new: Ints) -> Ints:
        made = old.copy()
        made[rows[who], level[who]] = new[who]
        return made

    counted = np.minimum(MOST_ATTENDED, spine.attended + attended)
    after = Spine(put(spine.grade, grade), put(spine.shape, shape), counted)
    return Compression(who, level, before, grade, shape, attended, after)


def drawn_grade(p: Parameters, u: Floats) -> Ints:
    """Return 1 mild, 2 moderate, 3 severe."""
    severe, moderate = p["spine.share_severe"], p["spine.share_moderate"]
    mild = 1.0 - moderate - severe
    return 1 + (u >= mild).astype(np.int64) + (u >= mild + moderate)


def drawn_shape(p: Parameters, level: Ints, u: Floats) -> Ints:
    """Return 1 wedge, 2 biconcave, 3 crush, as frequent as in the level's region."""
    region = np.array(REGION_OF_LEVEL)[level]
    wedge = np.array([p[f"spine.wedge_share.{name}"] for name in region])
    biconcave = np.array([p[f"spine.biconcave_share.{name}"] for name in region])
    return np.asarray(1 + (u >= wedge).astype(np.int64) + (u >= wedge + biconcave))


def attention_at(p: Parameters, before: Ints) -> Floats:
    """Return the share of compressions of levels of these grades that come to clinical attention."""
    severe, moderate = p["spine.share_severe"], p["spine.share_moderate"]
    attention = np.array([p[f"spine.attention_share.{name}"] for name in GRADES])
    share: Floats = np.zeros(before.shape)
    for drawn, frequency in enumerate((1.0 - moderate - severe, moderate, severe), start=1):
        grade = np.minimum(np.maximum(before + 1, drawn), len(GRADES))
        share = share + frequency * attention[grade - 1]
    return share


def mean_attention(p: Parameters) -> float:
    """Return the share of drawn compressions that come to clinical attention."""
    severe, moderate = p["spine.share_severe"], p["spine.share_moderate"]
    shares = (1.0 - moderate - severe, moderate, severe)
    return float(
        sum(s * p[f"spine.attention_share.{name}"] for s, name in zip(shares, GRADES, strict=True))
    )


# Posture and pain


def by_shape(p: Parameters, name: str, spine: Spine) -> Floats:
    """Return what each level adds to height loss or kyphosis, by its shape and grade."""
    moderate = np.array([0.0, *(p[f"spine.{name}.{shape}"] for shape in SHAPES)])[spine.shape]
    ratio = p["spine.grade_ratio"]
    graded = [np.zeros_like(moderate), moderate / ratio, moderate, moderate * ratio]
    return np.asarray(np.choose(spine.grade, graded))


def from_the_top(by_level: Floats) -> Floats:
    """Return the sum over levels, one after the other.

    Tables round height loss, and at some ages it ends in exactly one half: order decides then.
    """
    added: Floats = np.cumsum(by_level, axis=1)[:, -1]
    return added


def height_loss(p: Parameters, spine: Spine, age: Floats) -> Floats:
    """Return cm lost since youth (5)."""
    start = p["spine.disc_height_loss_from"]
    since = np.maximum(0.0, age - start) / (80.0 - start)
    discs = p["spine.disc_height_loss"] * since * since
    return discs + from_the_top(by_shape(p, "height_loss", spine))


def ageing_of_kyphosis(p: Parameters, age: Floats) -> Floats:
    """Return degrees that age adds to the kyphosis of the mean person."""
    start = p["spine.kyphosis_ageing_from"]
    since = np.maximum(0.0, age - start) / (80.0 - start)
    grown: Floats = p["spine.kyphosis_ageing"] * since ** p["spine.kyphosis_ageing_power"]
    return grown


def kyphosis(request: Plain, who: People, spine: Spine, age: Floats) -> Floats:
    """Return the Cobb angle of T4 to T12 in degrees (6)."""
    p = request["parameters"]
    young, ageing = individual_posture(request, who)
    angle = young + ageing * ageing_of_kyphosis(p, age)
    bent = by_shape(p, "wedge_angle", spine)[:, :OF_KYPHOSIS]
    return np.minimum(MOST_KYPHOSIS, angle + from_the_top(bent))


def excess_kyphosis(request: Plain, who: People, spine: Spine, age: Floats) -> Floats:
    """Return degrees above the mean of the age without a deformity."""
    p = request["parameters"]
    mean = p["spine.kyphosis_young"] + ageing_of_kyphosis(p, age)
    return np.asarray(kyphosis(request, who, spine, age) - mean)


def individual_posture(request: Plain, who: People) -> tuple[Floats, Floats]:
    """Return each person's young kyphosis and how fast age adds to it."""
    p = request["parameters"]
    at_20, later = (
        normal_of(request["seed"], who.number, who.attempt, decision)
        for decision in (chance.KYPHOSIS_YOUNG, chance.KYPHOSIS_AGEING)
    )
    young = p["spine.kyphosis_young"] + p["spine.kyphosis_young_sd"] * at_20
    return young, spread_between_people(later, p["spine.kyphosis_ageing_cv"])


def back(
    request: Plain, who: People, spine: Spine, age: Floats, months_since_clinical: Floats
) -> Ints:
    """Return which outcomes are present, bit by bit (7)."""
    p = request["parameters"]
    u = chance.once(request["seed"], who.number, who.attempt, chance.BACK_PAIN)
    luck = np.log(u / (1.0 - u))
    attended = np.minimum(spine.attended, MOST_COUNTED)
    silent = np.clip(spine.deformities - spine.attended, 0, MOST_COUNTED)
    acute = months_since_clinical < p["spine.acute_pain_months"]
    bits = np.zeros(len(u), dtype=np.int64)
    for k, name in enumerate(OUTCOMES):
        share = p[f"spine.pain_share.{name}"]
        logit = np.log(share / (1.0 - share)) + p["spine.pain_age_slope"] * (age - 70.0) / 10.0
        logit = logit + p[f"spine.pain_silent.{name}"] * silent
        logit = logit + p[f"spine.pain_clinical.{name}"] * attended
        bits |= ((luck > -logit) | acute).astype(np.int64) << k
    return bits
