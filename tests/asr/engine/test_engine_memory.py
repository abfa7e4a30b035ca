"""When memory is wanting, smaller batches are tried; who is too large alone is told so."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass

import pytest
import torch

from auricle.engine import Engine
from auricle.engine.request import Job
from auricle.hypothesis import Hypothesis
from auricle_types.errors import AuricleError, InferenceError
from auricle_types.options import EngineConfig
from tests.asr.engine.fakes import (
    PATIENCE,
    Clock,
    FakeRunner,
    assert_nothing_is_lost,
    heard,
    occupy,
    request,
    words,
)


@dataclass
class Small(FakeRunner):
    """Has memory for so many encoder frames at once, and for so many jobs in a step."""

    memory_frames: int = 10_000
    memory_jobs: int = 10_000
    error: type[Exception] = MemoryError

    def join(self, jobs: Sequence[Job]) -> float:
        padding_ratio = super().join(jobs)
        if sum(job.cost.frames for job in jobs) > self.memory_frames:
            for job in jobs:
                self.leave(job)
            raise self.error("CUDA out of memory. Tried to allocate 1.00 GiB.")
        return padding_ratio

    def step(self) -> list[tuple[Job, Hypothesis | AuricleError]]:
        if len(self.running) > self.memory_jobs:
            self.steps.append(len(self.running))
            raise self.error("CUDA out of memory. Tried to allocate 1.00 GiB.")
        return super().step()


Start = Callable[[Small], Engine]


@pytest.fixture
def start() -> Iterator[Start]:
    engines: list[tuple[Engine, Small]] = []

    def start(runner: Small) -> Engine:
        config = EngineConfig(slots=runner.slots, max_encode_seconds=1_000.0)
        engine = Engine(runner, config, clock=Clock())
        engines.append((engine, runner))
        return engine

    yield start
    for engine, runner in engines:
        assert_nothing_is_lost(engine, runner)


@pytest.mark.parametrize("error", [MemoryError, torch.OutOfMemoryError, RuntimeError])
def test_a_batch_too_large_is_halved_until_it_fits(start: Start, error: type[Exception]) -> None:
    runner = Small(slots=40, memory_frames=130, error=error)  # five seconds of it
    engine = start(runner)
    first = occupy(engine, runner)
    futures = [engine.submit(request(n / 100)) for n in range(20)]
    runner.allow()
    assert [words(future) for future in futures] == [heard(request(n / 100)) for n in range(20)]
    assert words(first) == heard(request(0.001))
    assert runner.joins == [1, 20, 10, 5, 5, 10, 5, 5]


def test_who_is_too_large_alone_is_told_what_to_do(start: Start) -> None:
    runner = Small(slots=40, memory_frames=130)
    engine = start(runner)
    occupy(engine, runner)
    seconds = [1.0, 2.0, 6.0, 1.0, 7.0, 0.5]
    futures = [engine.submit(request(0.3, length)) for length in seconds]
    runner.allow()
    for length, future in zip(seconds, futures, strict=True):
        if length > 5.2:
            with pytest.raises(InferenceError, match=r"even alone: send shorter pieces"):
                future.result(PATIENCE)
        else:
            assert words(future) == heard(request(0.3, length))


def test_a_step_without_memory_is_taken_by_each_alone(start: Start) -> None:
    runner = Small(slots=40, memory_jobs=3)
    engine = start(runner)
    occupy(engine, runner)
    futures = [engine.submit(request(n / 100, steps=2)) for n in range(6)]
    runner.allow()
    outcomes = [future.result(PATIENCE) for future in futures]
    assert [outcome.hypothesis for outcome in outcomes] == [
        heard(request(n / 100)) for n in range(6)
    ]
    assert {outcome.receipt.batch_size for outcome in outcomes} == {1}  # of the second attempt
    assert runner.steps == [1, 6, *[1] * 12]


def test_a_step_without_memory_even_alone_is_an_error(start: Start) -> None:
    runner = Small(memory_jobs=0)
    engine = start(runner)
    futures = [engine.submit(request()) for _ in range(3)]
    assert not wait(futures, PATIENCE).not_done
    assert all("even alone" in str(future.exception()) for future in futures)
    assert engine.statistics().failed == 3
