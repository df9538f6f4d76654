"""Chance: every random number as a function of its address (seed, person, month, decision).

Philox 4x32-10 as published (Salmon, Moraes, Dror & Shaw 2011), in whole-number arithmetic on arrays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
Floats = NDArray[np.float64]

LOW = np.uint64(0xFFFFFFFF)
BITS_OF_A_WORD = np.uint64(32)

# Decisions of a month: number -> (group, word) = divmod(number, 4).
FALL, DEATH, FIRST_FRACTURE = 0, 1, 2
# Decisions before follow-up stand at the last month that can be counted; those of the k-th candidate
# who is screened for a person stand k months before it.
AT_INDEX = 0xFFFFFFFF
COHORT, SEX_AND_AGE, BIRTH_MONTH, TURNOVER, ESTROGEN_SENSITIVITY, FORMATION_AGEING = range(6)
FALL_PRONENESS, MODELLING, ANABOLIC_RESPONSE, DRUG_SENSITIVITY, LOAD_AGEING = range(6, 11)
KYPHOSIS_YOUNG, KYPHOSIS_AGEING, BACK_PAIN, FILE_ROW = range(11, 15)
CHARACTERISTIC, EARLIER_FRACTURE, EARLIER_DEFORMITY, EXPOSURE = 16, 256, 1024, 65_536
# Asked only when something happens, in words of their own.
LEVEL, GRADE, SHAPE, ATTENTION, RECORDED, NURSING_HOME = range(4 * 1024, 4 * 1024 + 6)


def philox(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> list[Words]:
    """Return the four words of ten rounds of Philox."""
    a, b, c, d = counter
    k0, k1 = key
    for _ in range(10):
        product_a = np.uint64(0xD2511F53) * a  # 32 x 32 bits: fits 64
        product_c = np.uint64(0xCD9E8D57) * c
        a, b, c, d = (
            (product_c >> BITS_OF_A_WORD) ^ b ^ np.uint64(k0),
            product_c & LOW,
            (product_a >> BITS_OF_A_WORD) ^ d ^ np.uint64(k1),
            product_a & LOW,
        )
        k0 = (k0 + 0x9E3779B9) % 2**32
        k1 = (k1 + 0xBB67AE85) % 2**32
    return [a, b, c, d]


def words(seed: int, person: Ints, month: Ints | int, group: int) -> list[Words]:
    """Return the four words of a group of decisions, for each person."""
    number = person.astype(np.uint64)
    same = np.zeros_like(number)
    counter = (
        number & LOW,
        number >> BITS_OF_A_WORD,
        same + np.asarray(month, dtype=np.uint64),
        same + np.uint64(group),
    )
    return philox(counter, (seed % 2**32, seed >> 32))


def uniform(seed: int, person: Ints, month: int, decision: int) -> Floats:
    """Return the draws of a decision of one month: 31 bits in the open interval (0, 1)."""
    group, word = divmod(decision, 4)
    upper_bits = words(seed, person, month, group)[word] >> np.uint64(1)
    return (upper_bits.astype(np.float64) + 0.5) / 2.0**31


def once(seed: int, person: Ints, attempt: Ints | int, decision: int) -> Floats:
    """Return the draws of a decision before follow-up: 52 bits in the open interval (0, 1).

    `attempt` says which of the candidates for a person is meant; 0 where nobody is screened.
    """
    first, second, _, _ = words(seed, person, AT_INDEX - attempt, decision)
    bits = first * np.uint64(2**20) + (second >> np.uint64(12))
    return (bits.astype(np.float64) + 0.5) / 2.0**52


def address_of_name(name: str) -> int:
    """Return the even number below 2^20 that an exposure's name stands for (FNV-1a, 32 bits)."""
    hashed = 0x811C9DC5
    for byte in name.encode():
        hashed = ((hashed ^ byte) * 0x01000193) % 2**32
    return hashed % 2**20 // 2 * 2
