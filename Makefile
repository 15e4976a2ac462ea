# What one does here. Every target that needs the environment makes it first; that is quick once it stands.
PYTHON := .venv/bin/python
CODE := $(wildcard function_app.py responders shared infra tests)
COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(PYTHON) -m piptools compile --quiet --strip-extras --no-header --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help setup demo start test replay soak bench package lint lint-catalog generate doctor cost lock

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile

setup: ## .venv and node_modules, from the lock files
	@sh infra/local/setup.sh

demo: setup ## two incidents, from the alert to the proven rollback and its evidence, in this terminal
	@$(PYTHON) -m infra.local.demo

start: setup ## the whole local world, until Ctrl-C
	@$(PYTHON) -m infra.local.start

# Hundreds of processes start the same modules: what one compiled is kept for the others, whatever the shell says.
test: setup ## all tests
	@PYTHONDONTWRITEBYTECODE= $(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

replay: setup ## one simulated run as a timeline: SEED=7, or SEED=act:7 for the write protocol alone
	@$(PYTHON) -m tests.simulation.replay $(SEED) $(if $(ALL),--all)

soak: setup ## every battery TIMES times (100), then KILLS (200) kill -9; hours; RESUME=1 goes on
	@$(PYTHON) -m tests.soak $(if $(TIMES),--times $(TIMES)) $(if $(KILLS),--kills $(KILLS)) $(if $(RESUME),--resume)

bench: setup ## the figures of the README, measured here
	@$(PYTHON) -m infra.local.bench

package: setup ## one zip an app in .local/package, as it runs in Azure
	@$(PYTHON) -m infra.package $(APP)

lint: setup ## style, types, who may import whom, and the catalog
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy $(CODE)
	@.venv/bin/lint-imports --no-cache
	@$(PYTHON) -m infra.lint_catalog

lint-catalog: setup ## what is to be mended in the services' files, by file and line; CATALOG=FOLDER for others
	@$(PYTHON) -m infra.lint_catalog $(CATALOG)

generate: setup ## what the deployment reads, from the catalog: alert rules, workbook
	@$(PYTHON) -m infra.generate

doctor: setup ## whether Backstop could act now, in Azure or in the local world, and what to do where not
	@$(PYTHON) -m infra.doctor

cost: setup ## what a month costs for 1, 10, 50 and 500 services
	@$(PYTHON) -m infra.cost

lock: setup ## compile requirements*.txt from requirements*.in
	$(COMPILE) --output-file requirements.txt requirements.in
	$(COMPILE) --constraint requirements.txt --output-file requirements-responder.txt requirements-responder.in
	$(COMPILE) --constraint requirements.txt --output-file requirements-executor.txt requirements-executor.in
	$(COMPILE) --constraint requirements.txt --output-file requirements-dev.txt requirements-dev.in
