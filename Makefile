# Tapedeck. `make run` and `make test` set up everything they need by themselves, from Python >= 3.11, make and git alone.
# Each set of tools has an environment of its own under .venvs/, made again only when its requirements or the interpreter changed.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --jobs=3

PORT ?= 8080

# The first interpreter that runs, is of a version we support, and can make an environment. `make PYTHON=… test` overrides.
ifndef PYTHON
PYTHON := $(shell for it in python3 python3.13 python3.12 python3.11 python3.14; do \
	"$$it" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null \
	&& command -v "$$it" && break; done)
endif
VERSION := $(if $(PYTHON),$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'))
PROCESSOR := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)

TOOLS := .venvs/dev/.installed-$(VERSION)
DEV := .venvs/dev/.tapedeck-$(VERSION)
SAM := .venvs/sam/.installed-$(VERSION)
MINISTACK := .venvs/ministack/.installed-$(VERSION)
UV := .venvs/uv/.installed-$(VERSION)

# `sam build` looks for python$(VERSION) on PATH, and the layer's Makefile for $(PYTHON); that make is none of this one's children.
sam = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL PATH="$(CURDIR)/.venvs/sam/bin:$$PATH" PYTHON="$(CURDIR)/.venvs/sam/bin/python" SAM_CLI_TELEMETRY=0 .venvs/sam/bin/sam

.PHONY: help
help:  ## what can be said to make
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/\1\t\2/' | while IFS=$$'\t' read -r name what; do \
		printf '  make %-14s %s\n' "$$name" "$$what"; done

.PHONY: run
run: $(DEV) $(SAM) $(MINISTACK)  ## start Tapedeck on this machine (PORT=8080) with a demo recording; Ctrl-C stops it, data stay
	@exec .venvs/dev/bin/tapedeck dev --port $(PORT)

.PHONY: test
test: $(DEV)  ## every test but those in a browser, on every processor (ARGS='-k merging' passes options on; -n0 for a debugger)
	@.venvs/dev/bin/python -m pytest -q -n auto --maxprocesses=8 --dist=worksteal --ignore=tests/e2e $(ARGS)

.PHONY: lint
lint: $(DEV)  ## ruff: rules and formatting of imports
	@.venvs/dev/bin/ruff check .

.PHONY: types
types: $(DEV)  ## mypy --strict
	@.venvs/dev/bin/mypy

.PHONY: validate
validate: $(SAM)  ## SAM's and CloudFormation's own rules on template.yaml
	@export AWS_DEFAULT_REGION=us-east-1; $(sam) validate --lint

.PHONY: build
build: $(SAM)  ## `sam build` for this machine's interpreter and processor into .aws-sam/build, precompiled
	@export TAPEDECK_PLATFORM=local; $(sam) build --config-env local --cache-dir .aws-sam/cache/python$(VERSION)-$(PROCESSOR) \
		--parameter-overrides Runtime=python$(VERSION) Architecture=$(PROCESSOR) Stage=local
	@for it in $$(ls -d .aws-sam/build/*/ | grep -v 'Layer/$$'); do .venvs/sam/bin/python -m compileall -q --invalidation-mode unchecked-hash \
		-s "$${it%/}" -p /var/task "$${it%/}" || exit 1; done

.PHONY: bench
bench: $(DEV) build  ## the numbers, each beside what it is compared with
	@.venvs/dev/bin/python -m bench

.PHONY: bench-search
bench-search: $(DEV)  ## the numbers of searches alone, hot and in blocks, beside ClickHouse and DuckDB (fetches 900 MB once; ARGS=1_000_000)
	@.venvs/dev/bin/python -m bench search $(ARGS)

.PHONY: openapi
openapi: $(DEV)  ## write the OpenAPI document anew, from routes, docstrings and models
	@.venvs/dev/bin/python -m tapedeck_cli.openapi

.PHONY: e2e
e2e: $(DEV) $(SAM) $(MINISTACK)  ## an unmodified Sentry SDK in a headless browser, against the whole stack
	@.venvs/dev/bin/python -m pytest -q tests/e2e $(ARGS)

.PHONY: local-invoke
local-invoke:  ## one function in Lambda's own container: FUNCTION=GetHealthFunction EVENT=events/system/get_health.json
	@if ! docker info >/dev/null 2>&1 && ! podman info >/dev/null 2>&1 && ! finch info >/dev/null 2>&1; then \
		echo "local-invoke: no container engine answers here (docker, podman or finch); 'make run' needs none"; \
	else $(MAKE) build && $(sam) local invoke $(or $(FUNCTION),GetHealthFunction) --template .aws-sam/build/template.yaml \
		--event $(or $(EVENT),events/system/get_health.json) \
		--parameter-overrides Runtime=python$(VERSION) Architecture=$(PROCESSOR) Stage=local; fi

.PHONY: clean
clean:  ## forget what was built; environments (.venvs) and local data (.tapedeck) stay
	@rm -rf .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info cli/*.egg-info
	@find layers functions cli tests bench -type d -name __pycache__ -prune -exec rm -rf {} +

.PHONY: requirements
requirements: $(UV)  ## pin again what requirements/*.in and the layer ask for; UPGRADE=1 takes the newest
	@for it in layers/tapedeck/requirements requirements/dev requirements/bench requirements/bench-search requirements/sam requirements/ministack; do \
		echo "$$it.txt"; cp -p $$it.txt $$it.before; .venvs/uv/bin/uv pip compile -q --no-config --system-certs --generate-hashes --universal \
		--python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade) $$it.in -o $$it.txt \
		|| { mv $$it.before $$it.txt; exit 1; }; \
		if cmp -s $$it.before $$it.txt; then mv $$it.before $$it.txt; else rm $$it.before; fi; done  # nothing new: no environment is made again
	@! grep -nE '://|--(extra-)?index-url|--find-links' requirements/*.txt layers/tapedeck/requirements.txt

# --- environments -----------------------------------------------------------------------------------------------------------------

# Only a recipe that came to its end touches its stamp: a failure or Ctrl-C elsewhere must not take it away again.
.PRECIOUS: $(TOOLS) $(DEV) $(SAM) $(MINISTACK) $(UV)

# pip tells a line for each package; people get one for each quarter of them, with the name of the environment, as three are made at once.
define environment
	@$(if $(PYTHON),,echo "tapedeck needs Python 3.11, 3.12, 3.13 or 3.14 with its venv module (on Debian: apt-get install python3-venv); none was found on PATH" >&2; exit 1)
	@echo "setting up .venvs/$(1) (Python $(VERSION)): once, a minute or so"
	@rm -rf .venvs/$(1) && $(PYTHON) -m venv .venvs/$(1)
	@set -o pipefail; all=$$(grep -c == requirements/$(1).txt); n=0; SECONDS=0; \
	.venvs/$(1)/bin/python -m pip install --progress-bar off --disable-pip-version-check --root-user-action=ignore --no-deps --require-hashes \
		-r requirements/$(1).txt | while read -r it; do case "$$it" in \
			Collecting*) n=$$((n + 1)); [ $$((n * 4 / all)) -eq $$(((n - 1) * 4 / all)) ] || echo "  .venvs/$(1): fetched $$n of $$all packages";; \
			"Successfully installed"*) echo "  .venvs/$(1): ready ($$SECONDS s)";; esac; done
endef

$(SAM): requirements/sam.txt
	$(call environment,sam)
	@touch $@

$(MINISTACK): requirements/ministack.txt
	$(call environment,ministack)
	@touch $@

$(TOOLS): requirements/dev.txt
	$(call environment,dev)
	@touch $@

# The `tapedeck` command, which runs from this tree: a change of pyproject.toml alone costs a second.
$(DEV): pyproject.toml $(TOOLS)
	@.venvs/dev/bin/python -m pip install -qq --disable-pip-version-check --root-user-action=ignore --no-deps --no-build-isolation --editable .
	@touch $@

$(UV): requirements/uv.txt
	$(call environment,uv)
	@touch $@
