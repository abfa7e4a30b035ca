"""A runner that breaks its own promises: nobody waits in vain, and the next ones are served."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from auricle.engine import Engine, Outcome, Room
from auricle.engine.request import Job
from auricle.hypothesis import Hypothesis
from auricle_types.errors import (
    AuricleError,
    DeadlineExceededError,
    EngineStoppedError,
    InferenceError,
    InvalidOptionError,
)
from auricle_types.options import EngineConfig
from tests.asr.engine.fakes import LOST, PATIENCE, VENOM, Clock, FakeRunner, heard, request

Start = Callable[[FakeRunner], Engine]


@pytest.fixture
def start() -> Iterator[Start]:
    engines: list[tuple[Engine, FakeRunner]] = []

    def start(runner: FakeRunner) -> Engine:
        engine = Engine(runner, EngineConfig(max_queue=4), clock=runner.clock or Clock())
        engines.append((engine, runner))
        return engine

    yield start
    for engine, runner in engines:
        runner.allow()
        engine.close()


def serves(engine: Engine) -> bool:
    return engine.submit(request(0.9)).result(PATIENCE).hypothesis == heard(request(0.9))


class Clinging(FakeRunner):
    """Does not let go."""

    def leave(self, job: Job) -> None:
        super().leave(job)
        raise KeyError("clinging")


def test_leaving_may_fail(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    runner = Clinging()
    engine = start(runner)
    dropped, kept = (engine.submit(request(n / 10, steps=9)) for n in (1, 2))
    runner.wait_for_step(1)
    assert dropped.cancel()
    runner.allow()
    assert kept.result(PATIENCE).hypothesis == heard(request(0.2))
    assert not wait([dropped], PATIENCE).not_done
    assert "could not forget" in caplog.text
    assert serves(engine)


def test_leaving_may_fail_when_a_step_did(start: Start) -> None:
    runner = Clinging()
    engine = start(runner)
    first = engine.submit(request(0.1))
    runner.wait_for_step(1)
    futures = [engine.submit(request(level)) for level in (0.2, VENOM, 0.3)]
    runner.allow()
    assert first.result(PATIENCE).hypothesis == heard(request(0.1))
    assert isinstance(futures[1].exception(PATIENCE), InferenceError)
    assert [futures[n].exception(PATIENCE) for n in (0, 2)] == [None, None]
    assert serves(engine)


def test_leaving_may_fail_at_the_end(start: Start) -> None:
    runner = Clinging()
    engine = start(runner)
    running = [engine.submit(request(steps=9)) for _ in range(3)]
    runner.wait_for_step(1)
    with ThreadPoolExecutor(1) as pool:
        closing = pool.submit(engine.close, drain=False)
        while not engine._dropping:
            time.sleep(0.001)
        runner.allow()
        closing.result(PATIENCE)
    assert {type(future.exception(PATIENCE)) for future in running} == {EngineStoppedError}


class Leaky(FakeRunner):
    """Its slots are all lost, and yet it promises to take whatever comes."""

    @property
    def room(self) -> Room:
        return Room(0, 0)

    @property
    def free_slots(self) -> int:
        return 0


def test_lost_slots_are_no_silence(start: Start) -> None:
    runner = Leaky()
    engine = start(runner)
    futures = [engine.submit(request()) for _ in range(3)]
    for future in futures:
        with pytest.raises(InferenceError, match="no room"):
            future.result(PATIENCE)


class Confused(FakeRunner):
    """Answers the first of each step twice."""

    def step(self) -> list[tuple[Job, Hypothesis | AuricleError]]:
        done = super().step()
        return [*done, *done[:1]] if self.allowed < 2 else done


class Absent(FakeRunner):
    """Does not even know its slots, once."""

    asked = 0

    @property
    def room(self) -> Room:
        self.asked += 1
        if self.asked == 2:  # when the second step is due
            raise OSError("absent")
        return super().room


@pytest.mark.parametrize("kind", [Confused, Absent])
def test_whatever_goes_wrong_nobody_waits_in_vain(
    start: Start, kind: type[FakeRunner], caplog: pytest.LogCaptureFixture
) -> None:
    runner = kind()
    engine = start(runner)
    first = engine.submit(request(0.1))
    runner.wait_for_step(1)
    others = [engine.submit(request(n / 10, steps=2)) for n in (2, 3)]
    with ThreadPoolExecutor(1) as pool:
        others += [engine.submit(request()) for _ in range(2)]  # the queue is full
        patient = pool.submit(engine.submit, request(0.4), block=True)
        runner.allow(1)
        assert first.result(PATIENCE).hypothesis == heard(request(0.1))
        runner.allow()
        assert not wait([*others, patient.result(PATIENCE)], PATIENCE).not_done
    assert serves(engine)
    assert runner.running == {}
    assert all(record.levelno < logging.CRITICAL for record in caplog.records)


class Refusing(FakeRunner):
    def join(self, jobs: Sequence[Job]) -> float:
        raise InvalidOptionError("not like this")


def test_a_typed_error_stays_as_it_is(start: Start) -> None:
    with pytest.raises(InvalidOptionError, match="not like this"):
        start(Refusing()).submit(request()).result(PATIENCE)


def lost(engine: Engine, runner: FakeRunner, deadline: float | None = None) -> Future[Outcome]:
    """A request that the runner has begun and forgotten."""
    future = engine.submit(request(LOST, deadline=deadline))
    runner.allow(1)
    runner.wait_for_step(2)
    return future


def test_who_is_lost_may_go(start: Start) -> None:
    runner = FakeRunner()
    engine = start(runner)
    future = lost(engine, runner)
    assert future.cancel()
    runner.allow()
    assert not wait([future], PATIENCE).not_done
    assert serves(engine)


def test_who_is_lost_has_a_deadline(start: Start) -> None:
    runner = FakeRunner(clock=Clock())
    engine = start(runner)
    future = lost(engine, runner, deadline=110.0)
    runner.allow()
    with pytest.raises(DeadlineExceededError):
        future.result(PATIENCE)
    assert serves(engine)


def test_who_is_lost_does_not_hold_up_the_others_nor_the_end(start: Start) -> None:
    runner = FakeRunner()
    engine = start(runner)
    future = lost(engine, runner)
    runner.allow()
    assert serves(engine)
    engine.close(drain=False)
    assert isinstance(future.exception(0), EngineStoppedError)
