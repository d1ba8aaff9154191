# The project's verbs. Everything runs from .venv, made from the lock file.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test faults bench lock openapi clean

run: $(VENV)/.ready
	@exec $(BIN)/dtsen demo

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

test: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

lock: $(VENV)/.ready
	$(BIN)/uv pip compile --quiet --custom-compile-command "make lock" --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --group dev pyproject.toml -o requirements.lock
