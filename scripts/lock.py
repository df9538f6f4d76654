"""Write requirements/*.txt: the newest versions that pyproject.toml allows, pinned."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADINGS = {
    "run": "# What `make run` installs, pinned. Written by `make lock`.",
    "dev": "# What tests and checks need besides, pinned. Written by `make lock`.\n-r run.txt",
}


def main() -> int:
    """Resolve both sets in a fresh environment and write them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    run_needs = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        run = installed(python, run_needs)
        extras = project["project"]["optional-dependencies"].values()
        dev_needs = [*groups["test"], *groups["check"], *(need for e in extras for need in e)]
        both = installed(python, dev_needs)
    write("run", run)
    write("dev", [line for line in both if line not in run])
    return 0


def installed(python: Path, requirements: list[str]) -> list[str]:
    """Install requirements and return all that is then there, pinned."""
    subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
    freeze = subprocess.run(
        [python, "-m", "pip", "freeze"], check=True, capture_output=True, text=True
    )
    return freeze.stdout.split()


def write(name: str, lines: list[str]) -> None:
    """Write one file of pinned requirements."""
    path = ROOT / "requirements" / f"{name}.txt"
    path.write_text("\n".join([HEADINGS[name], *sorted(lines, key=str.lower)]) + "\n")


if __name__ == "__main__":
    sys.exit(main())
