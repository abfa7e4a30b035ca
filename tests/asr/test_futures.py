import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait

import pytest

from auricle.futures import then


def test_a_result_is_converted() -> None:
    source: Future[int] = Future()
    target = then(source, str)
    assert not target.done()
    source.set_result(3)
    assert target.result(0) == "3"


def test_a_result_that_is_there_already_is_converted() -> None:
    source: Future[int] = Future()
    source.set_result(3)
    assert then(source, str).result(0) == "3"


def test_an_error_passes() -> None:
    source: Future[int] = Future()
    target = then(source, str)
    source.set_exception(KeyError("k"))
    with pytest.raises(KeyError, match="k"):
        target.result(0)


def test_an_error_of_the_conversion_belongs_to_the_target() -> None:
    source: Future[str] = Future()
    target = then(source, int)
    source.set_result("three")
    assert source.result(0) == "three"
    with pytest.raises(ValueError, match="three"):
        target.result(0)


def test_cancelling_the_target_cancels_the_source() -> None:
    source: Future[int] = Future()
    target = then(source, str)
    assert target.cancel()
    assert source.cancelled()
    assert not wait([target], 10).not_done
    with pytest.raises(CancelledError):
        target.result(0)


def test_cancelling_the_source_cancels_the_target() -> None:
    source: Future[int] = Future()
    target = then(source, str)
    assert source.cancel()
    assert target.cancelled()
    assert not wait([target], 10).not_done


def test_a_source_that_runs_ends_for_nobody() -> None:
    source: Future[int] = Future()
    target = then(source, str)
    source.set_running_or_notify_cancel()
    assert target.cancel()  # the answer is not wanted
    source.set_result(3)
    assert target.cancelled()


def test_cancellation_and_result_may_race() -> None:
    for _ in range(200):
        source: Future[int] = Future()
        target = then(source, str)
        started = threading.Barrier(2)
        with ThreadPoolExecutor(2) as threads:
            threads.submit(race, started, target.cancel)
            threads.submit(race, started, lambda source=source: finish(source))
        assert not wait([target], 10).not_done
        assert target.cancelled() or target.result(0) == "3"


def race(started: threading.Barrier, act: object) -> None:
    assert callable(act)
    started.wait(10)
    act()


def finish(source: Future[int]) -> None:
    if source.set_running_or_notify_cancel():
        source.set_result(3)
