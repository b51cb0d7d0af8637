# Everything a newcomer needs: `make demo` and `make test`. Both set up .venv by themselves.

PYTHON ?= python3
# Worker processes of the tests and the evaluation; both are sized for two cores.
JOBS ?= 2

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OLDEST := .venv-oldest
# Read from pyproject.toml, so that the lower bound is written once.
OLDEST_QISKIT = $(shell sed -n 's/^ *"qiskit>=\([0-9.]*\),.*/\1/p' pyproject.toml)

.DEFAULT_GOAL := help
.PHONY: help install demo test check format docs bench bench-quick test-oldest clean

help:
	@echo "make demo         run the example programs together on a model of a 133-qubit device, into demo/"
	@echo "make test         lint, types, import rules, tests, docstring and README examples"
	@echo "make check        lint, types, import rules"
	@echo "make format       rewrite the sources in the project's format"
	@echo "make docs         the documentation as pages, into docs/_build"
	@echo "make bench        the whole evaluation, into benchmarks/results/full; goes on where it was stopped"
	@echo "make bench-quick  a short one, into benchmarks/results/quick"
	@echo "make test-oldest  the tests on the oldest supported Qiskit ($(OLDEST_QISKIT))"
	@echo "make clean        remove what the other targets made"

$(STAMP): pyproject.toml setup.cfg
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all]'
	touch $(STAMP)

install: $(STAMP)

demo: $(STAMP)
	$(BIN)/qiskit-halo run examples/programs/*.qasm --device torino --shots 1000 --seed 1 --out demo
	@echo "Counts, report, merged circuit and pictures are in demo/."

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: check
	$(BIN)/python -m pytest -n $(JOBS)

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	$(BIN)/sphinx-build -W -b html docs docs/_build
	@echo "Open docs/_build/index.html"

bench: $(STAMP)
	$(BIN)/python -m benchmarks evaluation --processes $(JOBS)

bench-quick: $(STAMP)
	$(BIN)/python -m benchmarks evaluation --quick --processes $(JOBS)

test-oldest:
	test -x $(OLDEST)/bin/python || $(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check \
		--editable '.[all]' 'qiskit==$(OLDEST_QISKIT).*'
	$(OLDEST)/bin/python -m pytest -n $(JOBS)

clean:
	rm -rf $(VENV) $(OLDEST) build dist demo result docs/_build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
