"""Whom to cite: the bibliography's keys as people say them, "Haentjens et al. 2010"."""

from __future__ import annotations

import re

ENTRY = re.compile(r"@(\w+)\s*\{\s*([^,\s]+)\s*,(.*?)(?=\n@|\Z)", re.DOTALL)
FIELD = re.compile(r"(\w+)\s*=\s*[{\"](.*?)[}\"]\s*,?\s*$", re.MULTILINE)
UNPUBLISHED = {"calibrated": "fitted to published results", "assumption": "an assumption"}


def entries(bibliography: str) -> dict[str, dict[str, str]]:
    """Return the fields of each entry of BibTeX text by key."""
    found = {}
    for kind, key, body in ENTRY.findall(bibliography):
        fields = {name.lower(): value for name, value in FIELD.findall(body)}
        found[key] = {"kind": kind.lower(), **fields}
    return found


def short(key: str, bibliography: dict[str, dict[str, str]]) -> str:
    """Return how a sentence cites a source: surname, "et al." and year; the key if unknown."""
    if key in UNPUBLISHED:
        return UNPUBLISHED[key]
    entry = bibliography.get(key)
    if entry is None or not entry.get("author"):
        return key
    authors = entry["author"].split(" and ")
    first = authors[0].split(",")[0] if not authors[0].startswith("{") else authors[0]
    surname = re.sub(r"[{}\\\"'`^~]", "", first).strip()
    many = len(authors) > 2 or authors[-1] == "others"
    more = " et al." if many else ""
    second = authors[1].split(",")[0] if len(authors) == 2 and not many else ""
    both = f"{surname} and {re.sub(r'[{}]', '', second).strip()}" if second else f"{surname}{more}"
    return f"{both} {entry.get('year', '')}".strip()
