# The project's verbs. Everything runs from .venv, made from the lock file.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Processes that share the tests; each starts the servers that its own tests need.
WORKERS ?= 2

.PHONY: run run-tls test types suite faults bench bench-reference bench-large lock openapi fix

run: $(VENV)/.ready
	@exec $(BIN)/dtsen demo

run-tls: $(VENV)/.ready
	@exec $(BIN)/dtsen demo --tls

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes --requirement requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

test: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory --jobs=2 types suite

types: $(VENV)/.ready
	$(BIN)/mypy

suite: $(VENV)/.ready
	$(BIN)/pytest --numprocesses=$(WORKERS) --max-worker-restart=0

faults: $(VENV)/.ready
	$(BIN)/pytest --campaign=full -m campaign

bench: $(VENV)/.ready
	$(BIN)/python -m bench
	$(BIN)/python -m bench.search

bench-reference: $(VENV)/.ready
	$(BIN)/python -m bench.reference

bench-large: $(VENV)/.ready
	$(BIN)/python -m bench --people 10000000 --rounds 20

fix: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: $(VENV)/.ready
	$(BIN)/dtsen openapi --out openapi.yaml

lock: $(VENV)/.ready
	$(BIN)/uv pip compile --quiet --custom-compile-command "make lock" --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --group dev pyproject.toml --output-file requirements.lock
