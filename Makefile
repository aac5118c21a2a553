# Everything runs in .venv. `make setup` is done by every target that needs it and costs seconds the second time.
SHELL := /bin/bash
PY := .venv/bin/python
JOBS ?= 2
PYTEST_ARGS ?=
export WHEELHOUSE

SECONDS ?= 60

.PHONY: help setup test test-full lint fuzz bench rivals docs migration requirements demo samples wheelhouse model clean

help:
	@echo "make setup | test | test-full | lint | fuzz | demo | samples | bench | rivals | docs | migration | requirements | wheelhouse | clean"

setup:
	@.ci/setup

test: setup
	$(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "not full" $(PYTEST_ARGS)

test-full: setup
	$(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	MYPYPATH=.venv/typing $(PY) -m mypy $$($(PY) tests/tools/rooms.py)
	$(PY) tests/tools/layers.py
	$(PY) tests/tools/lines.py

# SECONDS for all targets together; without atheris Hypothesis does what it can
fuzz: setup
	@$(PY) -c "import atheris" 2>/dev/null || $(PY) -m pip --disable-pip-version-check install --quiet --quiet \
		--only-binary :all: "$$(grep -oE 'atheris==[0-9.]+' pyproject.toml)" || true
	$(PY) tests/fuzz/run.py --seconds $(SECONDS)

bench: setup
	.venv/bin/jiyao bench
	.venv/bin/jiyao bench marks --quick

# two open watermarks, for `jiyao bench marks`: without what their packages ask for and the bench does not use
rivals: setup
	$(PY) -m pip --disable-pip-version-check install --quiet --no-deps \
		$$($(PY) -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['rivals'])")

docs: setup
	$(PY) tests/tools/docs.py --write

migration: setup
	$(PY) tests/tools/migration.py --write

requirements: setup
	$(PY) tests/tools/requirements.py $(ARGS)

demo: setup
	$(PY) -m jiyao.samples.demo

samples: setup
	$(PY) -m jiyao.samples

wheelhouse: setup
	$(PY) -m pip --disable-pip-version-check wheel --quiet --wheel-dir wheelhouse \
		$$($(PY) tests/tools/rooms.py --pins)
	@echo "wheelhouse/ is ready: on the other machine, make setup WHEELHOUSE=$(CURDIR)/wheelhouse"

# the small model of topics, made anew from samples/teach and the training half of the judged set
model: setup
	$(PY) -m jiyao.samples.teach

clean:
	rm -rf build dist demo-out fuzz-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
