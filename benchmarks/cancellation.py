"""How soon cancelled work is off the device: python -m benchmarks.cancellation.

Requests that never END keep the decoder of a random Whisper-tiny busy; at random times one of them
is cancelled. The clock runs from `future.cancel()` until the runner has let go of the row, and is
held against how long a step takes.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from auricle.config import SAMPLE_RATE, TransformerConfig
from auricle.engine import Engine, ModelRunner, Request
from auricle.engine.devices import prepare, resolve_dtype
from auricle.engine.execution import Done
from auricle.engine.request import Job
from auricle.threads import in_own_thread
from auricle_types.options import EngineConfig
from benchmarks.command import benchmark_options, use_threads
from benchmarks.results import Result, table
from benchmarks.workload import ATTENTION, SMOKE, WHISPER_TINY, talker

CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    dims: TransformerConfig = WHISPER_TINY
    requests: int = 32  # in the decoder at once
    cancelled: int = 24  # of them
    rounds: int = 8
    seconds: float = 10.0  # of audio each


SMOKE_PLAN = Plan(SMOKE, requests=4, cancelled=3, rounds=2, seconds=2.0)


class Watch:
    """Counts who came, notes when rows left and how long steps took."""

    def __init__(self) -> None:
        self.joined = 0
        self.steps: list[float] = []
        self._left: dict[int, float] = {}  # by the id of the request
        self._changed = threading.Condition()

    def came(self, jobs: int) -> None:
        """So many are in the decoder now."""
        with self._changed:
            self.joined += jobs
            self._changed.notify_all()

    def went(self, request: Request) -> None:
        """It is off the device."""
        with self._changed:
            self._left[id(request)] = time.perf_counter()
            self._changed.notify_all()

    def wait_for(self, joined: int) -> None:
        """Until so many have come."""
        with self._changed:
            self._changed.wait_for(lambda: self.joined >= joined)

    def left(self, request: Request) -> float:
        """The time at which it went; waits for it."""
        with self._changed:
            self._changed.wait_for(lambda: id(request) in self._left)
            return self._left[id(request)]


class WatchedRunner(ModelRunner):
    """The runner as it is, with a watch."""

    watch: Watch

    def join(self, jobs: Sequence[Job]) -> float:
        """Count the requests that joined."""
        padding_ratio = super().join(jobs)
        self.watch.came(len(jobs))
        return padding_ratio

    def step(self) -> Done:
        """Takes a step and its time."""
        started = time.perf_counter()
        done = super().step()
        self.watch.steps.append(time.perf_counter() - started)
        return done

    def leave(self, job: Job) -> None:
        """Notes when it left."""
        super().leave(job)
        self.watch.went(job.request)


def measure(plan: Plan) -> dict[str, Any]:
    """Fill the decoder, cancel most of it one by one; again."""
    dtype = resolve_dtype("auto", CPU)
    random = np.random.default_rng(0)
    model = in_own_thread(lambda: prepare(talker(plan.dims).model, CPU, dtype))
    config = EngineConfig(slots=plan.requests)
    delays: list[float] = []
    steps: list[float] = []
    for _ in range(plan.rounds):
        runner = in_own_thread(lambda: WatchedRunner(model, CPU, dtype, config=config))
        runner.watch = Watch()
        delays += _delays(runner, plan, random)
        steps += runner.watch.steps[1:]  # the first one is slower
    return _figures(delays, steps)


def _delays(runner: WatchedRunner, plan: Plan, random: np.random.Generator) -> list[float]:
    """Seconds that each of those who are cancelled stays."""
    engine, watch = Engine(runner, EngineConfig(slots=plan.requests)), runner.watch
    length = round(plan.seconds * SAMPLE_RATE)
    samples = (0.1 * random.standard_normal((plan.requests, length))).astype(np.float32)
    requests = [Request(each, ATTENTION) for each in samples]
    futures = [engine.submit(request) for request in requests]
    watch.wait_for(plan.requests)
    delays = []
    for request, future in list(zip(requests, futures, strict=True))[: plan.cancelled]:
        time.sleep(float(random.exponential(0.05)))
        asked = time.perf_counter()
        if future.cancel():
            delays.append(watch.left(request) - asked)
    engine.close(drain=False)
    return delays


def _figures(delays: Sequence[float], steps: Sequence[float]) -> dict[str, Any]:
    milliseconds = {"cancel to free": delays, "one step": steps}
    return {
        name.replace(" ", "_"): {
            f"p{rank}_ms": round(1000 * float(np.percentile(values, rank)), 2)
            for rank in (50, 95, 99)
        }
        for name, values in milliseconds.items()
    }


@click.command(help=__doc__)
@benchmark_options
def main(quick: bool, threads: int, output: Path | None) -> None:
    """Run the benchmark, print its table, write its result."""
    use_threads(threads)
    plan = SMOKE_PLAN if quick else Plan()
    result = Result("cancellation", quick, threads)
    figures = measure(plan)
    print(table(("", "p50, ms", "p95, ms", "p99, ms"), rows(figures)))
    result.write(
        {"cancelled": plan.rounds * plan.cancelled, "running": plan.requests, **figures}, output
    )


def rows(figures: dict[str, Any]) -> list[tuple[object, ...]]:
    """The rows of the table."""
    names = ("cancel_to_free", "one_step")
    return [(name.replace("_", " "), *figures[name].values()) for name in names]


if __name__ == "__main__":
    main()
