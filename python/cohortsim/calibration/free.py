"""What is free: numbers of the balance that data files mark `calibrated`, on a scale without bounds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from cohortsim.catalog import Catalog
from cohortsim.entries import Quantity

Floats = NDArray[np.float64]
OF_OUTCOMES = ("falls", "fracture", "mortality", "spine")
"""Systems that density and turnover know nothing of: fitted to outcomes, by scripts/fit_outcomes.py."""
EDGE = 1e-4
"""A start at a bound is moved inside by this share of the range: the logistic scale has no bounds."""


@dataclass(frozen=True)
class Free:
    """The free numbers by full name, with their plausible ranges."""

    quantities: dict[str, Quantity]

    @classmethod
    def of(cls, catalog: Catalog) -> Free:
        """Return what the catalog marks as calibrated: of the balance, and effects of medicines."""
        found = {
            name: quantity
            for name, quantity in catalog.parameters.items()
            if quantity.status == "calibrated" and name.split(".")[0] not in OF_OUTCOMES
        }
        for id_ in sorted(catalog.ids("medicines")):
            for name, quantity in catalog.medicine(id_).quantities():
                if quantity.status == "calibrated":
                    found[name] = quantity
        return cls(found)

    @cached_property
    def names(self) -> list[str]:
        """Full names, in the order of every vector."""
        return list(self.quantities)

    @cached_property
    def low(self) -> Floats:
        """Lower ends of the plausible ranges."""
        return np.array([quantity.low for quantity in self.quantities.values()])

    @cached_property
    def high(self) -> Floats:
        """Upper ends."""
        return np.array([quantity.high for quantity in self.quantities.values()])

    @property
    def shipped(self) -> Floats:
        """The values in the data files, shape (n,)."""
        return np.array([quantity.value for quantity in self.quantities.values()])

    def scaled(self, values: Floats) -> Floats:
        """Return values (shape (..., n)) on the logistic scale: 0 in the middle of the range."""
        share = (values - self.low) / (self.high - self.low)
        scaled: Floats = logit(np.clip(share, EDGE, 1.0 - EDGE))
        return scaled

    def values(self, scaled: Floats) -> Floats:
        """Return values (shape (..., n)) of the logistic scale."""
        values: Floats = self.low + (self.high - self.low) * expit(scaled)
        return values

    def slope(self, scaled: Floats) -> Floats:
        """Return d value / d scale, shape (n,)."""
        share = expit(scaled)
        slope: Floats = (self.high - self.low) * share * (1.0 - share)
        return slope
