# Needs python3 (3.11 or newer, with venv) and make; everything else is set up in .venv.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help demo test lint docs bench clean


help:  ## Say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: $(READY)  ## Colorize the sample film
	@mkdir -p demo
	$(BIN)/c2e-video samples/film.mp4 --ref samples/references.csv -o demo/film.color.mp4 -y
	@echo "The colour film is demo/film.color.mp4; the gray one is samples/film.mp4."

test: lint  ## Check everything
	OMP_NUM_THREADS=1 $(BIN)/pytest -n logical

lint: $(READY)  ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

docs: $(READY)  ## Build the documentation as a site, strictly
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "The site is site/index.html."

bench: $(READY)  ## Measure this machine
	$(BIN)/python -m benchmarks.speed --growth --json bench.json

clean:  ## Remove what make made
	rm -rf .venv demo site bench.json build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "c2e-video needs Python 3.11 or newer, $(PYTHON) is older: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { echo "$(PYTHON) has no venv: install it (Debian: apt install python3-venv)" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
