"""Closing: with and without a drain, while requests wait and run."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from auricle.engine import Engine
from auricle_types.errors import EngineStoppedError
from tests.asr.engine.fakes import (
    PATIENCE,
    FakeRunner,
    MakeEngine,
    heard,
    occupy,
    request,
)


def test_a_drain_finishes_what_waits_and_what_runs(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    running = occupy(engine, runner, steps=4)
    waiting = [engine.submit(request(n / 10, steps=3)) for n in range(9)]
    closing = threading.Thread(target=engine.close)
    closing.start()
    refuse_eventually(engine)
    runner.allow()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert running.result(0).hypothesis == heard(request(0.001))
    assert [f.result(0).hypothesis for f in waiting] == [heard(request(n / 10)) for n in range(9)]


def refuse_eventually(engine: Engine) -> None:
    """Closing happens on another thread: once it has begun."""
    while not engine._stopping:
        time.sleep(0.001)
    with pytest.raises(EngineStoppedError):
        engine.submit(request())


def test_without_a_drain_all_stop_after_the_step(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    running = occupy(engine, runner, steps=5)
    ending = engine.submit(request(0.2, steps=1))
    runner.allow(1)
    runner.wait_for_step(2)
    waiting = [engine.submit(request()) for _ in range(3)]
    assert waiting[0].cancel()
    closing = threading.Thread(target=lambda: engine.close(drain=False))
    closing.start()
    refuse_eventually(engine)
    runner.allow()
    for future in [running, *waiting[1:]]:
        with pytest.raises(EngineStoppedError, match="stopped before"):
            future.result(PATIENCE)
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert ending.result(0).hypothesis == heard(request(0.2))  # that step was its last
    assert runner.steps == [1, 2]
    assert runner.joins == [1, 1]


def test_a_drain_can_be_cut_short_but_not_taken_back(
    make_engine: MakeEngine, runner: FakeRunner, pool: ThreadPoolExecutor
) -> None:
    engine = make_engine()
    running = occupy(engine, runner, steps=1_000)
    closings = [pool.submit(engine.close, drain=drain) for drain in (True, False)]
    while not engine._dropping:
        time.sleep(0.001)
    closings.append(pool.submit(engine.close))
    runner.allow()
    assert isinstance(running.exception(PATIENCE), EngineStoppedError)
    assert not wait(closings, PATIENCE).not_done
    assert len(runner.steps) == 1


@pytest.mark.parametrize("drain", [True, False])
def test_a_closed_engine_refuses(make_engine: MakeEngine, drain: bool) -> None:
    engine = make_engine()
    engine.close(drain=drain)
    engine.close(drain=drain)  # again: nothing happens
    with pytest.raises(EngineStoppedError):
        engine.submit(request())
    assert not engine._thread.is_alive()
