# Two commands do everything on a fresh machine with Python 3.10 to 3.13:
#   make demo    own virtual environment, install, bundled MRI -> surfaces, scene, report, picture
#   make test    the same environment, the whole test suite
# Besides: make check (lint and types), make format, make benchmark (rendering; BENCHMARK_ARGS="-k pelvis" for a part),
# make tables (engines and options in the README, definitions in Docs/measures.md, from what the code declares),
# make publish (the branch `publish`: the last commit's files as one commit without history, for the public repository).
# Another interpreter: make demo PYTHON=python3.12. Further options for pip: make demo PIP_ARGS="..."

PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
OUT ?= demo
BENCHMARK_ARGS ?=

ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PIP := $(BIN)/python -m pip install --constraint constraints.txt $(PIP_ARGS)
LIBRARY := MRI2MeshExtension/mri2mesh

.PHONY: help demo test benchmark check format tables publish clean
help:
	@sed -n 's/^#   //p' Makefile

demo: $(VENV)/.installed
	$(BIN)/mri2mesh demo --out $(OUT)

test: $(VENV)/.installed-tools
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --durations=10

benchmark: $(VENV)/.installed-tools
	$(PIP) --editable ".[benchmark]"
	$(BIN)/python -m pytest Testing/benchmarks --override-ini="python_files=bench_*.py" \
		--override-ini="python_functions=bench_*" --benchmark-sort=mean \
		--benchmark-columns=min,median,mean,rounds $(BENCHMARK_ARGS)

check: $(VENV)/.installed-tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed-tools
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

tables: $(VENV)/.installed
	$(BIN)/python -m mri2mesh.commands.option_tables --write README.md
	$(BIN)/python -m mri2mesh.commands.measure_tables --write Docs/measures.md

# The Extensions Index clones the repository with its history and wants less than 100 MB: so one commit, without parents.
publish:
	@git diff --quiet HEAD || { echo "there are changes that are not committed: commit them first"; exit 1; }
	git branch --force publish "$$(git commit-tree 'HEAD^{tree}' -m "MRI2Mesh $$(sed -n 's/^__version__ = "\(.*\)"/\1/p' $(LIBRARY)/__init__.py)")"
	@echo "Push it with: git push --force REMOTE publish:main"

clean:
	rm -rf build dist $(LIBRARY).egg-info .pytest_cache .ruff_cache .mypy_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 10) <= v < (3, 14) else "Python 3.10 to 3.13 is needed, this is %d.%d: run make with PYTHON=python3.12, for instance" % v)'
	$(PYTHON) -m venv $(VENV)

# torch first: what it resolves to decides the rest.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) torch
	$(PIP) --editable ".[scene,fast]"
	@touch $@

$(VENV)/.installed-tools: $(VENV)/.installed
	$(PIP) --editable ".[scene,fast,test,dev]"
	@touch $@
