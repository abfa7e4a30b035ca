"""Several engines as one: who gets a request, and what happens when one of them ends."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

import pytest

from auricle.engine import Outcome, Request
from auricle.engine.processes.pool import EnginePool
from auricle.engine.statistics import Statistics
from auricle_types.errors import EngineStoppedError, QueueFullError
from tests.asr.engine.fakes import PATIENCE, request


class FakeEngine:
    """Keeps its requests open until a test ends them."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.futures: list[Future[Outcome]] = []
        self.error: Exception | None = None
        self.closed: bool | None = None

    @property
    def seconds(self) -> list[float]:
        return [request.seconds for request in self.requests]

    def submit(self, request: Request, *, block: bool = False) -> Future[Outcome]:
        if self.error is not None:
            raise self.error
        self.requests.append(request)
        self.futures.append(Future())
        return self.futures[-1]

    def statistics(self) -> Statistics:
        return Statistics(submitted=len(self.requests), running=int(self.error is None))

    def close(self, *, drain: bool = True) -> None:
        self.closed = drain


def unwanted() -> FakeEngine:
    pytest.fail("nobody has ended")


def pool_of(
    engines: Sequence[FakeEngine], start: Callable[[], FakeEngine] = unwanted
) -> EnginePool:
    return EnginePool(engines, start)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_each_request_goes_to_who_has_the_least_audio() -> None:
    first, second = FakeEngine(), FakeEngine()
    pool = pool_of([first, second])
    for seconds in (9.0, 2.0, 3.0, 1.0, 4.0, 2.0):
        pool.submit(request(seconds=seconds))
    assert first.seconds == [9.0, 2.0]
    assert second.seconds == [2.0, 3.0, 1.0, 4.0]
    pool.close()


def test_what_has_ended_counts_no_more_however_it_ended() -> None:
    first, second = FakeEngine(), FakeEngine()
    pool = pool_of([first, second])
    pool.submit(request(seconds=9.0))
    pool.submit(request(seconds=5.0))
    first.futures[0].set_exception(ValueError())
    pool.submit(request(seconds=3.0))
    second.futures[0].cancel()
    second.futures[0].set_running_or_notify_cancel()
    pool.submit(request(seconds=1.0))
    assert (first.seconds, second.seconds) == ([9.0, 3.0], [5.0, 1.0])
    pool.close()


def test_a_refusal_is_the_answer_and_counts_for_nothing() -> None:
    first, second = FakeEngine(), FakeEngine()
    pool = pool_of([first, second])
    first.error = QueueFullError("full", retry_after=2.5)
    for _ in range(2):
        with pytest.raises(QueueFullError) as refused:
            pool.submit(request(seconds=4.0))
        assert refused.value.retry_after == 2.5
    first.error = None
    pool.submit(request(seconds=1.0))
    assert first.seconds == [1.0]
    pool.close()


def test_who_has_ended_is_replaced_and_the_others_go_on() -> None:
    first, second, third = FakeEngine(), FakeEngine(), FakeEngine()
    may_start = threading.Event()

    def start() -> FakeEngine:
        assert may_start.wait(PATIENCE)
        return third

    pool = pool_of([first, second], start)
    pool.submit(request(seconds=1.0))
    first.error = EngineStoppedError("killed")
    first.futures[0].set_exception(first.error)
    for _ in range(3):
        pool.submit(request(seconds=2.0))
    assert second.seconds == [2.0] * 3
    assert pool.statistics().submitted == 4  # those of the first are not forgotten
    may_start.set()
    until(lambda: pool._members[0].engine is third)
    pool.submit(request(seconds=2.0))
    assert third.seconds == [2.0]
    now = pool.statistics()
    assert (now.submitted, now.running) == (5, 2)
    until(lambda: first.closed is False)  # it may still be there
    pool.close(drain=False)
    assert (second.closed, third.closed) == (False, False)


def test_what_an_engine_had_not_taken_goes_to_another() -> None:
    first, second, submitted = FakeEngine(), FakeEngine(), threading.Event()

    def start() -> FakeEngine:
        submitted.wait(10)  # or this one might get the request
        return FakeEngine()

    pool = pool_of([first, second], start)
    first.error = EngineStoppedError("it did not answer")  # as `submit` says after a while
    pool.submit(request(seconds=1.0))
    submitted.set()
    assert second.seconds == [1.0]
    pool.close()


def test_where_all_have_ended_and_none_can_be_started_that_is_said(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auricle.engine.processes.pool.PAUSE", 0.01)
    engine, other = FakeEngine(), FakeEngine()
    found: list[FakeEngine | Exception] = [MemoryError("no room"), other]

    def start() -> FakeEngine:
        match found.pop(0):
            case Exception() as error:
                raise error
            case engine:
                return engine

    pool = pool_of([engine], start)
    engine.error = EngineStoppedError("killed")
    with pytest.raises(EngineStoppedError, match="no engine runs"):
        pool.submit(request())
    until(lambda: "no other could be started" in caplog.text and not pool._members[0].ended)
    with pytest.raises(EngineStoppedError, match="no engine runs"):
        pool.submit(request())  # tries again
    until(lambda: pool._members[0].engine is other)
    pool.submit(request())
    assert len(other.requests) == 1
    pool.close()


def test_a_closed_pool_starts_nobody() -> None:
    engine = FakeEngine()
    pool = pool_of([engine])
    pool.close()
    assert engine.closed is True
    with pytest.raises(EngineStoppedError):
        pool.submit(request())
    assert engine.requests == []


def test_when_a_request_says_that_its_engine_has_ended_another_is_started() -> None:
    first, second = FakeEngine(), FakeEngine()
    pool = pool_of([first], lambda: second)
    pool.submit(request())
    first.futures[0].set_exception(EngineStoppedError("its device thread has died"))
    until(lambda: pool._members[0].engine is second)
    assert first.closed is False
    pool.close()


def test_what_comes_when_the_pool_is_closed_is_closed() -> None:
    first, late, may_start = FakeEngine(), FakeEngine(), threading.Event()

    def start() -> FakeEngine:
        assert may_start.wait(PATIENCE)
        return late

    pool = pool_of([first], start)
    pool.submit(request())
    first.futures[0].set_exception(EngineStoppedError("killed"))
    pool.close()  # which waits for nobody who starts
    may_start.set()
    until(lambda: late.closed is False)
