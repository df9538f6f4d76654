"""Whom to cite: the bibliography's keys as people say them, "Haentjens et al. 2010"."""

from __future__ import annotations

import re
import unicodedata

ENTRY = re.compile(r"@(\w+)\s*\{\s*([^,\s]+)\s*,(.*?)(?=\n@|\Z)", re.DOTALL)
FIELD = re.compile(r"(\w+)\s*=\s*[{\"](.*?)[}\"]\s*,?\s*$", re.MULTILINE)
AND = re.compile(r"\s+and\s+(?![^{]*\})")  # not the "and" within a name in braces
LETTERS = {"o": "ø", "O": "Ø", "ae": "æ", "AE": "Æ", "aa": "å", "AA": "Å", "ss": "ß", "l": "ł"}
ACCENTS = {"'": "\u0301", "`": "\u0300", '"': "\u0308", "^": "\u0302", "~": "\u0303", "c": "\u0327"}
ACCENTS |= {"v": "\u030c", "r": "\u030a", "u": "\u0306"}
ACCENTED = re.compile(r"""\\(['`"^~]|[cvru](?=[\s{]))\s*\{?\\?([A-Za-z])\}?""")
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


def full(key: str, bibliography: dict[str, dict[str, str]]) -> str:
    """Return a source as a reference list has it: authors, title, where, year, DOI or address."""
    if key in UNPUBLISHED:
        return UNPUBLISHED[key]
    entry = {name: readable(text) for name, text in bibliography.get(key, {}).items()}
    if "author" not in entry:
        return key
    authors = [readable(name) for name in AND.split(bibliography[key]["author"])]
    named = "; ".join("et al." if name == "others" else name for name in authors)
    number = f"({entry['number']})" if "number" in entry else ""
    pages = f":{entry['pages']}" if "pages" in entry else ""
    volume = f";{entry['volume']}{number}{pages}" if "volume" in entry else ""
    printed = next((entry[k] for k in ("journal", "publisher", "institution") if k in entry), "")
    place = f"{printed} {entry.get('year', '')}{volume}".strip()
    parts = (part for part in (named, entry.get("title", ""), place) if part)
    said = " ".join(part if part.endswith((".", "?", "!")) else f"{part}." for part in parts)
    where = f"doi:{entry['doi']}" if "doi" in entry else entry.get("url", "")
    return f"{said} {where}".rstrip()


def readable(latex: str) -> str:
    """Return BibTeX text as plain text: accents and dashes as letters, without braces."""
    text = ACCENTED.sub(lambda found: found[2] + ACCENTS[found[1]], latex)
    text = re.sub(
        r"\\([A-Za-z]+)\s*", lambda found: LETTERS.get(found[1], found[1]), text.replace("\\&", "&")
    )
    text = text.replace("---", "\u2014").replace("--", "\u2013")
    return unicodedata.normalize("NFC", re.sub(r"[{}]", "", text))
