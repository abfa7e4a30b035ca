"""How many seconds of audio a recogniser reads in a second, on one core and on more."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from auricle.config import SAMPLE_RATE, EngineConfig
from auricle.recognizer import Recognizer
from benchmarks.conditions import Samples

FIRST = 4  # utterances before the clock starts: the first ones are slower


def speeds(model: str, waveforms: Sequence[Samples], most: int) -> dict[str, float]:
    """On one core, on `most`, and on as many with a process for each.

    Greedy, 16 utterances at a time in each process, voice activity included.
    """
    found = {"1 core": _speed(model, waveforms, 1)}
    if most > 1:
        found[f"{most} cores"] = _speed(model, waveforms, most)
        found[f"{most} cores, a process each"] = _speed(model, waveforms, most, processes=most)
    return found


def _speed(model: str, waveforms: Sequence[Samples], count: int, *, processes: int = 1) -> float:
    engine = EngineConfig(processes=processes)
    with cores(count), Recognizer.from_pretrained(model, engine=engine) as recognizer:
        recognizer.transcribe([*waveforms[:FIRST]] * processes)
        started = time.perf_counter()
        recognizer.transcribe(list(waveforms))
        seconds = time.perf_counter() - started
    return round(sum(map(len, waveforms)) / SAMPLE_RATE / seconds, 1)


@contextmanager
def cores(count: int) -> Iterator[None]:
    """As many cores and torch threads, for this thread and those that it starts.

    Where the system cannot bind threads to cores, torch's threads alone are bounded.
    """
    threads = torch.get_num_threads()
    bound = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    torch.set_num_threads(count)
    if bound:
        os.sched_setaffinity(0, sorted(bound)[:count])
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if bound:
            os.sched_setaffinity(0, bound)
