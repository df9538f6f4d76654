"""Data files -> Markdown tables: parameters, medicines, profiles, each number with its source."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cohortsim.citations import entries, full, short
from ruamel.yaml import YAML

from model_docs.headers import ROOT, meanings

DATA = ROOT / "python" / "cohortsim" / "data"
Plain = dict[str, Any]
WEAK = 50
"""Per cent of precision below which a fitted number rests more on its plausible range than on data."""


class Sources:
    """Cites sources in short, and lists in full those that were cited."""

    def __init__(self) -> None:
        self.bibliography = entries((DATA / "references.bib").read_text(encoding="utf-8"))
        self.cited: set[str] = set()

    def cite(self, keys: str | Iterable[str]) -> str:
        """Return sources as a table cites them, linked to the list below."""
        listed = [keys] if isinstance(keys, str) else list(keys)
        self.cited |= set(listed)
        return ", ".join(self._link(key) for key in listed)

    def rests_on(self, entry: Mapping[str, Any]) -> str:
        """Return the status of a number and, where somebody published it, the sources."""
        listed = [entry["source"]] if isinstance(entry["source"], str) else entry["source"]
        published = [key for key in listed if key in self.bibliography]
        status = str(entry["status"])
        return f"{status}: {self.cite(published)}" if published else status

    def text(self, text: str) -> str:
        """Return a note with the keys in it linked."""
        known = re.compile(r"\b[a-z_]+\d{4}\w*\b")
        return known.sub(lambda f: self.cite(f[0]) if f[0] in self.bibliography else f[0], text)

    def listed(self) -> Iterator[str]:
        """Yield the sources in full, by key."""
        for key in sorted(self.cited):
            yield f'- <a id="{key}"></a>{full(key, self.bibliography)}'

    def _link(self, key: str) -> str:
        return f"[{short(key, self.bibliography)}](#{key})"


def read(path: str) -> Plain:
    """Return the plain data of a file below `data`."""
    made: Plain = YAML(typ="safe", pure=True).load((DATA / path).read_text(encoding="utf-8"))
    return made


def fits() -> dict[str, Plain]:
    """Return what the fit says of each calibrated number, by its full name."""
    with (DATA / "evidence" / "fit.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: dict(row) for row in csv.DictReader(file)}


def _fit_of(name: str, fitted: Mapping[str, Plain]) -> str:
    return f" ({_known_by_fit(fitted[name])})" if name in fitted else ""


def _known_by_fit(row: Mapping[str, str]) -> str:
    """Return how well the data know a fitted number."""
    share = round(100 * float(row["told_by_data"]))
    weak = ", weakly identified" if share < WEAK else ""
    return f"SD {row['sd']}, {share} % from data{weak}"


def parameters(system: str, sources: Sources) -> Iterator[str]:
    """Yield the table of a system's parameters."""
    known, fitted = meanings(), fits()
    yield "| parameter | value | plausible range | status and source | what it is |"
    yield "|---|---|---|---|---|"
    for name, entry in read(f"parameters/{system}.yaml")["parameters"].items():
        meaning = known.get(f"{system}.{name.split('.')[0]}", "")
        said = _sentences(meaning, sources.text(entry.get("note", "")))
        yield _row(
            f"`{name}`",
            _amount(entry["value"], entry["unit"]),
            f"{_number(entry['low'])} to {_number(entry['high'])}",
            sources.rests_on(entry) + _fit_of(f"{system}.{name}", fitted),
            said,
        )


def medicines(sources: Sources) -> Iterator[str]:
    """Yield the catalog of medicines: a table, then what each is and rests on."""
    found = [read(f"medicines/{p.name}") for p in sorted((DATA / "medicines").glob("*.yaml"))]
    yield "| medicine | class | ATC | dose | acts on | persistence |"
    yield "|---|---|---|---|---|---|"
    for medicine in found:
        yield _row(
            f"[{medicine['label']}](#{_anchor(medicine)})",
            medicine.get("class", ""),
            medicine.get("atc", ""),
            _dose(medicine),
            "<br>".join(_effect(effect, sources) for effect in medicine["effects"]),
            _persistence(medicine.get("persistence"), sources),
        )
    for medicine in found:
        yield ""
        yield f'<a id="{_anchor(medicine)}"></a>**{medicine["label"]}** (`{medicine["id"]}`). ' + (
            _sentences(medicine.get("describes", ""), sources.text(medicine.get("note", "")))
        )
        for effect in medicine["effects"]:
            amount = effect["amount"]
            if amount.get("note"):
                yield f"\n- {effect['target'].replace('_', ' ')}: {sources.text(_line(amount['note']))}"


def profiles(kind: str, sources: Sources) -> Iterator[str]:
    """Yield the table of the profiles of a kind."""
    yield "| profile | who | what it sets and does |"
    yield "|---|---|---|"
    for path in sorted((DATA / "profiles" / kind).glob("*.yaml")):
        profile = read(f"profiles/{kind}/{path.name}")
        numbers = [
            f"{name.replace('_', ' ')} {_amount(q['value'], q['unit'])} ({sources.rests_on(q)})"
            for name, q in profile.get("set", {}).items()
        ]
        numbers += [_effect(effect, sources) for effect in profile.get("effects", [])]
        said = _sentences(profile["label"], profile.get("describes", ""))
        who = profile.get("applies_to", "all")
        yield _row(f"`{profile['id']}`", who, "<br>".join([said, *numbers]))


def _effect(effect: Mapping[str, Any], sources: Sources) -> str:
    amount = effect["amount"]
    each = ", at each dose" if effect.get("shape") == "per_dose" else ""
    value = _amount(amount["value"], amount["unit"])
    span = f"{_number(amount['low'])} to {_number(amount['high'])}"
    source = sources.rests_on(amount)
    return f"{effect['target'].replace('_', ' ')} {value}{each} ({span}; {source})"


def _dose(medicine: Mapping[str, Any]) -> str:
    dose, interval = medicine["dose"], medicine["interval"]
    often = f"{_number(interval['value'])} {interval['unit']}"
    said = f"{_amount(dose['value'], dose['unit'])} every {often}, {medicine['route']}"
    span = medicine.get("dose_range")
    return said + (f"; {_number(span['low'])} to {_number(span['high'])}" if span else "")


def _persistence(entry: Mapping[str, Any] | None, sources: Sources) -> str:
    if entry is None:
        return "none published here: full"
    points = [p for p in entry["curve"] if p["month"]]
    shares = ", ".join(f"{_number(100 * p['share'])} % at {_number(p['month'])} mo" for p in points)
    return f"{shares} ({sources.rests_on(entry)})"


def _anchor(medicine: Mapping[str, Any]) -> str:
    return f"medicine-{medicine['id']}"


def _row(*cells: str) -> str:
    return "| " + " | ".join(_line(cell).replace("|", "\\|") for cell in cells) + " |"


def _line(text: str) -> str:
    return " ".join(text.split())


def _sentences(*texts: str) -> str:
    lines = [_line(text) for text in texts if text]
    return " ".join(line if line.endswith((".", "?", "!")) else f"{line}." for line in lines)


def _amount(value: float, unit: str) -> str:
    return _number(value) if unit == "1" else f"{_number(value)} {unit}"


def _number(value: float) -> str:
    return f"{value:.6g}"
