import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import aclosing

import pytest

from auricle.futures import results, results_async, then


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


# --- many of them ------------------------------------------------------------------------------

PATIENCE = 20


class Source:
    """Gives futures and counts them; `finish` completes one."""

    def __init__(self, count: int, *, done: bool = False) -> None:
        self.futures: list[Future[int]] = [Future() for _ in range(count)]
        self.given = 0
        self.asked = threading.Condition()
        if done:
            for number in range(count):
                self.finish(number)

    def __iter__(self) -> Iterator[Future[int]]:
        for future in self.futures:
            with self.asked:
                self.given += 1
                self.asked.notify_all()
            yield future

    def finish(self, number: int) -> None:
        self.futures[number].set_result(number)

    def wait_until_given(self, count: int) -> None:
        with self.asked:
            assert self.asked.wait_for(lambda: self.given >= count, PATIENCE)


async def listed(numbers: AsyncIterator[int]) -> list[int]:
    return [number async for number in numbers]


async def soon(work: "asyncio.Future[list[int]]") -> list[int]:
    return await asyncio.wait_for(work, PATIENCE)


@pytest.mark.parametrize("ahead", [1, 3, 100])
async def test_results_come_in_order(ahead: int) -> None:
    assert list(results(iter(Source(7, done=True)), ahead)) == list(range(7))
    assert await listed(results_async(iter(Source(7, done=True)), ahead)) == list(range(7))
    assert list(results(iter([]), ahead)) == []
    assert await listed(results_async(iter([]), ahead)) == []


def test_no_more_are_open_than_may_be() -> None:
    source = Source(5)
    with ThreadPoolExecutor(1) as thread:
        collected = thread.submit(lambda: list(results(iter(source), 2)))
        for number in range(5):
            source.wait_until_given(min(number + 2, 5))
            assert source.given == min(number + 2, 5)
            source.finish(number)
        assert collected.result(PATIENCE) == list(range(5))


async def test_no_more_are_open_than_may_be_in_asyncio() -> None:
    source = Source(5)
    collected = asyncio.ensure_future(listed(results_async(iter(source), 2)))
    for number in range(5):
        await asyncio.to_thread(source.wait_until_given, min(number + 2, 5))
        assert source.given == min(number + 2, 5)
        source.finish(number)
    assert await soon(collected) == list(range(5))


async def test_a_result_does_not_wait_for_the_next_future() -> None:
    source = Source(3, done=True)
    assert next(results(iter(source), 16)) == 0
    async with aclosing(results_async(iter(source), 16)) as numbers:
        assert await anext(numbers) == 0


def test_who_stops_listening_cancels_the_open_ones() -> None:
    source = Source(4)
    with ThreadPoolExecutor(1) as thread:
        numbers = results(iter(source), 3)
        first = thread.submit(next, numbers)
        source.wait_until_given(3)
        source.finish(0)
        assert first.result(PATIENCE) == 0
    numbers.close()
    assert [future.cancelled() for future in source.futures] == [False, True, True, False]


async def test_cancelling_the_task_cancels_the_open_ones() -> None:
    source = Source(4)
    task = asyncio.ensure_future(listed(results_async(iter(source), 3)))
    await asyncio.to_thread(source.wait_until_given, 3)
    source.finish(0)
    await asyncio.to_thread(source.wait_until_given, 4)
    await until_cancelled(task)
    assert [future.cancelled() for future in source.futures[1:3]] == [True, True]
    await until_done(source.futures[3])  # whether it had come already or not
    assert source.futures[3].cancelled()


async def test_a_future_that_comes_too_late_is_cancelled() -> None:
    asked, answer, late = threading.Event(), threading.Event(), Future[int]()

    def slow() -> Iterator[Future[int]]:
        asked.set()
        assert answer.wait(PATIENCE)
        yield late

    task = asyncio.ensure_future(listed(results_async(slow(), 3)))
    assert await asyncio.to_thread(asked.wait, PATIENCE)
    await until_cancelled(task)
    assert not late.done()
    answer.set()
    await until_done(late)
    assert late.cancelled()


async def until_done(future: Future[int]) -> None:
    """What a thread brings passes through the loop, which must turn for it."""
    for _ in range(PATIENCE * 1000):
        if future.done():
            return
        await asyncio.sleep(0.001)
    raise TimeoutError


async def until_cancelled(task: "asyncio.Future[list[int]]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(task)


async def test_an_error_ends_it_without_noise(caplog: pytest.LogCaptureFixture) -> None:
    source = Source(3)
    for future in source.futures[:2]:
        future.set_exception(KeyError("k"))
    with pytest.raises(KeyError):
        await listed(results_async(iter(source), 3))
    with pytest.raises(KeyError):
        list(results(iter(source), 3))
    await asyncio.sleep(0)
    gc.collect()
    assert caplog.records == []


async def test_an_error_of_the_source_passes() -> None:
    def broken() -> Iterator[Future[int]]:
        yield Source(1, done=True).futures[0]
        raise OSError("the stream broke")

    with pytest.raises(OSError, match="broke"):
        await listed(results_async(broken(), 1))
    with pytest.raises(OSError, match="broke"):
        list(results(broken(), 1))
