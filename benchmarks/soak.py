"""Whether memory levels off with the bundled model: python -m benchmarks.soak.

Three rounds of 300 requests of 3 s to 40 s, made of the samples, from eight callers; the memory
of the process after each, and after ten seconds without work.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np
import numpy.typing as npt

from auricle.config import SAMPLE_RATE
from auricle.recognizer import Recognizer
from benchmarks.command import benchmark_options, use_threads
from benchmarks.memory import peak, reset_peak, resident
from benchmarks.recordings import speech
from benchmarks.results import Result, table

Samples = npt.NDArray[np.float32]
LENGTHS = (3.0, 5.0, 8.0, 15.0, 28.0, 40.0)  # seconds
CALLERS = 8
ROUNDS = 3
IDLE_SECONDS = 10.0  # in which the engine returns what it freed


@click.command(help=__doc__)
@benchmark_options
def main(quick: bool, threads: int, output: Path | None) -> None:
    """Run the rounds, print their memory and write the result."""
    use_threads(threads)
    recordings = tapes(len(LENGTHS) if quick else 300)
    idle = 0.0 if quick else IDLE_SECONDS
    result = Result("soak", quick, threads)
    with Recognizer.from_pretrained() as recognizer:
        rows = [{"round": 0.0, **_memory(idle)}]
        for number in range(1, ROUNDS + 1):
            reset_peak()
            with ThreadPoolExecutor(CALLERS) as callers:
                list(callers.map(recognizer.transcribe, recordings))
            rows.append({"round": float(number), **_memory(idle)})
    print(table(list(rows[0]), [list(row.values()) for row in rows]))
    result.write({"requests": len(recordings), "rounds": rows}, output)


def tapes(count: int) -> list[Samples]:
    """So many recordings of mixed lengths."""
    whole = np.concatenate(speech(8))
    return [
        np.resize(np.roll(whole, 997 * index), round(LENGTHS[index % len(LENGTHS)] * SAMPLE_RATE))
        for index in range(count)
    ]


def _memory(idle: float) -> dict[str, float]:
    """MiB at most, at the end, and after `idle` seconds without work."""
    most, end = peak(), resident()
    time.sleep(idle)
    return {"peak_mib": round(most), "end_mib": round(end), "idle_mib": round(resident())}


if __name__ == "__main__":
    main()
