# Two commands matter: `make demo` shows a live market, `make test` runs every test.
# Each sets up .venv by itself, with uv where there is one, else with Python's own venv and pip.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
RUN    := $(VENV)/.run
DEV    := $(VENV)/.dev
BENCH  := $(VENV)/.bench
FUZZ   := $(VENV)/.fuzz

.DEFAULT_GOAL := help
.PHONY: help demo test centrifugo lint format bench fuzz clean soak

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUN) ## the monitor on the embedded exchange simulator
	@$(BIN)/cadenza-tui demo

test: $(DEV) ## every test
	@$(BIN)/python -m pytest -n $(or $(WORKERS),3) --dist worksteal

centrifugo: ## build the real server that the conformance tests want, once; needs Go
	@.ci/centrifugo

lint: $(DEV) ## ruff, mypy --strict and the import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(DEV) ## bring the code into its form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(BENCH) ## every benchmark, one JSON line each
	@for script in benchmarks/*.py; do case $$script in */_*) ;; *) $(BIN)/python $$script ;; esac; done

fuzz: $(FUZZ) ## look for inputs that break a decoder, SECONDS=300 in all
	@$(BIN)/python -m tests.fuzz.run --seconds $(or $(SECONDS),300)

soak: $(DEV) ## a fast market and a fault every few seconds, MINUTES=10 SEED=1 REPORT=soak-report.json
	@$(BIN)/python -W error -m tests.soak --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1) \
	  --report $(or $(REPORT),soak-report.json)

clean: ## remove the environment and every cache
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .fuzz .import_linter_cache

$(BIN)/python:
	@if command -v uv >/dev/null 2>&1; then uv venv -q --python '>=3.11' $(VENV); else \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "cadenza-tui needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }; \
	  $(PYTHON) -m venv $(VENV) \
	    || { echo "Python cannot make a virtual environment here; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --upgrade 'pip>=25.1'; \
	fi

define install
	@if command -v uv >/dev/null 2>&1; then uv pip install -q --python $(BIN)/python $(1); \
	  else $(BIN)/python -m pip install -q --disable-pip-version-check $(1); fi
	@touch $@
endef

$(RUN): pyproject.toml | $(BIN)/python
	$(call install,-e .)

$(DEV): pyproject.toml | $(BIN)/python
	$(call install,-e . --group dev)
	@touch $(RUN)

$(FUZZ): pyproject.toml | $(BIN)/python
	$(call install,-e . --group fuzz)
	@touch $(RUN)

$(BENCH): pyproject.toml | $(BIN)/python
	$(call install,-e . --group bench)
	@touch $(RUN)
