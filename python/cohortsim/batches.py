"""The plan of batches: which people are simulated in one call of the core."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PEOPLE_PER_BATCH = 25_000
PERSON_MONTHS_PER_BATCH = 4_000_000


@dataclass(frozen=True, slots=True)
class Batch:
    """People `first_person` to `first_person + n_people - 1`."""

    first_person: int
    n_people: int


def batch_size(months: int, arms: int) -> int:
    """Return how many people a batch holds, so that it lasts well under a second.

    What comes out of a run never depends on it.
    """
    fitting = PERSON_MONTHS_PER_BATCH // max(1, months * arms)
    return max(1, min(PEOPLE_PER_BATCH, fitting))


def batches(people: int, size: int) -> Iterator[Batch]:
    """Yield the batches that hold all people, in order."""
    return (Batch(first, min(size, people - first)) for first in range(0, people, size))
