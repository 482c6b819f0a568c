# Two commands do everything: `make demo` and `make test`. `make quick` tells in about two minutes whether something is
# broken, and CI runs `make check`, `make demo` and `make extras`.
PYTHON ?= python3
BIN := .venv/bin
PYTEST_WORKERS ?= 2

.PHONY: demo test quick check extras dist torture bench docs format clean

demo: .venv/user
	$(BIN)/lrtune search configs/digits.yaml

test: .venv/dev
	$(BIN)/pytest -n $(PYTEST_WORKERS)

quick: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n $(PYTEST_WORKERS) -m 'not slow'

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n $(PYTEST_WORKERS)

extras:
	PYTHON=$(PYTHON) .ci/extras

dist: .venv/dev
	$(BIN)/python -c 'from setuptools import build_meta as made; made.build_sdist("dist"); made.build_wheel("dist")'

torture: .venv/dev
	$(BIN)/python tests/durability/torture.py

bench: .venv/dev
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

docs: .venv/dev
	$(BIN)/python -m lrtune.reporting.reference

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/created:
	@$(PYTHON) -c 'import sys; sys.exit("lrtune needs Python 3.11 or newer; this is " + sys.version.split()[0] \
	  + ". Name another one: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/user: .venv/created pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/dev: .venv/created pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ .venv/user
