"""Words of the explanations: doses, amounts, ages and names as a person says them."""

from __future__ import annotations

import textwrap

from cohortsim.entries import Medicine, Quantity
from cohortsim.fields import Ages

WIDTH = 80
ONCE = {"d": "daily", "wk": "weekly", "mo": "monthly", "a": "yearly"}
UNITS = {"d": "days", "wk": "weeks", "mo": "months", "a": "years"}


def wrapped(paragraphs: list[str]) -> str:
    """Return paragraphs, each wrapped at 80 columns, with an empty line between them."""
    filled = (textwrap.fill(p, WIDTH, break_on_hyphens=False) for p in paragraphs if p.strip())
    return "\n\n".join(filled)


def words(name: str) -> str:
    """Return an id as words."""
    return name.replace("_", " ")


def value(quantity: Quantity, factor: float = 1.0) -> str:
    """Return a number with its unit; a factor changes the number."""
    unit = "" if quantity.unit == "1" else f" {quantity.unit}"
    return f"{quantity.value * factor:g}{unit}"


def dose(medicine: Medicine, taken: float | None = None) -> str:
    """Return how much of a medicine is taken, how often and how."""
    own, every = medicine.dose, medicine.interval
    often = f"every {every.value:g} {UNITS[every.unit]}"
    often = ONCE[every.unit] if every.value == 1 else often
    return f"{own.value if taken is None else taken:g} {own.unit} {often}, {medicine.route}"


def ages(range_: Ages) -> str:
    """Return a range of ages."""
    return f"{range_.from_} and over" if range_.to == 100 else f"{range_.from_} to {range_.to}"


def years(number: int) -> str:
    """Return a number of years."""
    return "one year" if number == 1 else f"{number} years"


def months(number: int) -> str:
    """Return a number of months."""
    return "one month" if number == 1 else f"{number} months"


def between(low: float | None, high: float | None) -> str:
    """Return a range that may be open at either end."""
    if low is None or high is None:
        return f"{high:g} or lower" if low is None else f"{low:g} or higher"
    return f"{low:g} to {high:g}"


def listed(parts: list[str], last: str = "and") -> str:
    """Return parts as one list: a, b and c."""
    return f" {last} ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)
