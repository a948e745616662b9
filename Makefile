# Everything a newcomer needs: make run, make test. Nothing else has to be installed by hand.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
HOME_DIR ?= var
WORKERS ?= 3
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.PHONY: run test lint bench demo lock clean
.DEFAULT_GOAL := run

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name it with: make PYTHON=python3.12 run"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.created requirements/runtime.txt pyproject.toml
	$(INSTALL) -r requirements/runtime.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	$(INSTALL) -r requirements/dev.txt
	@touch $@

## run: look at this machine (observing only), write signed evidence under var/, verify it
run: $(VENV)/.runtime
	@test -e $(HOME_DIR)/reconciler.yaml || $(BIN)/reconciler init $(HOME_DIR)
	@$(BIN)/reconciler run --once --config $(HOME_DIR)/reconciler.yaml; code=$$?; \
	  case $$code in 0|1|3) ;; *) exit $$code;; esac
	@$(BIN)/reconciler verify $(HOME_DIR)/evidence/example-clinic.git \
	  --signers $(HOME_DIR)/trust/evidence_signers
	@echo
	@echo "Where to look next:"
	@echo "  $(BIN)/reconciler explain RULE --config $(HOME_DIR)/reconciler.yaml     why, since when, which evidence"
	@echo "  git -C $(HOME_DIR)/evidence/example-clinic.git log --show-signature example-clinic/workstation"
	@echo "  $(HOME_DIR)/fleet                                  the desired state that was trusted"

## test: the whole suite; rigs that this machine lacks are skipped, or fail where CI says so
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

## lint: format, style, types, layers
lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

## bench: side by side with what people use today, as ratios
bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

## demo: boot a systemd guest, break it, heal it, show the evidence (root)
demo: $(VENV)/.dev
	$(BIN)/python ci/demo.py

## lock: pin every dependency with hashes
lock: $(VENV)/.dev
	$(COMPILE) --extra appliance --extra gate --extra journal -o requirements/runtime.txt pyproject.toml requirements/build.in
	$(COMPILE) --extra appliance --extra gate --extra sigstore --extra anchors -o requirements/ci.txt pyproject.toml requirements/build.in
	$(COMPILE) --all-extras -o requirements/dev.txt pyproject.toml requirements/build.in requirements/dev.in

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
