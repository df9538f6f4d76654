"""Small pieces of Markdown: rows of tables, numbers with units, sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def cells(*texts: str) -> str:
    """Return a row of a table."""
    return "| " + " | ".join(one_line(text).replace("|", "\\|") for text in texts) + " |"


def head(*names: str) -> str:
    """Return the first two lines of a table."""
    return f"{cells(*names)}\n|{'---|' * len(names)}"


def one_line(text: str) -> str:
    """Return a text without line breaks."""
    return " ".join(text.split())


def sentences(*texts: str) -> str:
    """Return texts one after the other, each with a full stop."""
    lines = [one_line(text) for text in texts if text]
    return " ".join(line if line.endswith((".", "?", "!")) else f"{line}." for line in lines)


def with_unit(value: float, unit: str) -> str:
    """Return a number with its unit, 1 left out."""
    return digits(value) if unit == "1" else f"{digits(value)} {unit}"


def digits(value: float) -> str:
    """Return a number with as many digits as it needs, at most six."""
    return f"{value:.6g}"


def span(entry: Mapping[str, Any]) -> str:
    """Return the plausible range of a number."""
    return f"{digits(entry['low'])} to {digits(entry['high'])}"
