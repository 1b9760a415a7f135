# Everything starts from a clean clone: each target sets up what it needs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
IMAGE_ROOT ?= /var/tmp/reid-pipeline-image
HOLDOUT ?= ../shared/data/market1501

ADVISORIES := api.osv.dev

.PHONY: help demo install lint audit type test docs wheel bounds image licences release bench soak fuzz weights clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

install: $(INSTALLED) ## create .venv with the package and everything for development

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: install ## run the pipeline on sample_videos/ and say where the result lies
	$(BIN)/python scripts/demo.py

lint: install ## style, formatting, and what may be unsafe
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit -q -c pyproject.toml -r pipeline reid_model

audit: install ## published advisories of what is installed; skipped where they cannot be reached
	@if $(BIN)/python -c 'import socket; socket.create_connection(("$(ADVISORIES)", 443), 5)' 2>/dev/null; \
	then $(BIN)/pip-audit --vulnerability-service osv --skip-editable --progress-spinner off; \
	else echo "audit skipped: $(ADVISORIES), which keeps the advisories, cannot be reached"; fi

type: install ## static types, strict
	$(BIN)/mypy

test: install ## all tests; PYTEST_FLAGS=--strict-skips fails where one cannot run
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist worksteal $(PYTEST_FLAGS)

docs: install ## the documentation as a site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "open site/index.html; with its search: $(BIN)/python -m http.server -d site"

wheel: install ## build the light wheel; install it elsewhere and work with it there
	$(BIN)/python scripts/check_wheel.py

bounds: install ## the lowest versions that pyproject.toml allows; BOUNDS='--python python3.13 --newest'
	$(BIN)/python scripts/check_bounds.py $(BOUNDS)

image: install ## the steps of the image in a fresh Debian, and a live run in it; as root, 500 MB
	PYTHON=$(BIN)/python scripts/check_image.sh $(IMAGE_ROOT)

licences: install ## licences of packages, models and data; fails where one is not known
	$(BIN)/python scripts/check_licences.py

release: install ## everything that has to hold before a release, and its files in dist/
	$(BIN)/python scripts/release.py

bench: install ## speed of the pipeline beside its parts and beside a baseline
	$(BIN)/python scripts/benchmark.py
	$(BIN)/python scripts/benchmark_networks.py

soak: install ## half an hour of live cameras that fail at random; what leaks, what is lost
	$(BIN)/python scripts/soak.py

fuzz: install ## damaged input for every parser, FUZZ_SECONDS=600 by default
	$(BIN)/python scripts/fuzz.py

weights: install ## calibrate CHECKPOINT=runs/distill/best.safetensors and make it the package's, in int8 too
	$(BIN)/reid-pipeline calibrate $(HOLDOUT)/images --identities $(HOLDOUT)/validation_ids.json \
	  --weights $(CHECKPOINT) --store
	$(BIN)/reid-model publish $(CHECKPOINT) --calibrate-on $(HOLDOUT)/images \
	  --data configs/sets/pku_reid.yaml --data configs/sets/market1501.yaml

clean: ## remove everything that was generated
	rm -rf $(VENV) build dist runs site .pytest_cache .mypy_cache .ruff_cache *.egg-info
