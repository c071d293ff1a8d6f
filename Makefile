# Every command of the project. `make help` lists them; each installs what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
UV_VERSION := 0.9.2
DEVCLUSTER := $(PYTHON) devcluster

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

$(VENV)/ready: requirements/dev.txt pyproject.toml
	@tools/python-env $(VENV)
	@touch $@

.PHONY: env
env: $(VENV)/ready ## Install the locked development environment into .venv

.PHONY: check
check: env ## Lint, types, imports, generated files and unit tests (under 90 s)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/modelward crd --check
	$(PYTHON) -m pytest -q tests/unit --cov --cov-report=term:skip-covered --cov-fail-under=0

.PHONY: cluster
cluster: env ## Bring up the one-node Kubernetes with the project's images
	$(DEVCLUSTER) up
	$(DEVCLUSTER) build-images

.PHONY: cluster-down
cluster-down: env ## Stop the one-node Kubernetes and leave nothing behind
	$(DEVCLUSTER) down

.PHONY: test
test: check ## All tests, those on a real Kubernetes included
	$(DEVCLUSTER) tools
	$(MAKE) cluster
	$(PYTHON) -m pytest tests/chart tests/cluster --durations=15
	$(DEVCLUSTER) down

.PHONY: demo
demo: env ## The banking bot: from nothing to health with evidence and scaling, in minutes
	$(PYTHON) examples/banking/demo up

.PHONY: demo-down
demo-down: env ## Remove the demo and its cluster
	$(PYTHON) examples/banking/demo down
