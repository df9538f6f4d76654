"""Data files -> Markdown tables: parameters, medicines, profiles, each number with its source."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cohortsim.citations import entries, full, short
from ruamel.yaml import YAML

from model_docs.headers import ROOT, meanings
from model_docs.markdown import cells, digits, head, one_line, sentences, span, with_unit

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
    yield head("parameter", "value", "plausible range", "status and source", "what it is")
    for name, entry in read(f"parameters/{system}.yaml")["parameters"].items():
        meaning = known.get(f"{system}.{name.split('.')[0]}", "")
        said = sentences(meaning, sources.text(entry.get("note", "")))
        yield cells(
            f"`{name}`",
            with_unit(entry["value"], entry["unit"]),
            span(entry),
            sources.rests_on(entry) + _fit_of(f"{system}.{name}", fitted),
            said,
        )


def medicines(sources: Sources) -> Iterator[str]:
    """Yield the catalog of medicines: a table, then what each is and rests on."""
    found = [read(f"medicines/{p.name}") for p in sorted((DATA / "medicines").glob("*.yaml"))]
    yield head("medicine", "class", "ATC", "dose", "acts on", "persistence")
    for medicine in found:
        yield cells(
            f"[{medicine['label']}](#{_anchor(medicine)})",
            medicine.get("class", ""),
            medicine.get("atc", ""),
            _dose(medicine),
            "<br>".join(effect_of(effect, sources) for effect in medicine["effects"]),
            _persistence(medicine.get("persistence"), sources),
        )
    for medicine in found:
        yield ""
        yield f'<a id="{_anchor(medicine)}"></a>**{medicine["label"]}** (`{medicine["id"]}`). ' + (
            sentences(medicine.get("describes", ""), sources.text(medicine.get("note", "")))
        )
        for effect in medicine["effects"]:
            amount = effect["amount"]
            if amount.get("note"):
                said = sources.text(one_line(amount["note"]))
                yield f"\n- {effect['target'].replace('_', ' ')}: {said}"


def profiles(kind: str, sources: Sources) -> Iterator[str]:
    """Yield the table of the profiles of a kind."""
    yield head("profile", "who", "what it sets and does")
    for path in sorted((DATA / "profiles" / kind).glob("*.yaml")):
        profile = read(f"profiles/{kind}/{path.name}")
        numbers = [
            f"{name.replace('_', ' ')} {with_unit(q['value'], q['unit'])} ({sources.rests_on(q)})"
            for name, q in profile.get("set", {}).items()
        ]
        numbers += [effect_of(effect, sources) for effect in profile.get("effects", [])]
        said = sentences(profile["label"], profile.get("describes", ""))
        who = profile.get("applies_to", "all")
        yield cells(f"`{profile['id']}`", who, "<br>".join([said, *numbers]))


def effect_of(effect: Mapping[str, Any], sources: Sources) -> str:
    """Return what an effect of a medicine, profile or risk factor acts on, and how much."""
    amount = effect["amount"]
    each = ", at each dose" if effect.get("shape") == "per_dose" else ""
    value = with_unit(amount["value"], amount["unit"])
    source = sources.rests_on(amount)
    return f"{effect['target'].replace('_', ' ')} {value}{each} ({span(amount)}; {source})"


def _dose(medicine: Mapping[str, Any]) -> str:
    dose, interval = medicine["dose"], medicine["interval"]
    often = f"{digits(interval['value'])} {interval['unit']}"
    said = f"{with_unit(dose['value'], dose['unit'])} every {often}, {medicine['route']}"
    doses = medicine.get("dose_range")
    return said + (f"; {span(doses)}" if doses else "")


def _persistence(entry: Mapping[str, Any] | None, sources: Sources) -> str:
    if entry is None:
        return "none published here: full"
    points = [p for p in entry["curve"] if p["month"]]
    shares = ", ".join(f"{digits(100 * p['share'])} % at {digits(p['month'])} mo" for p in points)
    return f"{shares} ({sources.rests_on(entry)})"


def _anchor(medicine: Mapping[str, Any]) -> str:
    return f"medicine-{medicine['id']}"
