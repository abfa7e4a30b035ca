"""Which thread does what, and what happens when one must die."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import pytest

from auricle.engine import Engine, Outcome
from auricle.engine.request import Job
from auricle.hypothesis import Hypothesis
from auricle_types.errors import AuricleError, EngineStoppedError
from auricle_types.options import EngineConfig
from tests.asr.engine.fakes import (
    PATIENCE,
    Clock,
    FakeRunner,
    MakeEngine,
    assert_all_ended,
    heard,
    occupy,
    request,
    words,
)


def test_the_device_steps_on_while_a_callback_is_busy(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine, go_on = make_engine(), threading.Event()
    first = occupy(engine, runner)
    first.add_done_callback(lambda _: go_on.wait(PATIENCE))
    second = engine.submit(request(steps=5))
    runner.allow(5)
    runner.wait_for_step(6)  # its last one: five were taken while the callback held on
    assert not second.done()
    go_on.set()
    runner.allow()
    assert words(second) == heard(request())


def test_a_row_is_free_before_the_answer_is_given(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine, seen = make_engine(), list[int]()
    first = occupy(engine, runner)
    first.add_done_callback(lambda _: seen.append(engine.statistics().running))
    runner.allow()
    engine.close()
    assert seen == [0]


def test_answers_keep_the_order_of_their_steps(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine, order = make_engine(), list[int]()
    occupy(engine, runner)
    for steps in (4, 1, 3, 2):
        future = engine.submit(request(steps=steps))
        future.add_done_callback(lambda _, steps=steps: order.append(steps))  # type: ignore[misc]
    runner.allow()
    engine.close()
    assert order == [1, 2, 3, 4]


def test_closing_leaves_no_callback_undone(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine, done = make_engine(max_queue=500), list[Future[Outcome]]()
    runner.allow()
    futures = [engine.submit(request(n / 1_000, 0.01)) for n in range(200)]
    for future in futures:
        future.add_done_callback(done.append)
    engine.close()
    assert len(done) == 200


def test_a_callback_may_close_the_engine(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine, closed = make_engine(), threading.Event()

    def close(_: Future[Outcome]) -> None:
        engine.close()
        closed.set()

    first = occupy(engine, runner)
    first.add_done_callback(close)
    second = engine.submit(request(0.2))
    runner.allow()
    assert closed.wait(PATIENCE)
    assert words(second) == heard(request(0.2))
    with pytest.raises(EngineStoppedError):
        engine.submit(request())


@dataclass
class Chronicle(FakeRunner):
    """Remembers what came after what."""

    events: list[str] = field(default_factory=list)

    def join(self, jobs: Sequence[Job]) -> float:
        self.events.append("join")
        return super().join(jobs)

    def step(self) -> list[tuple[Job, Hypothesis | AuricleError]]:
        self.events.append("step")
        return super().step()


def test_between_two_groups_all_that_decode_take_a_step() -> None:
    runner = Chronicle()
    engine = Engine(runner, EngineConfig(max_encode_seconds=1.0), clock=Clock())
    occupy(engine, runner, steps=30)
    futures = [engine.submit(request(steps=3)) for _ in range(12)]
    runner.allow()
    assert not wait(futures, PATIENCE).not_done
    engine.close()
    assert runner.events[:24] == ["join", "step"] * 12


class Dying(FakeRunner):
    """Raises what no engine should swallow."""

    def step(self) -> list[tuple[Job, Hypothesis | AuricleError]]:
        done = super().step()
        if len(self.steps) == 2:
            raise KeyboardInterrupt
        return done


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_when_the_device_thread_must_die_nobody_waits_in_vain() -> None:
    runner = Dying()
    engine = Engine(runner, EngineConfig(max_queue=2), clock=Clock())
    first = occupy(engine, runner)
    others = [engine.submit(request(n / 10, steps=5)) for n in range(2)]
    with ThreadPoolExecutor(1) as pool:
        patient = pool.submit(engine.submit, request(0.4), block=True)
        runner.allow(1)
        assert words(first) == heard(request(0.001))
        others.append(patient.result(PATIENCE))
        runner.allow()
        for future in others:
            assert isinstance(future.exception(PATIENCE), EngineStoppedError)
    with pytest.raises(EngineStoppedError):
        engine.submit(request())
    engine.close()
    assert_all_ended(engine)
    assert runner.running == {}
