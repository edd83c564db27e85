# Tasks for contributors. `make help` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup test slow lint format types docs ci dev

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## an environment in .venv with the pinned versions
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e '.[test]'

test: ## the default tests (minutes)
	$(BIN)/python -m pytest -q -n 3

slow: ## the slow tests: servers, daemons, whole seasons
	$(BIN)/python -m pytest -q -n 3 -m slow

lint: ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: ## ruff, and writes what it finds
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: ## mypy
	$(BIN)/mypy

docs: ## documents that are generated from the code
	$(BIN)/python -m nba_pipeline.cli.docs > docs/cli.md
	$(BIN)/python -m nba_pipeline.tables.render.markdown > docs/tables.md
	$(BIN)/python docs/draw_architecture.py docs/index.md

ci: ## what CI does: a fresh environment, all tests, definitions, lint, types
	.ci/run

dev: ## Dagster's UI on http://127.0.0.1:3000, with this folder as DAGSTER_HOME
	DAGSTER_HOME=$(CURDIR) $(BIN)/dg dev --host 127.0.0.1
