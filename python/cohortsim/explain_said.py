"""Sentences about numbers of the catalog: value, range, status, source; what an effect changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from cohortsim import english
from cohortsim.catalog import Catalog
from cohortsim.citations import UNPUBLISHED, entries, full
from cohortsim.core import core, is_built
from cohortsim.entries import Effect, Quantity

KEY = re.compile(r"\b[a-z][a-z_]*\d{4}[a-z]?(?:_\w+)?\b")
STATUS = {
    "read": "read in its source",
    "recalled": "recalled from its source, to be read again",
    "derived": "derived from its source",
    "calibrated": "fitted",
    "assumption": "an assumption",
}


class Said:
    """Says numbers in sentences, and gathers their sources on the way."""

    def __init__(self, catalog: Catalog) -> None:
        self.bibliography = entries(catalog.references)
        self.keys: dict[str, None] = {}
        specs = core().exposure_targets() if is_built() else []
        self.meanings = {str(spec["name"]): str(spec["meaning"]) for spec in specs}

    def effect(self, effect: Effect, when: str, dosed: bool = False) -> str:
        """Return what an effect changes, when, and how it depends on the dose."""
        meaning = self.meanings.get(effect.target)
        meant = f" ({meaning})" if meaning else ""
        scales = _scaling(effect) if dosed else ""
        return (
            f"Changes {english.words(effect.target)}{meant} {when} by "
            f"{self.quantity(effect.amount)}{scales}"
        )

    def quantity(self, quantity: Quantity) -> str:
        """Return a number with its range, status, source and note."""
        span = f"plausible {quantity.low:g} to {quantity.high:g}"
        cited = self.cited(quantity.source, quantity.note)
        status = STATUS[quantity.status]
        return f"{english.value(quantity)} ({span}; {status}{cited}). {quantity.note}".rstrip()

    def cited(self, source: Iterable[str], note: str) -> str:
        """Keep the keys for the list of sources; return those that are published."""
        keys = [key for key in source if key not in UNPUBLISHED]
        mentioned = [key for key in KEY.findall(note) if key in self.bibliography]
        self.keys |= dict.fromkeys([*keys, *mentioned])
        return f": {', '.join(keys)}" if keys else ""

    def end(self, note: str) -> Iterator[str]:
        """Yield the note of an entry, and all sources in full."""
        self.cited((), note)
        yield note
        if self.keys:
            yield "Sources:"
        for key in self.keys:
            yield f"{key}: {full(key, self.bibliography)}" if key in self.bibliography else key


def _scaling(effect: Effect) -> str:
    if not effect.scales_with_dose:
        return " The same at every dose."
    if effect.dose_exponent != 1:
        return f" In proportion to the dose to the power {effect.dose_exponent:g}."
    return " In proportion to the dose."


def last_words(name: str) -> str:
    """Return what a full name says after the kind and the id, in words."""
    return words(" ".join(name.split(".")[2:]))


def words(name: str) -> str:
    """Return a name as the first words of a sentence."""
    return english.words(name).capitalize().replace("Bmd", "BMD")
