#!/usr/bin/env python3
"""Write docs/model: a page for each system, from the Rust headers and the data files.

    python scripts/write_docs.py [--figures] [--check]

Text needs neither the compiled core nor a simulation. ``--figures`` draws the figures, too, which
simulates for a minute and needs the extra ``plots``. ``--check`` writes nothing and exits with 1
where a page differs from what it would write.
"""

from __future__ import annotations

import argparse
import sys

from model_docs.headers import ROOT
from model_docs.pages import pages

FOLDER = ROOT / "docs" / "model"


def main(arguments: list[str] | None = None) -> int:
    """Write, or check; return the exit code."""
    parser = argparse.ArgumentParser(description="Write docs/model.")
    parser.add_argument("--figures", action="store_true", help="draw the figures, too")
    parser.add_argument("--check", action="store_true", help="write nothing, tell what differs")
    options = parser.parse_args(arguments)
    if options.check:
        differing = stale()
        for name in differing:
            print(f"docs/model/{name}: differs; needs `make docs`", file=sys.stderr)
        return 1 if differing else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
    if options.figures:
        from model_docs.figures import draw

        draw(FOLDER / "figures")
    return 0


def stale() -> list[str]:
    """Return the pages that are not what would be written."""
    wanted = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    return sorted(name for name in wanted | there if wanted.get(name) != there.get(name))


if __name__ == "__main__":
    sys.exit(main())
