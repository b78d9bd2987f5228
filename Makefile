# `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Prerequisites are checked before anything is installed, and that before anything is run.
.NOTPARALLEL:

python := .venv/bin/python
# Whichever there is: it only says what is missing.
any_python := $(shell command -v python3 || echo .venv/bin/python)
compile := .venv/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url

.PHONY: help demo demo-migration up test migration lint faults bench screenshot stage requirements clean prerequisites browser

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do printf '  make %-14s %s\n' "$$name" "$$text"; done

# make hands SHEET, SIZE, SEED and ROUNDS on in the environment, where no character of a path means anything to a shell.
demo: prerequisites .venv/installed ## load the sample sheets, or SHEET=/path/to/any.xlsx, through the whole system
	@$(python) -m local.demo $${SHEET:+--sheet "$$SHEET"}

demo-migration: prerequisites .venv/installed ## move the sample sheets from the older service to the job, one of them back and again
	@$(python) -m local.demo_migration

up: prerequisites .venv/installed ## start the whole system and leave it running until Ctrl-C
	@$(python) -m local.up

# One worker more than two cores: much of a test's time is waiting. A file has one worker, so that what it shares is made once.
# Thousands of processes begin: none of them compiles the sources again, wherever bytecode is switched off.
test: prerequisites browser .venv/installed ## run the whole test suite, end-to-end tests included
	@PYTHONDONTWRITEBYTECODE= $(python) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

migration: prerequisites .venv/installed ## take twenty configs from the older service to the job and back, and judge
	@$(python) -m pytest tests/migration

lint: .venv/installed ## check style, types, import contracts and shell scripts
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@.venv/bin/lint-imports
	@$(python) -m mypy
	@.venv/bin/shellcheck --external-sources --check-sourced --source-path=SCRIPTDIR deploy.sh deploy/image/runtime.sh local/install.sh .ci/run

faults: prerequisites .venv/installed ## hunt for broken promises: SEED=n repeats a seed, ROUNDS=k hunts on
	@$(python) -m tests.faults $${SEED:+--seed "$$SEED"} $${ROUNDS:+--rounds "$$ROUNDS"}

bench: .venv/installed ## measure the job beside the limit and the habitual way, dispatch beside a queue, and the console; SIZE=all adds the largest sheet
	@$(python) -m local.bench $${SIZE:+--size "$$SIZE"}
	@$(python) -m local.bench.dispatch
	@$(python) -m local.bench.console

screenshot: prerequisites browser .venv/installed ## take the README's picture of the console anew (docs/console.png)
	@$(python) -m local.screenshot

stage: ## assemble build/NAME for each function, as deployed
	@./deploy.sh stage

requirements: .venv/installed ## pin and hash requirements*.in into requirements*.txt
	@$(compile) requirements.in -o requirements.txt
	@$(compile) -c requirements.txt requirements-job.in -o requirements-job.txt
	@$(compile) requirements-dev.in -o requirements-dev.txt
	@$(compile) local/bench/requirements.in -o local/bench/requirements.txt

clean: ## remove what these commands made
	@rm -rf build .venv .venv-bench .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

prerequisites:
	@$(any_python) local/prerequisites.py

browser:
	@$(any_python) local/prerequisites.py --browser

.venv/installed: requirements-dev.txt local/install.sh
	@local/install.sh
