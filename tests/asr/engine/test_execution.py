"""Running jobs on a runner that fails, without the engine's threads around it."""

import gc
import logging
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from auricle.engine.execution import Execution
from auricle.engine.prediction import Prediction
from auricle.engine.request import Job
from auricle.engine.statistics import Ledger
from auricle.hypothesis import Hypothesis
from auricle_types.errors import AuricleError, InferenceError
from tests.asr.engine.fakes import NOT_FINITE, POISON, VENOM, Clock, FakeRunner, heard, request

SLOTS = 16


def job(runner: FakeRunner, level: float, *, steps: int = 1, beam: int = 1) -> Job:
    wanted = request(level, steps=steps, beam=beam)
    return Job(wanted, 0.0, runner.check(wanted))


@dataclass
class Bench:
    """An execution and all that it works with."""

    runner: FakeRunner
    prediction: Prediction = field(default_factory=lambda: Prediction(SLOTS))
    ledger: Ledger = field(default_factory=Ledger)

    def __post_init__(self) -> None:
        assert self.runner.clock is not None
        self.runner.allow()
        self.execution = Execution(
            self.runner, SLOTS, self.runner.clock, prediction=self.prediction, ledger=self.ledger
        )

    def jobs(self, *levels: float) -> list[Job]:
        return [job(self.runner, level) for level in levels]


@pytest.fixture
def bench() -> Bench:
    return Bench(FakeRunner(slots=SLOTS, clock=Clock()))


def test_without_jobs_nothing_happens(bench: Bench) -> None:
    assert bench.execution.join([]) == []
    assert bench.execution.step([]) == ([], [])
    assert (bench.runner.joins, bench.runner.steps) == ([], [])
    assert bench.ledger.total.encode_seconds == 0.0


def test_jobs_are_encoded_and_decoded(bench: Bench) -> None:
    jobs = [job(bench.runner, 0.1, steps=2), job(bench.runner, 0.2, beam=3)]
    assert bench.execution.join(jobs) == []
    assert [one.phase for one in jobs] == ["decoding"] * 2
    assert [one.encoded - one.started for one in jobs] == [2.0, 2.0]
    assert bench.execution.step(jobs) == ([(jobs[1], heard(jobs[1].request))], [])
    assert bench.execution.step(jobs[:1]) == ([(jobs[0], heard(jobs[0].request))], [])
    assert [(one.steps, one.companions) for one in jobs] == [(2, 3), (1, 2)]
    total = bench.ledger.total
    assert (total.steps, total.rows, total.slots) == (2, 5, 2 * SLOTS)
    assert (total.frames, total.audio_seconds) == (50, 2.0)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_who_is_to_blame_at_encoding_is_named(bench: Bench, count: int) -> None:
    jobs = bench.jobs(*[0.5] * count)
    jobs[count // 2] = job(bench.runner, POISON)
    ((blamed, error),) = bench.execution.join(jobs)
    assert blamed is jobs[count // 2]
    assert isinstance(error, InferenceError)
    assert list(bench.runner.running) == [one for one in jobs if one is not blamed]
    assert {one.phase for one in bench.runner.running} <= {"decoding"}
    assert blamed.phase == "waiting"


def test_the_time_of_failed_attempts_counts_but_teaches_nothing(bench: Bench) -> None:
    for _ in range(5):
        bench.execution.join(bench.jobs(POISON))
    assert bench.ledger.total.encode_seconds == 10.0
    assert bench.ledger.total.frames == 0
    for one in (job(bench.runner, 0.1) for _ in range(3)):
        bench.execution.join([one])
        bench.execution.step([one])
    alone = bench.prediction.seconds([], job(bench.runner, 0.1))
    assert alone == pytest.approx(2.5)  # two seconds and a step


def test_a_failing_step_has_suspects_and_leaves_the_runner_empty(bench: Bench) -> None:
    jobs = bench.jobs(0.1, VENOM, 0.2)
    bench.execution.join(jobs)
    assert bench.execution.step(jobs) == ([], jobs)
    assert bench.runner.running == {}
    assert bench.ledger.total.steps == 0


def test_a_single_suspect_is_to_blame(bench: Bench) -> None:
    jobs = bench.jobs(VENOM)
    bench.execution.join(jobs)
    ((blamed, error),), suspects = bench.execution.step(jobs)
    assert (blamed, suspects) == (jobs[0], [])
    assert isinstance(error, InferenceError)
    assert bench.runner.running == {}


def test_what_failed_teaches_nothing_about_the_length_of_answers(bench: Bench) -> None:
    for _ in range(5):
        jobs = bench.jobs(NOT_FINITE)
        bench.execution.join(jobs)
        bench.execution.step(jobs)
    assert bench.prediction.seconds([], jobs[0]) is None


def test_forgetting_takes_only_what_has_joined_and_survives_a_runner_that_cannot(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    waiting, running = bench.jobs(0.1, 0.2)
    bench.execution.join([running])
    bench.execution.forget(waiting)
    bench.execution.forget(running)
    assert bench.runner.running == {}
    assert caplog.records == []
    bench.execution.forget(running)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


class Tensor:
    """Stands for what a batch takes."""


@dataclass
class Full(FakeRunner):
    """Has memory for one batch at a time: fails when anything holds on to the one before."""

    before: weakref.ref[Tensor] | None = None
    largest: int = 2  # jobs in a batch

    def use_memory(self, jobs: int) -> None:
        gc.collect()
        assert self.before is None or self.before() is None, "the last batch is still there"
        tensor = Tensor()
        self.before = weakref.ref(tensor)
        if jobs > self.largest:
            raise MemoryError

    def join(self, jobs: Sequence[Job]) -> float:
        self.use_memory(len(jobs))
        return super().join(jobs)

    def step(self) -> list[tuple[Job, Hypothesis | AuricleError]]:
        self.use_memory(len(self.running))
        return super().step()


def test_what_failed_is_out_of_memory_before_halves_are_tried() -> None:
    full = Bench(Full(slots=SLOTS, clock=Clock()))
    jobs = full.jobs(*[0.5] * 8)
    assert full.execution.join(jobs) == []
    assert full.runner.joins == [2, 2, 2, 2]


def test_a_step_that_failed_is_out_of_memory_before_each_begins_anew() -> None:
    full = Bench(Full(slots=SLOTS, clock=Clock()))
    jobs = full.jobs(0.1, 0.2, 0.3)
    for one in jobs:
        full.execution.join([one])
    done, suspects = full.execution.step(jobs)
    assert (done, suspects) == ([], jobs)
    for one in jobs:
        assert full.execution.join([one]) == []
        assert full.execution.step([one]) == ([(one, heard(one.request))], [])


@pytest.mark.parametrize("largest", [0, 1])
def test_the_error_that_is_handed_out_holds_no_memory(largest: int) -> None:
    """Whoever keeps it would keep what the batch took."""
    runner = Full(slots=SLOTS, clock=Clock(), largest=largest)
    full = Bench(runner)
    jobs = full.jobs(0.5)
    done = full.execution.join(jobs)
    if not done:
        runner.largest = 0
        done, _ = full.execution.step(jobs)
    assert isinstance(done[0][1], InferenceError)
    assert runner.before is not None
    gc.collect()
    assert runner.before() is None
