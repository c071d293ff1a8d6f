# Every command of the project. `make help` lists them; each installs what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
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
check: env ## Lint, types, imports, generated files and unit tests
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy & types=$$!; \
	$(VENV)/bin/lint-imports >/dev/null || { $(VENV)/bin/lint-imports; exit 1; }; \
	$(VENV)/bin/modelward crd --check; \
	$(PYTHON) docs/generate-metrics --check; \
	$(PYTHON) docs/generate-reasons --check; \
	test -f $${MODELWARD_MINILM:-$$HOME/.cache/modelward/minilm}/encoder.onnx || $(VENV)/bin/modelward evaluators prepare; \
	$(PYTHON) -m pytest -q -n 2 tests/unit --cov --cov-report=; \
	$(VENV)/bin/coverage report --fail-under=90 --skip-covered; \
	wait $$types

.PHONY: cluster
cluster: env ## Bring up the one-node Kubernetes with the project's images
	$(DEVCLUSTER) up
	$(DEVCLUSTER) build-images

.PHONY: cluster-down
cluster-down: env ## Stop the one-node Kubernetes and leave nothing behind
	$(DEVCLUSTER) down

.PHONY: test
test: env ## All tests, those on a real Kubernetes included; a cluster that was up stays up
	$(PYTHON) tools/suites $(if $(CI),--ci)

.PHONY: ci-budget
ci-budget: env ## What continuous integration runs, failing where a suite is slower than its budget
	MODELWARD_BUDGET=1 .ci/run

.PHONY: faults-full
faults-full: env ## The long forms of the fault tests: soaks, long hangs, 300 endpoints (an hour and three quarters)
	$(DEVCLUSTER) tools
	MODELWARD_FULL=1 $(PYTHON) -m pytest tests/faults --timeout=2400 --durations=20
	MODELWARD_FULL=1 $(PYTHON) -m pytest tests/cluster/e2e/test_serving_e2e.py tests/cluster/e2e/test_zzz_without_us_e2e.py --durations=20

.PHONY: judges-full
judges-full: env ## Judges with both real models on a real cluster: readouts, kappa, flips; an evaluator's image by podman (an hour)
	command -v podman >/dev/null || apt-get install --yes --no-install-recommends podman
	$(DEVCLUSTER) up
	$(DEVCLUSTER) build-images
	$(DEVCLUSTER) build-images judge
	MODELWARD_FULL=1 $(PYTHON) -m pytest tests/cluster/e2e/test_judges_e2e.py tests/cluster/e2e/test_containers_e2e.py tests/cluster/e2e/test_evaluator_readme_e2e.py tests/cluster/e2e/test_isolation_e2e.py -s --timeout=10000 --durations=10

.PHONY: lighthouse
lighthouse: env ## Lighthouse over each page of the console, on a desk and on a phone (ten minutes; takes Node and Lighthouse from PyPI and npm)
	$(DEVCLUSTER) tools
	$(PYTHON) bench/console/lighthouse.py --out bench/console/lighthouse.json

.PHONY: demo
demo: env ## The banking bot: from nothing to health with evidence and scaling, in minutes
	$(PYTHON) examples/banking/demo up

.PHONY: demo-down
demo-down: env ## Remove the demo and its cluster
	$(PYTHON) examples/banking/demo down
