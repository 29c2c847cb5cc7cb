# Everything a person or CI does with this repository. Each target sets up what it needs.
SHELL := /bin/bash
BUILD ?= build
SANITIZED ?= $(BUILD)/sanitized
PYTHON := /usr/bin/python3
export BUILD SANITIZED PYTHON

.PHONY: all build sanitized test test-long bench demo docs format lint clean

all: build

build:
	@scripts/build.sh product

sanitized:
	@scripts/build.sh sanitized all

test:
	@scripts/build.sh product tests
	@scripts/build.sh sanitized
	@$(PYTHON) scripts/run_tests.py

test-long:
	@scripts/build.sh separate
	@scripts/build.sh threads
	@scripts/build.sh product all-tests
	@scripts/build.sh sanitized all
	@$(PYTHON) scripts/run_tests.py --long

bench:
	@scripts/build.sh product bench
	@status=0; for part in run load_run postgres_run change_run oracle_change_run plan_run; do \
	  $(PYTHON) bench/$$part.py || status=1; done; exit $$status

# SOURCE=postgres: ongoing replication from one PostgreSQL to another.
demo: build
	@scripts/demo$(if $(filter postgres,$(SOURCE)),_postgres).sh

docs:
	@$(PYTHON) scripts/list_errors.py

format:
	@scripts/install_packages.sh lint
	@scripts/format.sh

lint:
	@scripts/install_packages.sh lint
	@scripts/format.sh --check
	@$(PYTHON) scripts/check_layers.py
	@$(PYTHON) scripts/list_errors.py --check

clean:
	rm -rf $(BUILD)
