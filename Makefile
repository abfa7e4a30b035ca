# Targets that need .venv make it first where it is missing. Needed: make and Python 3.11 or newer.
#
#   PYTHON=python3.12        the Python that .venv is made with
#   TORCH_INDEX=URL          where pip finds torch (the CPU build is much smaller than the CUDA one)
#   AUDIO=recording.m4a      what `make demo` transcribes instead of samples/
#   MODEL=small              the model that `make demo` and `make serve` take instead of the bundled one: a name,
#                            a folder or a file (docs/checkpoints.md)
#   DEV="a.jsonl b.jsonl"    the manifests that `make evaluate`, `calibrate`, `trials`, `bench-checkpoints` and
#                            `bench-dtypes` read instead of samples/
#   BENCH=--quick            makes a bench target, or `make evaluate`, `calibrate` or `trials`, a smoke run
#   VENV=.venv               where the environment lies

PYTHON ?= python3
TORCH_INDEX ?=
AUDIO ?=
MODEL ?=
DEV ?= samples/manifest.jsonl
BENCH ?=
VENV ?= .venv
export PYTHON
unexport PYTHONDONTWRITEBYTECODE  # the many processes of the tests need not compile the sources again
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help install demo serve test test-slow check format proto clean
.PHONY: evaluate trials calibrate bench-engine bench-checkpoints bench-server bench-load bench-growth
.PHONY: bench-invariance bench-dtypes bench-cancellation bench-contention

help: ## these lines
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

install: $(VENV)/installed ## the command `auricle` into .venv

demo: $(VENV)/installed ## serve the bundled model (or MODEL=checkpoint), stream samples/ (or AUDIO=file) through it
	$(BIN)/auricle demo$(if $(MODEL), --model "$(MODEL)")$(if $(AUDIO), "$(AUDIO)")

serve: $(VENV)/installed ## the gRPC server with the bundled model (or MODEL=checkpoint)
	$(BIN)/auricle serve$(if $(MODEL), --model "$(MODEL)")

test: $(VENV)/installed-dev ## the quick tests
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

test-slow: $(VENV)/installed-dev ## the slow tests
	$(BIN)/python -m pytest -m slow

check: $(VENV)/installed-dev ## lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev ## rewrite the sources in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-engine: $(VENV)/installed-bench ## Auricle's engine beside its peers
	$(BIN)/python -m benchmarks.engine $(BENCH)

bench-checkpoints: $(VENV)/installed-bench ## Whisper tiny.en and base, and Moonshine's shape, beside their peers (DEV=manifests)
	$(BIN)/python -m benchmarks.real_checkpoint tiny.en $(DEV) $(BENCH)
	$(BIN)/python -m benchmarks.real_checkpoint base $(DEV) $(BENCH)
	$(BIN)/python -m benchmarks.moonshine $(BENCH)

bench-server: $(VENV)/installed ## the gRPC server beside the engine in process
	$(BIN)/python -m benchmarks.server $(BENCH)

bench-load: $(VENV)/installed ## a server under load: where it is full, latencies, static batching
	$(BIN)/python -m benchmarks.load $(BENCH)

bench-growth: $(VENV)/installed-bench ## time and memory against length, concurrency and requests
	$(BIN)/python -m benchmarks.growth $(BENCH)

bench-invariance: $(VENV)/installed ## how often company changes an answer, for each dtype
	$(BIN)/python -m benchmarks.invariance $(BENCH)

bench-dtypes: $(VENV)/installed-bench ## how far each dtype moves logits and tokens (DEV=manifests)
	$(BIN)/python -m benchmarks.dtypes $(DEV) $(BENCH)

evaluate: $(VENV)/installed-bench ## the bundled model beside faster-whisper and openai-whisper: WER, speed, noise (DEV=manifests)
	$(BIN)/python -m benchmarks.accuracy $(DEV) $(BENCH)
	$(BIN)/python -m benchmarks.report

trials: $(VENV)/installed-bench ## what changes to a recipe do, hours of training (DEV=manifests, BENCH="--only base")
	$(BIN)/python -m benchmarks.trials recipes/trial.toml $(DEV) $(BENCH)
	$(BIN)/python -m benchmarks.report

calibrate: $(VENV)/installed-bench ## how far confidences can be believed (DEV=manifests, BENCH="--write CHECKPOINT")
	$(BIN)/python -m benchmarks.calibration $(DEV) $(BENCH)
	$(BIN)/python -m benchmarks.report

bench-contention: $(VENV)/installed ## what other busy processes cost, by how threads wait
	$(BIN)/python -m benchmarks.contention $(BENCH)

bench-cancellation: $(VENV)/installed ## how soon cancelled work is off the device
	$(BIN)/python -m benchmarks.cancellation $(BENCH)

proto: ## the stubs from speech.proto, with a pinned generator in its own environment
	scripts/generate_stubs.sh

clean: ## remove the environments and caches
	rm -rf $(VENV) .venv-proto .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1)' || \
	  { echo "Auricle needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(if $(TORCH_INDEX),$(PIP) --index-url "$(TORCH_INDEX)" torch torchaudio)
	$(PIP) --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) --upgrade "pip>=25.1"  # the first that knows --group
	$(PIP) --group dev
	@touch $@

$(VENV)/installed-bench: $(VENV)/installed
	$(PIP) --editable ".[bench]"
	@touch $@
