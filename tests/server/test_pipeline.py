"""Pieces through the engine: in order, bounded, and none left behind."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import aclosing
from functools import partial

import numpy as np
import pytest

from auricle.segmentation.segmenter import Piece
from auricle.transcript import Recognition
from auricle_server.pipeline import Pipeline
from auricle_types.errors import EngineStoppedError, InferenceError, QueueFullError
from auricle_types.options import DecodingOptions
from tests.server.fakes import FakeRecognizer
from tests.server.messages import soon, until


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def recognizer() -> FakeRecognizer:
    return FakeRecognizer(hold=True)


def pieces(count: int) -> Iterator[Piece]:
    return (Piece(float(index), np.zeros(16_000, np.float32)) for index in range(count))


def pipeline(recognizer: FakeRecognizer, pool: Executor, limit: int = 100) -> Pipeline:
    return Pipeline(partial(recognizer.submit, options=DecodingOptions()), pool, limit)


async def starts(results: AsyncIterator[Recognition]) -> list[float]:
    return [result.segments[0].start async for result in results]


async def test_no_pieces_no_results(recognizer: FakeRecognizer, pool: Executor) -> None:
    assert await soon(starts(pipeline(recognizer, pool).recognitions(pieces(0)))) == []


async def test_results_come_in_order_whatever_finishes_first(
    recognizer: FakeRecognizer, pool: Executor
) -> None:
    results = asyncio.ensure_future(starts(pipeline(recognizer, pool).recognitions(pieces(4))))
    await until(lambda: len(recognizer.futures) == 4)
    for index in (2, 0, 3, 1):
        recognizer.finish(index)
    assert await soon(results) == [0, 1, 2, 3]


async def test_a_result_does_not_wait_for_the_next_piece(
    recognizer: FakeRecognizer, pool: Executor
) -> None:
    recognizer.hold = False
    results = pipeline(recognizer, pool).recognitions(pieces(2))
    async with aclosing(results):
        assert (await soon(anext(results))).segments[0].start == 0


@pytest.mark.parametrize("limit", [1, 3])
async def test_no_more_than_the_limit_are_in_the_engine(
    recognizer: FakeRecognizer, pool: Executor, limit: int
) -> None:
    results = asyncio.ensure_future(
        starts(pipeline(recognizer, pool, limit).recognitions(pieces(7)))
    )
    for index in range(7):
        await until(lambda index=index: len(recognizer.futures) > index)  # type: ignore[misc]
        assert recognizer.pending <= limit
        recognizer.finish(index)
    assert await soon(results) == [0, 1, 2, 3, 4, 5, 6]


async def test_a_full_queue_refuses_a_request_at_its_start(
    recognizer: FakeRecognizer, pool: Executor
) -> None:
    recognizer.room = 0
    with pytest.raises(QueueFullError):
        await soon(starts(pipeline(recognizer, pool).recognitions(pieces(2))))


async def test_a_full_queue_holds_a_request_midway(
    recognizer: FakeRecognizer, pool: Executor
) -> None:
    recognizer.room = 1
    results = asyncio.ensure_future(starts(pipeline(recognizer, pool).recognitions(pieces(3))))
    for index in range(3):
        await until(lambda index=index: len(recognizer.futures) > index)  # type: ignore[misc]
        recognizer.finish(index)
    assert await soon(results) == [0, 1, 2]


async def test_a_request_is_held_though_its_piece_finishes_while_the_next_is_refused(
    recognizer: FakeRecognizer, pool: Executor
) -> None:
    recognizer.room = 1

    def submit(piece: Piece) -> Future[Recognition]:
        try:
            return recognizer.submit(piece, DecodingOptions())
        except QueueFullError:
            recognizer.finish(0)
            time.sleep(0.05)  # the event loop hears of the end first, then of the refusal
            raise

    results = asyncio.ensure_future(starts(Pipeline(submit, pool, 100).recognitions(pieces(2))))
    await until(lambda: len(recognizer.futures) == 2)
    recognizer.finish(1)
    assert await soon(results) == [0, 1]


async def test_closing_cancels_what_is_unfinished(
    recognizer: FakeRecognizer, pool: Executor
) -> None:
    results = pipeline(recognizer, pool).recognitions(pieces(3))
    async with aclosing(results):
        first = asyncio.ensure_future(anext(results))
        await until(lambda: len(recognizer.futures) == 3)
        recognizer.finish(0)
        await soon(first)
    await until(lambda: all(future.done() for future in recognizer.futures))
    assert [future.cancelled() for future in recognizer.futures] == [False, True, True]


async def test_cancelling_the_caller_cancels_all(
    recognizer: FakeRecognizer, pool: Executor
) -> None:
    async def caller() -> list[float]:
        async with aclosing(pipeline(recognizer, pool).recognitions(pieces(3))) as results:
            return await starts(results)

    task = asyncio.ensure_future(caller())
    await until(lambda: len(recognizer.futures) == 3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(task)
    await until(lambda: all(future.cancelled() for future in recognizer.futures))


async def test_a_future_that_the_engine_cancels_is_no_cancellation_of_the_caller(
    recognizer: FakeRecognizer, pool: Executor
) -> None:
    results = asyncio.ensure_future(starts(pipeline(recognizer, pool).recognitions(pieces(1))))
    await until(lambda: len(recognizer.futures) == 1)
    recognizer.futures[0].cancel()
    with pytest.raises(EngineStoppedError):
        await soon(results)


async def test_an_error_while_cutting_comes_after_the_results_before_it(
    recognizer: FakeRecognizer, pool: Executor
) -> None:
    def broken() -> Iterator[Piece]:
        yield from pieces(2)
        raise OSError("the stream broke")

    recognizer.hold = False
    results = pipeline(recognizer, pool).recognitions(broken())
    assert [(await soon(anext(results))).segments[0].start for _ in range(2)] == [0, 1]
    with pytest.raises(OSError, match="the stream broke"):
        await soon(anext(results))


async def test_errors_that_nobody_awaits_are_no_noise(
    recognizer: FakeRecognizer, pool: Executor, caplog: pytest.LogCaptureFixture
) -> None:
    recognizer.hold = False
    recognizer.future_error = InferenceError("not finite")
    with pytest.raises(InferenceError):
        await soon(starts(pipeline(recognizer, pool).recognitions(pieces(5))))
    await asyncio.sleep(0)
    gc.collect()
    assert [record for record in caplog.records if record.name == "asyncio"] == []
