# Everything a person does with this checkout. `make` alone lists the targets.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

ARGS ?=
# A process that writes no bytecode compiles every module it imports, and tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
# Bytecode is written when a module is first imported; compiling all of it would double the time.
LOCKED := install --require-hashes --only-binary=:all: --no-deps --no-compile
PYTHONS := python3.13 python3.12 python3.11 python3
IS_USABLE := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))

# An environment knows its folder by absolute path: after a move or a copy it has to be made again.
ifneq ($(shell test -x $(BIN)/python && cat $(VENV)/.checkout 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/.checkout
endif

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.base-stamp ## Make the environment: .venv/bin/ringfence runs this checkout

.PHONY: research
research: $(VENV)/.research-stamp ## Also install what sweeps and the compiled engine of backtests need

.PHONY: assistants
assistants: $(VENV)/.assistants-stamp ## Also install what ringfence mcp needs

.PHONY: run
run: $(VENV)/.base-stamp ## Trade on paper; flags in ARGS="..."
	@exec $(BIN)/ringfence trade $(ARGS)

.PHONY: check
check: $(VENV)/.dev-stamp ## Check format, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports --no-cache

# The cases of core and risk measure its branches; a tracer trebles the time of what it watches.
TRACED := $(addprefix tests/,unit/core unit/risk unit/calc unit/settings unit/strategy golden)

.PHONY: test
test: check ## Run check, every test with branch coverage of bot/core and bot/risk, and the simulation's gate
	@rm -f .coverage .coverage.json
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not bench and not rehearsal" \
		--cov=bot/core --cov=bot/risk --cov-branch $(TRACED:%=--traced=%) \
		--cov-report=term:skip-covered --cov-report=json:.coverage.json $(ARGS)
	@$(BIN)/python .ci/branches.py .coverage.json 95
	$(BIN)/python -m tests.simulation --gate test --jobs $(JOBS)

JOBS ?= 2
SEEDS ?= 50
SEED_BASE ?= 1
.PHONY: simulate
simulate: $(VENV)/.dev-stamp ## Simulate whole worlds with faults: SEEDS=50 SEED_BASE=1 JOBS=2
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) --seed-base $(SEED_BASE) --jobs $(JOBS) $(ARGS)

.PHONY: simulate-gate
simulate-gate: $(VENV)/.dev-stamp ## Simulate 20 seeds of each fault, 500 mixed, 100 twice and every crash
	$(BIN)/python -m tests.simulation --gate whole --jobs $(JOBS)

NIGHT_SEEDS ?= 1000
NIGHT ?= .simulated-night
.PHONY: simulate-nightly
simulate-nightly: $(VENV)/.dev-stamp ## Simulate every fault with 1,000 seeds, then plant bugs; goes on where it was stopped
	$(BIN)/python -m tests.simulation --night $(NIGHT) --seeds $(NIGHT_SEEDS) --seed-base $(SEED_BASE) \
		--jobs $(JOBS) $(ARGS)
	$(BIN)/python -m tests.kills --kills 200 --terms 50 --seed $(SEED_BASE) --folder $(NIGHT).kills
	$(BIN)/python -m tests.simulation --planted --jobs $(JOBS)

KILLS ?= 200
TERMS ?= 50
DIALECT ?= binance
.PHONY: kills
kills: $(VENV)/.dev-stamp ## End a trading bot by SIGKILL and SIGTERM: KILLS=200 TERMS=50 DIALECT=binance
	$(BIN)/python -m tests.kills --kills $(KILLS) --terms $(TERMS) --seed $(SEED_BASE) --dialect $(DIALECT) $(ARGS)

.PHONY: simulate-planted
simulate-planted: $(VENV)/.dev-stamp ## Plant bugs in the bot and see the simulation notice them: JOBS=2
	$(BIN)/python -m tests.simulation --planted --jobs $(JOBS) $(ARGS)

.PHONY: testnet-rehearsal
testnet-rehearsal: $(VENV)/.dev-stamp ## Trade over ccxt on the embedded exchange, with kills on both sides
	$(BIN)/python -m pytest -p no:xdist -v $(ARGS) tests/e2e/test_testnet_rehearsal.py

.PHONY: bench
bench: $(VENV)/.dev-stamp ## Measure speed
	$(BIN)/python -m pytest -p no:xdist -m bench --benchmark-enable $(ARGS) tests/bench

DURATION ?= 10m
.PHONY: bench-memory
bench-memory: $(VENV)/.base-stamp ## Watch the memory of paper trading for DURATION=10m
	$(BIN)/python tests/bench/memory.py --duration $(DURATION) $(ARGS)

.PHONY: format
format: $(VENV)/.dev-stamp ## Format and fix what can be fixed without thought
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# uv resolves for every supported Python at once and names no index in what it writes.
LOCKER := $(VENV)/locker
COMPILE := $(LOCKER)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate $(ARGS)

.PHONY: lock
lock: $(VENV)/.checkout ## Resolve the requirements again; ARGS="--upgrade" for newer versions
	$(BIN)/python -m venv --clear $(LOCKER)
	$(LOCKER)/bin/pip --quiet --disable-pip-version-check --no-input install "uv>=0.13"
	$(COMPILE) pyproject.toml --output-file requirements/base.lock
	$(COMPILE) --group pyproject.toml:build --output-file requirements/build.lock
	$(COMPILE) pyproject.toml --extra backtest --extra sweep --output-file requirements/research.lock
	$(COMPILE) pyproject.toml --extra assistants --constraint requirements/base.lock \
		--output-file requirements/assistants.lock
	$(COMPILE) pyproject.toml --group dev --override requirements/overrides.txt --output-file requirements/dev.lock
	rm -rf $(LOCKER)

.PHONY: vendor
vendor: $(VENV)/.checkout ## Fetch the scripts of the web pages anew, with licence, version and hash
	$(BIN)/python .ci/vendor_js.py

.PHONY: sbom
sbom: $(VENV)/.checkout ## Write what the lock holds as CycloneDX JSON to dist/ringfence.cdx.json
	$(BIN)/python .ci/sbom.py dist/ringfence.cdx.json

.PHONY: clean
clean: ## Remove the environment and every cache; databases stay
	rm -rf $(VENV) .hypothesis .ruff_cache .pytest_cache .import_linter_cache .benchmarks dist
	rm -f .coverage .coverage.*
	find bot strategies tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.checkout:
	@for python in $(PYTHONS); do \
		if $$python -c "$(IS_USABLE)" >/dev/null 2>&1; then \
			echo "Making $(VENV) with $$($$python --version)"; \
			$$python -m venv --clear $(VENV) && printf '%s\n' '$(CURDIR)' > $@ && exit; \
		fi; \
	done; \
	echo "No usable Python: tried $(PYTHONS)." >&2; \
	echo "Ringfence needs Python 3.11 to 3.14 with the venv module." >&2; \
	echo "Install one (Debian and Ubuntu: python3 and python3-venv) and run make again." >&2; \
	exit 1

$(VENV)/.base-stamp: $(VENV)/.checkout requirements/base.lock requirements/build.lock pyproject.toml
	@echo "Installing the locked requirements"
	@$(PIP) $(LOCKED) -r requirements/base.lock -r requirements/build.lock
	@$(PIP) install --no-deps --no-build-isolation --no-compile --editable .
	@touch $@

$(VENV)/.dev-stamp: $(VENV)/.base-stamp requirements/dev.lock
	@echo "Installing the locked development requirements"
	@$(PIP) $(LOCKED) -r requirements/dev.lock
	@touch $@

$(VENV)/.assistants-stamp: $(VENV)/.base-stamp requirements/assistants.lock
	@echo "Installing the locked requirements of assistants"
	@$(PIP) $(LOCKED) -r requirements/assistants.lock
	@touch $@

$(VENV)/.research-stamp: $(VENV)/.base-stamp requirements/research.lock
	@echo "Installing the locked requirements of research"
	@$(PIP) $(LOCKED) -r requirements/research.lock
	@touch $@
