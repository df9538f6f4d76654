"""Whole trials with other values: what the shipped scenarios give for each target."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from cohortsim.catalog import Catalog
from cohortsim.entries import Medicine, Quantity


class Refitted(Catalog):
    """A catalog whose numbers are partly replaced, by full name."""

    def __init__(self, base: Catalog, values: Mapping[str, float]) -> None:
        super().__init__(base.folder, base.shipped)
        self.values = values

    @cached_property
    def parameters(self) -> dict[str, Quantity]:
        """All parameters of the model by full name, with the replaced values."""
        return {name: self._with(name, q) for name, q in super().parameters.items()}

    def medicine(self, id_: str) -> Medicine:
        """Return a medicine with the replaced amounts of its effects."""
        medicine = super().medicine(id_)
        effects = tuple(
            effect.model_copy(
                update={"amount": self._with(f"medicines.{id_}.effects[{k}].amount", effect.amount)}
            )
            for k, effect in enumerate(medicine.effects)
        )
        return medicine.model_copy(update={"effects": effects})

    def _with(self, name: str, quantity: Quantity) -> Quantity:
        if name not in self.values:
            return quantity
        return quantity.model_copy(update={"value": self.values[name]})


def simulated_in_trials(catalog: Catalog, values: Mapping[str, float]) -> dict[str, float]:
    """Return what the shipped trials give for each target that they can answer, by its id."""
    from cohortsim.validation import compare, targets, trials

    wanted = targets.targets()
    found: dict[str, float] = {}
    plans = trials.planned(wanted, None, None)
    for observed in trials.observed(plans, catalog=Refitted(catalog, values)):
        tallies = compare.Tallies(observed)
        for target in wanted:
            if target.trial == observed.trial:
                comparison = compare.evaluated(target, tallies)
                if comparison.simulated is not None:
                    found[target.id] = comparison.simulated
    return found
