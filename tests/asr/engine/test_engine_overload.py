"""What would find no room, or be too late, is refused at once and told when to come again."""

import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace

import pytest

from auricle.engine import Cost, Engine, Outcome, Request
from auricle.engine.scheduler import MIB
from auricle_types.errors import (
    AudioTooLongError,
    DeadlineExceededError,
    InvalidOptionError,
    QueueFullError,
)
from auricle_types.options import EngineConfig
from tests.asr.engine.fakes import (
    FRAME_BYTES,
    FRAMES_PER_SECOND,
    PATIENCE,
    Clock,
    FakeRunner,
    MakeEngine,
    assert_nothing_is_lost,
    heard,
    occupy,
    request,
    words,
)


@pytest.fixture
def pressed(runner: FakeRunner, make_engine: MakeEngine) -> Engine:
    """It has learnt that encoding takes 2 s and a step half a second; one runs, ten wait."""
    engine = make_engine(slots=8, max_queue=10, max_encode_seconds=1.0)
    for _ in range(2):
        future = engine.submit(request())
        runner.allow(1)
        words(future)
    running = engine.submit(request(0.001))
    runner.wait_for_step(3)
    assert not running.done()
    for n in range(9):
        engine.submit(request(n / 100))
    return engine


def now(runner: FakeRunner) -> float:
    assert runner.clock is not None
    return runner.clock.now


def test_who_would_be_late_is_refused_at_once(pressed: Engine, runner: FakeRunner) -> None:
    """Nine wait and one more: ten times 2 s, and a bit for the steps."""
    with pytest.raises(QueueFullError, match="would come after the deadline") as caught:
        pressed.submit(request(deadline=now(runner) + 5.0))
    assert 5.0 <= (caught.value.retry_after or 0) <= 7.0
    assert pressed.statistics().refused == 1
    assert pressed.statistics().waiting == 9


def test_who_may_be_in_time_is_tried(pressed: Engine, runner: FakeRunner) -> None:
    """Even where the answer is likely to be late: it might go faster than it did."""
    tried = pressed.submit(request(deadline=now(runner) + 12.0))
    runner.allow()
    with pytest.raises(DeadlineExceededError):
        tried.result(PATIENCE)
    assert pressed.statistics().refused == 0


def test_a_full_queue_hints_at_the_time_for_half_of_it(pressed: Engine, runner: FakeRunner) -> None:
    pressed.submit(request())
    with pytest.raises(QueueFullError, match=r"10 requests are waiting: try again in") as caught:
        pressed.submit(request(deadline=now(runner) + 1_000.0))
    assert 10.0 <= (caught.value.retry_after or 0) <= 12.0
    assert pressed.statistics().refused == 1


def test_an_engine_that_knows_nothing_refuses_nobody_for_being_late(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    occupy(engine, runner)
    late = engine.submit(request(deadline=100.0 + 2.0 + 1e-6))
    runner.allow()
    with pytest.raises(DeadlineExceededError):
        late.result(PATIENCE)


def test_an_engine_without_work_tries_whatever_comes(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    runner.allow()
    for _ in range(3):
        words(engine.submit(request()))
    hurried = engine.submit(request(steps=9, deadline=now(runner) + 0.1))
    with pytest.raises(DeadlineExceededError):
        hurried.result(PATIENCE)


def test_cancelled_requests_make_room_in_a_full_queue(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine(max_queue=2)
    occupy(engine, runner)
    dropped, kept = engine.submit(request(0.1)), engine.submit(request(0.2))
    assert dropped.cancel()
    late_comer = engine.submit(request(0.3))
    assert not wait([dropped], PATIENCE).not_done  # while the device is busy with its step
    with pytest.raises(QueueFullError):
        engine.submit(request())
    runner.allow()
    assert [words(kept), words(late_comer)] == [heard(request(0.2)), heard(request(0.3))]


def test_who_waits_for_room_waits_no_longer_than_the_deadline(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    """The device is stuck: nothing but the deadline can end the wait."""
    engine = make_engine(max_queue=1)
    occupy(engine, runner)
    engine.submit(request())
    with pytest.raises(DeadlineExceededError, match="while the request waited for room"):
        engine.submit(request(deadline=now(runner) + 0.01), block=True)
    assert engine.statistics().submitted == 2


def test_who_gets_room_too_late_is_told_so(
    make_engine: MakeEngine, runner: FakeRunner, pool: ThreadPoolExecutor
) -> None:
    engine = make_engine(max_queue=1)
    occupy(engine, runner)
    engine.submit(request())
    deadline = now(runner) + 20.0
    patient = pool.submit(engine.submit, request(deadline=deadline), block=True)
    while not engine._changed._waiters:  # type: ignore[attr-defined]
        time.sleep(0.001)
    assert runner.clock is not None
    runner.clock.now += 30.0
    runner.allow()
    with pytest.raises(DeadlineExceededError, match="while the request waited for room"):
        patient.result(PATIENCE)


class Heavy(FakeRunner):
    """A second of audio takes a tenth of a MiB of cross-attention."""

    def check(self, request: Request) -> Cost:
        return replace(super().check(request), cache_bytes=round(request.seconds * MIB / 10))


def test_what_no_budget_could_hold_is_refused_at_once() -> None:
    runner = Heavy(slots=64)
    engine = Engine(runner, EngineConfig(slots=4, max_cache_mib=1, max_encode_seconds=0.5))
    with pytest.raises(InvalidOptionError, match="beam_size 5 needs more than the engine's 4"):
        engine.submit(request(beam=5))
    with pytest.raises(AudioTooLongError, match="max_cache_mib is 1: cut it"):
        engine.submit(request(seconds=10.1))
    assert engine.statistics().submitted == 0
    longest = request(seconds=10.0, beam=4)  # more than is encoded at a time, so by itself
    future = engine.submit(longest)
    runner.allow()
    assert words(future) == heard(longest)
    assert_nothing_is_lost(engine, runner)


def test_memory_of_cross_attention_is_a_budget_like_the_slots() -> None:
    second = FRAMES_PER_SECOND * FRAME_BYTES
    runner = FakeRunner(slots=64, cache_bytes=10 * second, clock=Clock())
    engine = Engine(runner, EngineConfig(), clock=Clock())
    occupy(engine, runner)
    futures: list[Future[Outcome]] = [engine.submit(request(n / 100, 4.0)) for n in range(5)]
    runner.allow()
    assert [words(future) for future in futures] == [heard(request(n / 100, 4.0)) for n in range(5)]
    assert runner.joins == [1, 2, 2, 1]
    assert_nothing_is_lost(engine, runner)
