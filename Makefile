# make help lists what there is. Two commands matter: make run, make test.
# Everything is installed into .venv, pinned by Cargo.lock and requirements/; nothing outside this folder is touched.

SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
STAMPS := .work
RUST_SOURCES := Cargo.toml Cargo.lock $(shell find src -name '*.rs' -o -name Cargo.toml -path 'src/*')
OLDEST_RUST := 1.89

.DEFAULT_GOAL := help
.PHONY: help run test check format calibrate bench docs lock clean tools test-rust test-python

help:  ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | awk -F '\t' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(STAMPS)/extension  ## Set up, build, and run the main job: a million people, ten years, two arms
	$(BIN)/cohortsim run

test: test-rust test-python  ## Set up and run every test: cargo and pytest

test-rust: tools
	cargo test --release --locked

test-python: $(STAMPS)/extension $(STAMPS)/dev
	$(BIN)/python -m pytest -n 2

check: tools $(STAMPS)/extension $(STAMPS)/dev  ## Format, lint and types of Rust and Python
	cargo fmt --all --check
	PYO3_PYTHON=$(CURDIR)/$(BIN)/python cargo clippy --release --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --locked --quiet
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMPS)/dev  ## Format Rust and Python
	cargo fmt --all
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

calibrate: $(STAMPS)/extension  ## Refit the parameters to published density and turnover, write the data files
	$(BIN)/cohortsim calibrate --write

bench: $(STAMPS)/extension $(STAMPS)/dev  ## Measure speed (benches/README.md says what each number means)
	cargo bench --locked --bench kernel
	$(BIN)/python -m pytest benches -q --benchmark-columns=median,iqr,rounds --benchmark-sort=name
	$(BIN)/python benches/whole_run.py

docs: $(STAMPS)/extension $(STAMPS)/dev  ## Write docs/model from the Rust headers, the data files and simulations
	$(BIN)/python scripts/write_docs.py --figures

lock: tools  ## Write requirements/ anew from the newest versions that pyproject.toml allows
	$(PYTHON) scripts/lock.py

clean:  ## Remove what was built (not the results)
	rm -rf target .venv $(STAMPS) python/cohortsim/_core*.so

tools:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "cohortsim needs Python 3.11 or newer: install it, or name it with make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cohortsim needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1): install a newer one, or name it with make PYTHON=/path/to/python3" >&2; exit 1; }
	@command -v cargo >/dev/null 2>&1 || { echo "cohortsim needs cargo (Rust $(OLDEST_RUST) or newer): install Rust with rustup, https://rustup.rs" >&2; exit 1; }
	@cargo --version | $(PYTHON) -c 'import re, sys; v = re.search(r"(\d+)\.(\d+)", sys.stdin.read()); sys.exit(tuple(map(int, v.groups())) < tuple(map(int, "$(OLDEST_RUST)".split("."))))' || { echo "cohortsim needs Rust $(OLDEST_RUST) or newer, and this is $$(cargo --version): run rustup update" >&2; exit 1; }

$(STAMPS)/venv: | tools
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "cohortsim needs Python's venv and pip modules: install them (on Debian and Ubuntu: python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: $(STAMPS)/venv requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/run.txt
	@touch $@

$(STAMPS)/dev: $(STAMPS)/run requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements/dev.txt
	@touch $@

# The package is linked, not copied: a change in python/ needs no new build, a change in src/ does.
$(STAMPS)/extension: $(STAMPS)/run $(RUST_SOURCES) pyproject.toml | tools
	PIP_QUIET=1 PIP_DISABLE_PIP_VERSION_CHECK=1 VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/maturin develop --release --locked --quiet
	@touch $@
