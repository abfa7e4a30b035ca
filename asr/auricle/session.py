"""A session recognises one audio: audio in, events out.

`Session` is the bookkeeping: pieces cut, submissions in flight, results in order, joined to
segments. It never waits. `events` and `events_async` wait for it, for callers that block and for
asyncio; they differ in nothing else.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import partial
from typing import ParamSpec, TypeVar

from auricle.segmentation.joining import Joiner
from auricle.segmentation.segmenter import Piece
from auricle.segmentation.sources import PieceSource
from auricle.transcript import Recognition
from auricle_types.errors import EngineStoppedError, QueueFullError
from auricle_types.events import Event, FinalSegment, FinalTranscript
from auricle_types.transcript import Transcript

P = ParamSpec("P")
T = TypeVar("T")
Submit = Callable[[Piece], Future[Recognition]]

PIECES_AHEAD = 16  # of one audio in the engine: long audio must not crowd out the others


class Session:
    """Keeps the books of one audio. Only one thread or event loop may use it.

    One step runs at a time, on an executor: it cuts the next piece or submits it. So the next
    piece is cut while the engine works on those before it.
    """

    def __init__(
        self, source: PieceSource, submit: Submit, *, model_id: str, ahead: int = PIECES_AHEAD
    ) -> None:
        """Recognise the pieces of `source` by `submit`, at most `ahead` of them at once."""
        self.done = False
        self._source = source
        self._pieces = iter(source)
        self._submit = submit
        self._ahead = ahead
        self._joiner = Joiner(model_id)
        self._cutting: Future[Piece | None] | None = None
        self._submitting: Future[Future[Recognition]] | None = None
        self._piece: Piece | None = None  # cut, but not yet submitted
        self._in_flight: deque[Future[Recognition]] = deque()
        self._earlier: tuple[Future[Recognition], ...] = ()  # open when the piece was submitted
        self._cut_all = False
        self._failure: Exception | None = None  # raised after the results before it

    def advance(self, executor: Executor, wake: Callable[[], None]) -> Iterator[Event]:
        """Yield what has been recognised, and begin what may begin; never wait.

        When it is exhausted and the session is not `done`, call it again after `wake` was called,
        which happens on any thread. Raises what cutting, submitting or recognising raised.
        """
        while True:
            yield from self._results()
            if self.done or not self._go_on(executor, wake):
                return

    def close(self) -> None:
        """Drop the unfinished work at once; cutting ends with the present block."""
        self.done = True
        self._source.stop()
        for future in self._in_flight:
            future.cancel()
        if self._cutting is not None:
            self._cutting.cancel()
        if self._submitting is not None and not self._submitting.cancel():
            self._submitting.add_done_callback(_drop)

    def _results(self) -> Iterator[Event]:
        while self._in_flight and self._in_flight[0].done():
            recognition = _result(self._in_flight.popleft())
            yield from map(FinalSegment, self._joiner.add(recognition))
        if self._cut_all and not self._in_flight:
            self.done = True
            if self._failure is not None:
                raise self._failure
            source = self._source
            yield FinalTranscript(self._joiner.transcript(source.duration, source.warnings))

    def _go_on(self, executor: Executor, wake: Callable[[], None]) -> bool:
        """Finish or begin one step; tell whether there was one."""
        if self._cutting is not None:
            return self._cutting.done() and self._finish_cutting(self._cutting)
        if self._submitting is not None:
            return self._submitting.done() and self._finish_submitting(self._submitting, wake)
        if self._cut_all:
            return False
        if self._piece is None:
            self._cutting = _begin(executor, wake, partial(next, self._pieces, None))
            return True
        if not self._may_submit:
            return False
        self._earlier = tuple(future for future in self._in_flight if not future.done())
        self._submitting = _begin(executor, wake, partial(self._submit, self._piece))
        return True

    @property
    def _may_submit(self) -> bool:
        has_room = len(self._in_flight) < self._ahead
        return has_room and (not self._earlier or any(each.done() for each in self._earlier))

    def _finish_cutting(self, step: Future[Piece | None]) -> bool:
        self._cutting = None
        try:
            self._piece = step.result()
        except Exception as error:  # noqa: BLE001  # it is raised after the results before it
            self._failure = error
        self._cut_all = self._piece is None
        return True

    def _finish_submitting(
        self, step: Future[Future[Recognition]], wake: Callable[[], None]
    ) -> bool:
        """Take the future, or the error.

        Where the queue is full, the session's earlier pieces make room and the piece is submitted
        again. Without any the session is refused: so it is refused at its start, not midway.
        """
        self._submitting = None
        try:
            future = step.result()
        except Exception as error:  # noqa: BLE001  # it is raised after the results before it
            if not (isinstance(error, QueueFullError) and self._earlier):
                self._failure, self._piece, self._cut_all = error, None, True
            return True
        self._piece, self._earlier = None, ()
        self._in_flight.append(future)
        future.add_done_callback(lambda _: wake())
        return True


def events(session: Session) -> Generator[Event, None, None]:
    """Yield a session's events as they come; closed early, it drops the unfinished work.

    Audio is cut on the caller's thread.
    """
    ended = threading.Event()
    executor = _Inline()
    try:
        while not session.done:
            ended.clear()
            yield from session.advance(executor, ended.set)
            if not session.done:
                ended.wait()
    finally:
        session.close()


async def events_async(
    session: Session, executor: Executor | None = None
) -> AsyncGenerator[Event, None]:
    """Yield a session's events without blocking the event loop; close it when done.

    Audio is cut in threads of `executor`, one at a time; None: in the loop's default threads.
    """
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    executor = executor or _LoopThreads()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop was closed before the last thread ended
            loop.call_soon_threadsafe(ended.set)

    try:
        while not session.done:
            ended.clear()
            for event in session.advance(executor, wake):
                yield event
            if not session.done:
                await ended.wait()
    finally:
        session.close()


def final_transcript(happened: Iterable[Event]) -> Transcript:
    """Return the transcript that ends a session's events."""
    *_, last = happened
    if not isinstance(last, FinalTranscript):
        raise TypeError("a session ends with its transcript")
    return last.transcript


class _Inline(Executor):
    """Runs work at once, on the caller's thread."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        _complete(future, partial(fn, *args, **kwargs))
        return future


class _LoopThreads(Executor):
    """Runs work in the default threads of the running event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        self._loop.run_in_executor(None, _complete, future, partial(fn, *args, **kwargs))
        return future


def _complete(future: Future[T], work: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001  # it belongs to whoever waits
        future.set_exception(error)


def _begin(executor: Executor, wake: Callable[[], None], work: Callable[[], T]) -> Future[T]:
    step = executor.submit(work)
    step.add_done_callback(lambda _: wake())
    return step


def _result(future: Future[Recognition]) -> Recognition:
    if future.cancelled():
        raise EngineStoppedError("the engine stopped before this request was done")
    return future.result()


def _drop(step: Future[Future[Recognition]]) -> None:
    """Cancel the future that comes when nobody waits for it any more."""
    if not step.cancelled() and step.exception() is None:
        step.result().cancel()
