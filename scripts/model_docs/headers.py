"""The header of a Rust file -> the parts of a page: what it is, equations, limits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"frailty": "falls", "strength": "fracture"}
"""Page that a file of biology is on, where it is not its own."""
EQUATION = re.compile(r"^\d+\. ")
SYMBOLS = re.compile(r"(Equations|Signals)\b")
LIMIT = re.compile(r"[Ll]eft out|[Nn]ot to be trusted|do not read|artefact")
SPECIFICATION = re.compile(r'^\s*(\w+): \w+, "[^"]*", "([^"]*)";', re.MULTILINE)
SYSTEM = re.compile(r"^    (\w+): \w+Parameters \{(.*?)^    \}", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Header:
    """Parts of a header, each as Markdown: what stands before the equations, they themselves, what
    follows from them, and what is left out or not to be trusted.
    """

    title: str
    about: str
    equations: str
    notes: str
    limits: str


def header(path: str) -> Header:
    """Return the header of a file below src, such as biology/falls, its links made those of pages."""
    text = (ROOT / "src" / f"{path}.rs").read_text(encoding="utf-8")
    lines = []
    for line in text.splitlines():
        if not line.startswith("//!"):
            break
        lines.append(line[3:].removeprefix(" "))
    title, _, first = lines[0].partition(": ")
    whole = "\n".join([first[:1].upper() + first[1:], *lines[1:]])
    paragraphs = _linked(whole, path).split("\n\n")
    start = next(k for k, part in enumerate(paragraphs) if EQUATION.match(part))
    before = [p for p in paragraphs[:start] if p.strip() not in ("Equations:", "")]
    symbols = [_symbols(p) for p in before if SYMBOLS.match(p)]
    after = paragraphs[start + 1 :]
    return Header(
        title=title,
        about="\n\n".join(p for p in before if not SYMBOLS.match(p)),
        equations="\n\n".join([*symbols, paragraphs[start]]),
        notes="\n\n".join(p for p in after if not LIMIT.search(p)),
        limits="\n\n".join(p for p in after if LIMIT.search(p)),
    )


def meanings() -> dict[str, str]:
    """Return what each parameter is, by `system.name`, as src/parameters.rs says it."""
    text = (ROOT / "src" / "parameters.rs").read_text(encoding="utf-8")
    return {
        f"{system}.{name}": meaning
        for system, body in SYSTEM.findall(text)
        for name, meaning in SPECIFICATION.findall(body)
    }


def _symbols(paragraph: str) -> str:
    """Return what the letters of the equations stand for as a sentence."""
    inside = re.fullmatch(r"Equations \((.*)\):", paragraph, re.DOTALL)
    return f"Here {inside[1]}." if inside else paragraph


def _linked(text: str, path: str) -> str:
    """Turn links of rustdoc into links between pages and to files."""
    text = re.sub(r"\[`super::(\w+)`\]", lambda found: _page(found[1]), text)
    text = re.sub(r"\[`crate::([\w:]+)`\]", lambda found: _file(found[1].replace("::", "/")), text)
    return re.sub(r"\[`([a-z_]+)`\](?!\()", lambda found: _file(f"{path}/{found[1]}"), text)


def _page(system: str) -> str:
    return f"[{system}]({PAGES.get(system, system)}.md)"


def _file(path: str) -> str:
    return f"[`src/{path}.rs`](../../src/{path}.rs)"
