"""docs/model is what `make docs` writes (figures aside), and links of docs lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FOLDER = DOCS / "model"
PAGES = sorted(FOLDER.glob("*.md"))
BY_HAND = sorted(DOCS.glob("*.md"))
SYSTEMS = {
    *("remodeling", "hormones", "minerals", "loading", "medicines", "density"),
    *("falls", "fracture", "spine", "mortality", "populations"),
}
WITHOUT_PARAMETERS = {"populations"}


def test_the_pages_are_what_would_be_written() -> None:
    script = [sys.executable, str(ROOT / "scripts" / "write_docs.py"), "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert {page.stem for page in PAGES} == SYSTEMS | {"README"}


@pytest.mark.parametrize("page", [*PAGES, *BY_HAND], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    anchors = set(re.findall(r'<a id="([^"]+)"></a>', text))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith("#"):
            assert link[1:] in anchors, link
        elif not link.startswith("http"):
            assert (page.parent / link).exists(), link


def test_the_index_leads_to_every_page() -> None:
    links = set(re.findall(r"\]\(([^)\s]+)\)", (DOCS / "README.md").read_text(encoding="utf-8")))
    wanted = {str(page.relative_to(DOCS)) for page in [*PAGES, *BY_HAND]} - {"README.md"}
    assert wanted <= links


def test_the_recipes_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (DOCS / "recipes.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(blocks) >= 8
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_of_a_system_has_all_its_parts(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if page.stem in SYSTEMS:
        parts = re.findall(r"^## (.+)$", text, re.M)
        assert parts[0] == "Equations"
        assert parts[1] == "What is left out, and what is not to be trusted"
        assert {"Figure", "Sources"} <= set(parts)
        assert "Parameters" in parts or page.stem in WITHOUT_PARAMETERS
        assert re.search(r"^1\. ", text, re.M)
        assert re.search(r"[Ll]eft out|artefact", text)
    cells = {line.count("|") - line.count("\\|") for line in text.splitlines() if line[:1] == "|"}
    assert cells <= {3, 4, 5, 6, 7, 11}


def test_figures_are_small() -> None:
    sizes = [path.stat().st_size for path in (FOLDER / "figures").iterdir()]
    assert len(sizes) == len(SYSTEMS)
    assert max(sizes) < 200_000
    assert sum(sizes) < 3_000_000
