"""A session: in order, bounded, and no work left behind, for threads and for asyncio alike."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import aclosing

import numpy as np
import pytest

from auricle.segmentation.live import Item
from auricle.segmentation.segmenter import Piece
from auricle.session import Session, events, events_async, final_transcript
from auricle.transcript import Recognition
from auricle_types.errors import EngineStoppedError, InferenceError, QueueFullError
from auricle_types.events import Event, FinalSegment, FinalTranscript
from auricle_types.transcript import Receipt, Segment

PATIENCE = 20


class Script:
    """Pieces by number, and an engine that a test answers for."""

    duration, warnings, done = 3.5, ("damaged",), False

    def __init__(self, count: int, *, done: bool = False, room: int = 100) -> None:
        self.count, self.answers_at_once, self.room = count, done, room
        self.cut = 0
        self.futures: list[Future[Recognition]] = []
        self.most_open = 0
        self.changed = threading.Condition()
        self.stopped = False
        self.broken: Exception | None = None  # raised behind the last piece

    def __iter__(self) -> Iterator[Piece]:
        for number in range(self.count):
            self.cut += 1
            yield Piece(float(number), np.zeros(16_000, np.float32))
        if self.broken:
            raise self.broken

    def stop(self) -> None:
        self.stopped = True

    def end_utterance(self) -> list[Item]:
        return []

    def keep_together(self, start: float, until: float) -> bool:
        return False

    @property
    def open(self) -> int:
        return sum(not future.done() for future in self.futures)

    def submit(self, piece: Piece) -> Future[Recognition]:
        if self.open >= self.room:
            raise QueueFullError("the queue is full")
        with self.changed:
            self.futures.append(Future())
            self.most_open = max(self.most_open, self.open)
            self.changed.notify_all()
        if self.answers_at_once:
            self.finish(int(piece.start))
        return self.futures[-1]

    def finish(self, number: int) -> None:
        segment = Segment(number, number + 1.0, f"word{number}", 0.5)
        self.futures[number].set_result(Recognition((segment,), Receipt("m", tokens=2)))

    def wait_for(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.futures) >= count, PATIENCE)

    def session(self, ahead: int = 100) -> Session:
        return Session(self, self.submit, model_id="m", ahead=ahead)


def collect(script: Script, ahead: int = 100) -> list[Event]:
    return list(events(script.session(ahead)))


def collect_async(script: Script, ahead: int = 100) -> list[Event]:
    async def listed() -> list[Event]:
        with ThreadPoolExecutor(1) as pool:
            async with aclosing(events_async(script.session(ahead), pool)) as happened:
                return [event async for event in happened]

    return asyncio.run(asyncio.wait_for(listed(), PATIENCE))


def collect_by_the_loop(script: Script, ahead: int = 100) -> list[Event]:
    async def listed() -> list[Event]:
        async with aclosing(events_async(script.session(ahead))) as happened:
            return [event async for event in happened]

    return asyncio.run(asyncio.wait_for(listed(), PATIENCE))


EACH = pytest.mark.parametrize("face", [collect, collect_async, collect_by_the_loop])
Face = Callable[..., list[Event]]


def texts(happened: Sequence[Event]) -> list[str]:
    return [event.segment.text for event in happened if isinstance(event, FinalSegment)]


@EACH
@pytest.mark.parametrize("ahead", [1, 3, 100])
def test_segments_come_in_order_and_the_transcript_is_last(face: Face, ahead: int) -> None:
    happened = face(Script(7, done=True), ahead)
    assert texts(happened) == [f"word{number}" for number in range(7)]
    transcript = final_transcript(happened)
    assert transcript.text == " ".join(texts(happened))
    assert (transcript.duration, transcript.warnings) == (3.5, ("damaged",))
    assert (transcript.receipt.model_id, transcript.receipt.tokens) == ("m", 14)


@EACH
def test_no_pieces_are_an_empty_transcript(face: Face) -> None:
    (only,) = face(Script(0))
    assert isinstance(only, FinalTranscript)
    assert only.transcript.segments == ()


@EACH
@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_no_more_are_in_flight_than_may_be(face: Face, ahead: int) -> None:
    script = Script(5)
    with ThreadPoolExecutor(1) as thread:
        happened = thread.submit(face, script, ahead)
        for number in range(5):
            script.wait_for(min(number + ahead, 5))
            assert script.open <= ahead
            script.finish(number)
        assert len(texts(happened.result(PATIENCE))) == 5
    assert script.most_open == ahead


@EACH
def test_answers_in_any_order_are_events_in_order(face: Face) -> None:
    script = Script(4)
    with ThreadPoolExecutor(1) as thread:
        happened = thread.submit(face, script)
        script.wait_for(4)
        for number in (2, 0, 3, 1):
            script.finish(number)
        assert texts(happened.result(PATIENCE)) == ["word0", "word1", "word2", "word3"]


@EACH
def test_a_full_queue_refuses_a_session_at_its_start(face: Face) -> None:
    script = Script(2, room=0)
    with pytest.raises(QueueFullError):
        face(script)
    assert script.cut == 1


@EACH
def test_a_full_queue_holds_a_session_midway(face: Face) -> None:
    script = Script(3, room=1)
    with ThreadPoolExecutor(1) as thread:
        happened = thread.submit(face, script)
        for number in range(3):
            script.wait_for(number + 1)
            script.finish(number)
        assert len(texts(happened.result(PATIENCE))) == 3


@EACH
def test_a_piece_that_ends_while_the_next_is_refused_makes_room_for_it(face: Face) -> None:
    class Late(Script):
        def submit(self, piece: Piece) -> Future[Recognition]:
            try:
                return super().submit(piece)
            except QueueFullError:
                self.finish(0)
                raise

    script = Late(2, room=1)
    with ThreadPoolExecutor(1) as thread:
        happened = thread.submit(face, script)
        script.wait_for(2)
        script.finish(1)
        assert len(texts(happened.result(PATIENCE))) == 2


@EACH
def test_errors_are_raised_after_the_results_before_them(face: Face) -> None:
    script = Script(2, done=True)
    script.broken = OSError("the stream broke")
    with pytest.raises(OSError, match="the stream broke"):
        face(script)

    seen = []
    script = Script(2, done=True)
    script.broken = OSError("the stream broke")
    with pytest.raises(OSError, match="broke"):  # noqa: PT012
        for event in events(script.session()):
            seen.append(event)  # noqa: PERF402
    assert texts(seen) == ["word0", "word1"]


@EACH
def test_an_error_of_the_engine_drops_the_rest_without_noise(
    face: Face, caplog: pytest.LogCaptureFixture
) -> None:
    script = Script(3)
    with ThreadPoolExecutor(1) as thread:
        happened = thread.submit(face, script)
        script.wait_for(3)
        script.futures[1].set_exception(InferenceError("not finite"))
        script.futures[0].set_exception(InferenceError("not finite"))
        assert isinstance(happened.exception(PATIENCE), InferenceError)
    assert script.futures[2].cancelled()
    gc.collect()
    assert caplog.records == []


@EACH
def test_a_future_that_the_engine_cancels_is_an_engine_that_stopped(face: Face) -> None:
    script = Script(1)
    with ThreadPoolExecutor(1) as thread:
        happened = thread.submit(face, script)
        script.wait_for(1)
        script.futures[0].cancel()
        assert isinstance(happened.exception(PATIENCE), EngineStoppedError)


def test_closing_drops_what_is_in_flight() -> None:
    script = Script(4)
    with ThreadPoolExecutor(1) as thread:
        happened = events(script.session(3))
        first = thread.submit(next, happened)
        script.wait_for(3)
        script.finish(0)
        assert isinstance(first.result(PATIENCE), FinalSegment)
    happened.close()
    assert [future.cancelled() for future in script.futures] == [False, True, True]


def test_a_result_does_not_wait_for_the_next_piece_to_be_cut() -> None:
    assert isinstance(next(events(Script(3, done=True).session())), FinalSegment)


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def test_in_asyncio_a_result_overtakes_a_source_that_blocks(pool: Executor) -> None:
    unblocked = threading.Event()

    class Slow(Script):
        def __iter__(self) -> Iterator[Piece]:
            for piece in super().__iter__():
                yield piece
                assert unblocked.wait(PATIENCE)

    async with aclosing(events_async(Slow(2, done=True).session(), pool)) as happened:
        assert isinstance(await asyncio.wait_for(anext(happened), PATIENCE), FinalSegment)
        unblocked.set()


async def test_cancelling_the_task_drops_what_is_in_flight(pool: Executor) -> None:
    script = Script(3)

    async def caller() -> list[Event]:
        async with aclosing(events_async(script.session(), pool)) as happened:
            return [event async for event in happened]

    task = asyncio.ensure_future(caller())
    await asyncio.to_thread(script.wait_for, 3)
    await until_cancelled(task)
    await until(lambda: all(future.cancelled() for future in script.futures))


async def test_a_future_that_comes_too_late_is_cancelled(pool: Executor) -> None:
    asked, answer = threading.Event(), threading.Event()

    class Slow(Script):
        def submit(self, piece: Piece) -> Future[Recognition]:
            asked.set()
            assert answer.wait(PATIENCE)
            return super().submit(piece)

    script = Slow(1)

    async def caller() -> list[Event]:
        async with aclosing(events_async(script.session(), pool)) as happened:
            return [event async for event in happened]

    task = asyncio.ensure_future(caller())
    assert await asyncio.to_thread(asked.wait, PATIENCE)
    await until_cancelled(task)
    answer.set()
    await until(lambda: bool(script.futures) and script.futures[0].cancelled())


async def until_cancelled(task: "asyncio.Future[list[Event]]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, PATIENCE)


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(PATIENCE * 1000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise TimeoutError
