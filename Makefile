# Each target works in a fresh clone on Debian or Ubuntu with Python 3.11 or newer; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup book serve notebooks links screenshot lint browser test test-quick test-colab test-versions mutants \
  seeds bench benchmark-optimizers clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PORT ?= 8000
# Chapters and tests compile the same programs many times: what XLA made once is kept (`make clean` forgets it).
export JAX_COMPILATION_CACHE_DIR := $(CURDIR)/_build/.jax
export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS := 0
export JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES := -1
# What the book and the tests compile runs only a few times: XLA spends a fifth of the time on it, for programs that are
# up to twice as slow. Benchmarks and Colab keep XLA's own settings.
QUICK_XLA := --xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true --xla_cpu_use_fusion_emitters=false
book test test-quick test-versions mutants seeds: export XLA_FLAGS := $(strip $(XLA_FLAGS) $(QUICK_XLA))
# Chapters and tests run in as many processes as there are cores, a file in one of them, in the order of tests/conftest.py.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
NBVAL := --nbval-lax --nbval-current-env --nbval-cell-timeout=180

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED)  ## install what the book and the tests need into .venv

$(INSTALLED): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "Ravine needs Python 3.11 or newer: install it (apt-get install python3 python3-venv), or name it: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@echo "Installing what the book and the tests need into $(VENV) (once, about two minutes)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.txt
	@touch $@

book: setup  ## build the book; say where it is
	@$(BIN)/python tools/book.py

serve: book  ## show the book at http://localhost:8000 (PORT=… for another)
	@$(BIN)/python -m http.server --directory _build/html $(PORT)

notebooks: setup  ## write the notebooks for Colab and Jupyter from the chapters
	@$(BIN)/python tools/twins.py

links: setup book  ## list the addresses outside that the book names, and what leads nowhere inside
	@$(BIN)/python tools/links.py

screenshot: setup browser book  ## take README's picture of the first page
	@$(BIN)/python tools/screenshot.py

lint: setup  ## check the code's style and types, the workflows, and that the notebooks are fresh
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/check-jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(BIN)/check-jsonschema -q --builtin-schema vendor.dependabot .github/dependabot.yml
	@$(BIN)/check-jsonschema -q --builtin-schema vendor.citation-file-format CITATION.cff
	@$(BIN)/python tools/twins.py --check

browser: setup  ## install Chromium for the browser tests, where there is none
	@$(BIN)/python tools/browser.py

test: setup browser lint book  ## run all tests: library, exercises, figures, notebooks, and the book in a browser
	@$(BIN)/python tools/solved.py
	$(PYTEST) tests _build/solved $(NBVAL)

test-quick: setup lint  ## run the tests for daily work: without browser, notebooks, book and what takes long (minutes)
	$(PYTEST) tests -m "not browser and not notebook and not book and not long"

test-colab: setup  ## install the library into an environment like Colab's, and run the notebooks there
	@$(BIN)/python tools/colab.py

test-versions: setup  ## run the library's tests with the oldest versions that it may have, and with the newest
	@$(BIN)/python tools/versions.py

mutants: setup  ## try the wrong versions of the library on its tests: each must be refused (minutes)
	@$(BIN)/python tools/mutants.py

seeds: setup  ## run the chapters with other random numbers: what they claim must not hang on a seed
	status=0; for seed in 1 2 3 4; do RAVINE_SEED=$$seed $(PYTEST) chapters $(NBVAL) || status=1; done; exit $$status

bench: setup browser book  ## measure what things cost, on an idle machine (half an hour)
	@echo "== performance"; PYTHONPATH=benchmarks $(BIN)/python -m performance
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

benchmark-optimizers: setup  ## compare the optimizers anew, for the table of chapter 9 (half an hour; it goes on where it was)
	@PYTHONPATH=benchmarks $(BIN)/python -m choosing

clean:  ## remove what was built, but not .venv
	rm -rf _build .pytest_cache .ruff_cache .mypy_cache .hypothesis
