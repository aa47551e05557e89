# The commands of this project, for people and for CI. `make` alone lists them.

PYTHON ?= python3
VENV ?= .venv
HOST ?= 127.0.0.1
PORT ?= 8000

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
CODE := sanic tests examples docs setup.py $(wildcard benchmarks compliance)
PYENV_PYTHONS := $(wildcard $(HOME)/.pyenv/versions/3.1[0-3].*/bin/python)

.DEFAULT_GOAL := help
.PHONY: help run test lint format typecheck imports docs pytest e2e compat compliance tox clean

help: ## list the commands
	@sed -nE 's/^([a-z0-9]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

run: $(VENV)/.installed ## serve examples/hello_world.py (HOST and PORT say where)
	@echo "Serving examples/hello_world.py on http://$(HOST):$(PORT)/  (ctrl-c stops it)"
	@HOST=$(HOST) PORT=$(PORT) exec $(BIN)/python examples/hello_world.py

test: lint typecheck imports docs pytest compat ## all checks and tests, as CI runs them

lint: $(VENV)/.installed-test ## ruff: rules and format
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

format: $(VENV)/.installed-test ## rewrite the code in the project's format
	$(BIN)/ruff check --fix-only $(CODE)
	$(BIN)/ruff format $(CODE)

typecheck: $(VENV)/.installed-test ## mypy --strict on the package, mypy and pyright on typical user code
	$(BIN)/mypy --strict
	$(BIN)/pyright --pythonpath $(BIN)/python

imports: $(VENV)/.installed-test ## the floors: imports go down only
	$(BIN)/lint-imports

docs: $(VENV)/.installed-test ## build docs/ into docs/_build/html
	$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build/html
	@echo "Documentation: docs/_build/html/index.html"

pytest: $(VENV)/.installed-test ## the tests with coverage
	$(BIN)/python -m pytest -m "not e2e" --cov --cov-report=term

e2e: $(VENV)/.installed-test ## the long tests: whole fleets under load, and what befalls them
	$(BIN)/python -m pytest -m e2e

compat: $(VENV)/.installed-test ## published packages for Sanic, each in an environment that suits it
	$(BIN)/tox run -e pytest-sanic,extensions

compliance: $(VENV)/.installed-test ## Autobahn's judgement on websockets, and the examples in Chromium
	$(BIN)/python compliance/autobahn.py
	$(BIN)/python compliance/browser.py

tox: $(VENV)/.installed-test ## the tests on each Python that is installed
	$(BIN)/tox run $(if $(PYENV_PYTHONS),--discover $(PYENV_PYTHONS))

clean: ## remove the virtual environment and everything built
	rm -rf $(VENV) .tox .compliance build dist sanic.egg-info docs/_build .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "Sanic needs Python 3.10 or newer; $(PYTHON) is older or missing. Name another: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamps say that an installation is done and newer than what it was made from.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --editable '.[test,docs]'
	@touch $@ $(VENV)/.installed
