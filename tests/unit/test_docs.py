"""docs/model is what `make docs` writes (figures aside), and its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "model"
PAGES = sorted(FOLDER.glob("*.md"))
SYSTEMS = {"remodeling", "hormones", "minerals", "loading", "medicines", "density"}


def test_the_pages_are_what_would_be_written() -> None:
    script = [sys.executable, str(ROOT / "scripts" / "write_docs.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert {page.stem for page in PAGES} == SYSTEMS | {"README"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    anchors = set(re.findall(r'<a id="([^"]+)"></a>', text))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith("#"):
            assert link[1:] in anchors, link
        elif not link.startswith("http"):
            assert (FOLDER / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_of_a_system_has_all_its_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if page.stem in SYSTEMS:
        parts = re.findall(r"^## (.+)$", text, re.M)
        assert parts[0] == "Equations"
        assert parts[1] == "What is left out, and what is not to be trusted"
        assert {"Figure", "Parameters", "Sources"} <= set(parts)
        assert re.search(r"^1\. ", text, re.M)
        assert re.search(r"[Ll]eft out|artefact", text)
    cells = {line.count("|") - line.count("\\|") for line in text.splitlines() if line[:1] == "|"}
    assert cells <= {3, 4, 6, 7}


def test_figures_are_small() -> None:
    sizes = [path.stat().st_size for path in (FOLDER / "figures").iterdir()]
    assert len(sizes) == len(SYSTEMS)
    assert max(sizes) < 200_000
    assert sum(sizes) < 3_000_000
