# Needs make and Python 3.11 or newer. Every target that needs the environment makes it first, in .venv or $BYOLLM_ENV.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := $(if $(BYOLLM_ENV),$(BYOLLM_ENV),.venv)
RUN := $(VENV)/bin/python
SCALE ?= 1
export BYOLLM_ENV

help:  ## this list
	@echo "byollm: what make can do (the environment is made when it is needed)"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1@\2/p' $(MAKEFILE_LIST) | while IFS=@ read -r target words; do printf '%-21s %s\n' "$$target" "$$words"; done

environment:  ## the development environment, pinned and hashed
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
		if $$python -c 'from __future__ import annotations' 2>/dev/null; then exec $$python tools/environment.py; fi; \
	done; echo "make needs Python 3.11 or newer on PATH, or make PYTHON=/path/to/python" >&2; exit 1

demo: environment  ## the main job on the sandbox, no key needed; DATA=folder for your texts, LIVE=1 for your keys
	@$(VENV)/bin/byollm demo $(if $(DATA),--data "$(DATA)") $(if $(filter-out 0,$(LIVE)),--live)

test: environment  ## every test that needs nothing but Python packages; at most 10 minutes
	@$(RUN) -m tools.lanes test

test-servers: environment  ## against real servers that are installed or built here
	@$(RUN) -m tools.lanes test-servers

conform: environment  ## our own plugins under the conformance suite
	@$(RUN) -m tools.lanes conform

soak: environment  ## the long figures; SCALE=0.05 for a twentieth of the full size
	@$(RUN) -m tools.lanes soak --scale $(SCALE)

check: environment  ## ruff and mypy --strict
	@$(RUN) -m tools.check

zoo: environment  ## the broken plugins that the conformance suite must find, and by which check
	@$(RUN) -m byollm_conformance.zoo

bench: environment  ## the speed table, beside the official SDKs
	@$(RUN) tests/benchmarks/run.py

peers: environment  ## the wire scenarios on other libraries, each in its own environment
	@$(RUN) tests/peers/run.py

lock: environment  ## pin requirements-dev.txt anew (needs uv); UPGRADE=1 for the newest versions
	@$(RUN) -m tools.lock $(if $(filter-out 0,$(UPGRADE)),--upgrade)

clean:  ## remove caches and what was built; the environment stays
	@rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find core plugins contrib conformance tests tools -type d -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help environment demo test test-servers conform zoo soak check bench peers lock clean
