"""Tries inputs in a child process that has limits of memory and time, and keeps what fails.

    python -m tests.fuzz.fuzzing MINUTES [TARGET ...]

A target is a module of this folder with `seeds() -> list[bytes]`, `new(seeds, random) -> bytes`,
which makes an input, and `attempt(data)`, which gives it to the code. `attempt` may return or raise
one of its `EXPECTED`: anything else, a crash, or too much time or memory is a finding. A finding is
a file of `corpus/TARGET`, which the quick run tries again for ever.
"""

import contextlib
import faulthandler
import gc
import hashlib
import importlib
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any, NamedTuple

TARGETS = ("containers", "manifests", "toml_files", "messages", "checkpoints")
CORPUS = Path(__file__).parent / "corpus"
INPUT_SECONDS = 20  # generous: others may be at work on the machine
MEMORY_MIB = 768  # beyond what the imported libraries and the seeds take
_SLICE_SECONDS = 20
_WHOLE_SECONDS = 600


class Run(NamedTuple):
    """How many `inputs` of a target are tried at most, for how many `seconds` at most."""

    target: str
    seed: int
    inputs: int
    seconds: float


class Outcome(NamedTuple):
    """What a child did; `found` are the files of its findings, `log` says what went wrong."""

    tried: int
    found: list[Path]
    log: str


def fuzz(runs: list[Run], findings: Path) -> Outcome:
    """Try inputs in a child, the corpus first, and write what fails below `findings`."""
    findings.mkdir(parents=True, exist_ok=True)
    before = set(findings.rglob("*.bin"))
    with tempfile.TemporaryDirectory() as folder:
        arguments = [f"{run.target},{run.seed},{run.inputs},{run.seconds}" for run in runs]
        command = [sys.executable, "-m", "tests.fuzz.fuzzing", "--child", folder, str(findings)]
        done = subprocess.run(
            [*command, *arguments],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "TMPDIR": folder, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_WHOLE_SECONDS,
            check=False,
        )
        now = Path(folder) / "now"
        if done.returncode < 0 and now.exists():
            target, _, data = now.read_bytes().partition(b"\n")
            _keep(findings, target.decode(), data)
    found = sorted(set(findings.rglob("*.bin")) - before)
    tried = sum(int(line.split()[1]) for line in done.stdout.splitlines() if line[:6] == "tried ")
    log = done.stderr[-8_000:] + (f"\nended by {done.returncode}" if done.returncode else "")
    return Outcome(tried, found, log if done.returncode else "")


def corpus(target: str) -> list[bytes]:
    """Return all inputs that a target once failed on."""
    return [path.read_bytes() for path in sorted((CORPUS / target).glob("*.bin"))]


def _keep(findings: Path, target: str, data: bytes) -> Path:
    path = findings / target / f"{hashlib.sha256(data).hexdigest()[:12]}.bin"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


# --- in the child ------------------------------------------------------------------------------


class _Child:
    def __init__(self, folder: Path, findings: Path) -> None:
        self._now = folder / "now"
        self._findings = findings
        self._known: set[tuple[object, ...]] = set()  # a place in the code is reported once

    def run(self, run: Run) -> None:
        target: Any = importlib.import_module(f"tests.fuzz.{run.target}")
        chance, until = random.Random(run.seed), time.monotonic() + run.seconds
        seeds, old = target.seeds(), corpus(run.target)
        tried = len(seeds) + len(old)
        for data in seeds:
            self._attempt(target, run.target, data)
        _limit_memory()  # what the libraries keep for ever is there by now
        for data in old:
            self._attempt(target, run.target, data)
        for _ in range(run.inputs):
            self._attempt(target, run.target, target.new(seeds, chance))
            tried += 1
            if time.monotonic() > until:
                break
        print("tried", tried, run.target, flush=True)  # noqa: T201

    def _attempt(self, target: Any, name: str, data: bytes) -> None:  # noqa: ANN401
        self._now.write_bytes(name.encode() + b"\n" + data)
        signal.setitimer(signal.ITIMER_REAL, INPUT_SECONDS)  # ends the process
        try:
            target.attempt(data)
        except target.EXPECTED:
            pass
        except BaseException as error:  # noqa: BLE001
            self._report(name, data, error)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _report(self, name: str, data: bytes, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [each for each in frames if "/auricle" in each.filename] or frames
        place = (name, type(error), ours[-1].filename, ours[-1].lineno)
        if place in self._known:
            return
        self._known.add(place)
        path = _keep(self._findings, name, data)
        text = "".join(traceback.format_exception(error, limit=-8))[-3_000:]
        print(f"{path}:\n{text}", file=sys.stderr, flush=True)  # noqa: T201

    @property
    def failed(self) -> bool:
        return bool(self._known)


def _limit_memory() -> None:
    """Let the data of this process grow by `MEMORY_MIB` from what it is."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    most = pages * resource.getpagesize() + (MEMORY_MIB << 20)
    resource.setrlimit(resource.RLIMIT_DATA, (most, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _child(folder: str, findings: str, runs: list[str]) -> None:
    faulthandler.enable()
    faulthandler.register(signal.SIGALRM, chain=True)
    child = _Child(Path(folder), Path(findings))
    for run in runs:
        target, seed, inputs, seconds = run.split(",")
        child.run(Run(target, int(seed), int(inputs), float(seconds)))
    sys.stdout.flush()
    os._exit(1 if child.failed else 0)


# --- for as long as somebody wants -------------------------------------------------------------


def _main(minutes: float, targets: list[str]) -> int:
    """Give each target its turn until the time is over; the findings go into the corpus."""
    end, seed, found = time.monotonic() + 60 * minutes, random.SystemRandom().randrange(1 << 32), 0
    while time.monotonic() < end:
        for target in targets:
            start = time.monotonic()
            outcome = fuzz([Run(target, seed, 1 << 60, min(_SLICE_SECONDS, end - start))], CORPUS)
            spent, found = time.monotonic() - start, found + len(outcome.found)
            said = f"{target}, seed {seed}: {outcome.tried} inputs in {spent:.0f} s"
            print(said, *map(str, outcome.found), outcome.log, sep="\n  ", flush=True)  # noqa: T201
        seed += 1
    return min(found, 1)


if __name__ == "__main__":
    if sys.argv[1] == "--child":
        _child(sys.argv[2], sys.argv[3], sys.argv[4:])
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(_main(float(sys.argv[1]), sys.argv[2:] or list(TARGETS)))
