"""What other busy processes cost, by how OpenMP's threads wait: python -m benchmarks.contention.

A process of its own transcribes the samples with each way to wait, in turns, beside none, one and
two processes that do nothing but compute.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import click

from benchmarks.command import benchmark_options
from benchmarks.results import Result, table

BUSY = (0, 1, 2)
WAYS: dict[str, Mapping[str, str]] = {  # as libgomp reads them
    "spinning, OpenMP's default": {"GOMP_SPINCOUNT": "300000"},
    "spinning for some 20 µs": {"GOMP_SPINCOUNT": "10000"},
    "asleep, Auricle's default": {"OMP_WAIT_POLICY": "PASSIVE"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
_VARIABLES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
_COMPUTE = "while True: sum(range(1000))"
_TRANSCRIBE = """
import sys, time
from auricle import Recognizer
from benchmarks.recordings import seconds, speech

model, count = sys.argv[1], int(sys.argv[2])
waveforms = speech(count)
with Recognizer.from_pretrained(model) as recognizer:
    recognizer.transcribe(waveforms[:2])
    begun = time.perf_counter()
    recognizer.transcribe(waveforms)
    print(seconds(waveforms) / (time.perf_counter() - begun))
"""


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds of audio in a second."""

    way: str
    busy: int  # processes beside it
    speed: float


@contextmanager
def computing(count: int) -> Iterator[None]:
    """So many processes that leave no core idle."""
    with ExitStack() as stack:
        for _ in range(count):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", _COMPUTE]))
            stack.callback(process.kill)
        yield


def transcribed(way: str, threads: int, model: str, count: int) -> float:
    """Seconds of audio in a second."""
    environment = {k: v for k, v in os.environ.items() if k not in _VARIABLES}
    environment |= {"OMP_NUM_THREADS": str(threads), **WAYS[way]}
    command = [sys.executable, "-c", _TRANSCRIBE, model, str(count)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def speeds(threads: int, rounds: int, model: str, count: int) -> Iterator[Speed]:
    """Medians over the rounds, in which the ways take turns."""
    for busy in BUSY:
        with computing(busy):
            found = [
                {way: transcribed(way, threads, model, count) for way in WAYS}
                for _ in range(rounds)
            ]
        for way in WAYS:
            yield Speed(way, busy, round(median(each[way] for each in found), 2))


@click.command(help=__doc__)
@click.option("--model", default="bundled", help="A checkpoint, as for `auricle transcribe`.")
@benchmark_options
def main(model: str, quick: bool, threads: int, output: Path | None) -> None:
    """Compares the ways to wait."""
    result = Result("contention", quick, threads)
    found = list(speeds(threads, 1 if quick else 2, model, 2 if quick else 16))
    figures: dict[str, Any] = {"model": Path(model).name, "speeds": [asdict(one) for one in found]}
    head = ("Threads wait", "Busy processes", "Audio s/s")
    print(table(head, [tuple(each.values()) for each in figures["speeds"]]))
    result.write(figures, output)


if __name__ == "__main__":
    main()
