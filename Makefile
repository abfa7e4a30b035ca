# Targets make .venv first where they need it. They need make and Python 3.11 or newer.
#
#   PYTHON=python3.12        the Python that makes .venv
#   TORCH_INDEX=URL          where pip finds torch (the CPU build is much smaller than the CUDA build)
#   AUDIO=recording.m4a      what `make demo` transcribes instead of samples/
#   MODEL=small              the model of `make demo` and `make serve`: a name, a folder or a file (docs/checkpoints.md)
#   DEV="a.jsonl b.jsonl"    the manifests that benchmarks read instead of samples/, where `make help` names DEV
#   BENCH=--quick            turns a benchmark into a smoke run
#   MINUTES=10              how long `make fuzz` goes on
#   VENV=.venv               where the environment lies

PYTHON ?= python3
TORCH_INDEX ?=
AUDIO ?=
MODEL ?=
DEV ?= samples/manifest.jsonl
BENCH ?=
MINUTES ?= 10
VENV ?= .venv
export PYTHON
unexport PYTHONDONTWRITEBYTECODE  # the many processes of the tests need not compile the sources again
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help install demo serve test test-slow fuzz check format proto clean
.PHONY: evaluate calibrate bench-engine bench-checkpoints bench-server bench-load bench-growth
.PHONY: bench-live bench-invariance bench-dtypes bench-cancellation bench-contention bench-hotwords

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 20

install: $(VENV)/installed ## install the command `auricle` into .venv

demo: $(VENV)/installed ## serve the bundled model (or MODEL=checkpoint), stream samples/ (or AUDIO=file) through it
	$(BIN)/auricle demo$(if $(MODEL), --model "$(MODEL)")$(if $(AUDIO), "$(AUDIO)")

serve: $(VENV)/installed ## run the server with the bundled model (or MODEL=checkpoint)
	$(BIN)/auricle serve$(if $(MODEL), --model "$(MODEL)")

test: $(VENV)/installed-dev ## run the quick tests
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile

test-slow: $(VENV)/installed-dev ## run the slow tests
	$(BIN)/python -m pytest -m slow

fuzz: $(VENV)/installed-dev ## try odd inputs for MINUTES=10; what fails stays in tests/fuzz/corpus
	$(BIN)/python -m tests.fuzz.fuzzing $(MINUTES)

check: $(VENV)/installed-dev ## check lint, format, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev ## fix lint and format where ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-engine: $(VENV)/installed-bench ## compare the engine with its peers
	$(BIN)/python -m benchmarks.engine $(BENCH)

bench-checkpoints: $(VENV)/installed-bench ## compare Whisper tiny.en and base, and Moonshine's shape, with their peers (DEV=manifests)
	$(BIN)/python -m benchmarks.real_checkpoint tiny.en $(DEV) $(BENCH)
	$(BIN)/python -m benchmarks.real_checkpoint base $(DEV) $(BENCH)
	$(BIN)/python -m benchmarks.moonshine $(BENCH)

bench-server: $(VENV)/installed ## compare the gRPC server with the engine in process
	$(BIN)/python -m benchmarks.server $(BENCH)

bench-load: $(VENV)/installed ## measure a server under load: highest rate, latencies, static batching
	$(BIN)/python -m benchmarks.load $(BENCH)

bench-growth: $(VENV)/installed-bench ## measure time and memory by length, concurrency and requests
	$(BIN)/python -m benchmarks.growth $(BENCH)

bench-invariance: $(VENV)/installed ## count answers that a batch changes, for each dtype
	$(BIN)/python -m benchmarks.invariance $(BENCH)

bench-live: $(VENV)/installed-bench ## measure captions of speech at speaking pace (DEV=manifests)
	$(BIN)/python -m benchmarks.live $(DEV) $(BENCH)

bench-dtypes: $(VENV)/installed-bench ## compare logits and tokens of each dtype (DEV=manifests)
	$(BIN)/python -m benchmarks.dtypes $(DEV) $(BENCH)

bench-hotwords: $(VENV)/installed ## count rare words that are found as hotwords (DEV=manifests, BENCH="--known MANIFEST")
	$(BIN)/python -m benchmarks.hotwords $(DEV) $(BENCH)
	$(BIN)/python -m benchmarks.report

evaluate: $(VENV)/installed-bench ## compare the bundled model with faster-whisper and openai-whisper: WER, speed, noise (DEV=manifests)
	$(BIN)/python -m benchmarks.accuracy $(DEV) $(BENCH)
	$(BIN)/python -m benchmarks.report

calibrate: $(VENV)/installed-bench ## fit and judge confidences (DEV=manifests, BENCH="--write CHECKPOINT")
	$(BIN)/python -m benchmarks.calibration $(DEV) $(BENCH)
	$(BIN)/python -m benchmarks.report

bench-contention: $(VENV)/installed ## measure the cost of other busy processes, by how threads wait
	$(BIN)/python -m benchmarks.contention $(BENCH)

bench-cancellation: $(VENV)/installed ## measure how soon cancelled work leaves the device
	$(BIN)/python -m benchmarks.cancellation $(BENCH)

proto: ## generate the stubs from speech.proto, with a pinned generator in its own environment
	scripts/generate_stubs.sh

clean: ## remove the environments and caches
	rm -rf $(VENV) .venv-proto .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1)' || \
	  { echo "Auricle needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(if $(TORCH_INDEX),$(PIP) --index-url "$(TORCH_INDEX)" torch torchaudio)
	$(PIP) --editable ".[http]"
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) --upgrade "pip>=25.1"  # the first that knows --group
	$(PIP) --group dev
	@touch $@

$(VENV)/installed-bench: $(VENV)/installed
	$(PIP) --editable ".[bench]"
	@touch $@
