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
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import ParamSpec, TypeVar

from auricle.interims import Interims
from auricle.segmentation.joining import Joiner
from auricle.segmentation.live import Item
from auricle.segmentation.segmenter import Piece
from auricle.segmentation.sources import PieceSource
from auricle.transcript import Recognition
from auricle_types.errors import EngineStoppedError, QueueFullError
from auricle_types.events import (
    EndOfUtterance,
    Event,
    FinalSegment,
    FinalTranscript,
    Interim,
    SpeechStopped,
)
from auricle_types.transcript import Transcript

P = ParamSpec("P")
T = TypeVar("T")
Submit = Callable[[Piece], Future[Recognition]]

RETRY_SECONDS = 1.0  # until a full queue is asked again, where it does not say when
PIECES_AHEAD = 16  # of one audio in the engine: long audio must not crowd out the others


class _End(Enum):
    """The source has no more."""

    END = 0


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
        self._cut = iter(source)
        self._submit = submit
        self._ahead = ahead
        self._joiner = Joiner(model_id)
        self._interims = Interims(source.keep_together)
        self._cutting: Future[Item | _End | None] | None = None
        self._submitting: Future[Future[Recognition]] | None = None
        self._items: deque[Item] = deque()  # that have been cut
        self._happened: deque[Event] = deque()  # to be told
        self._piece: Piece | None = None  # cut, but not yet submitted
        self._in_flight: deque[Future[Recognition] | EndOfUtterance] = deque()
        self._earlier: list[Future[Recognition]] = []  # unfinished when the piece was submitted
        self._wake: Callable[[], None] = _nothing
        self._was_taken = False  # a piece, by the engine
        self._waiting = False  # for room in the queue, with nothing of its own in the engine
        self._cut_all = False
        self._failure: Exception | None = None  # raised after the results before it

    def advance(self, executor: Executor, wake: Callable[[], None]) -> Iterator[Event]:
        """Yield what has been recognised, and begin what may begin; never wait.

        When it is exhausted and the session is not `done`, call it again after `wake` was called,
        which happens on any thread. Raises what cutting, submitting or recognising raised.
        """
        self._wake = wake
        while True:
            yield from self._results()
            if self.done or not self._go_on(executor, wake):
                return

    def end_utterance(self) -> bool:
        """End the open utterance now, and tell whether no more audio is wanted.

        Call it only while the source waits for more audio.
        """
        if self._failure is None:
            self._items.extend(self._source.end_utterance())
            self._wake()
        return self._source.done

    def close(self) -> None:
        """Drop the unfinished work at once; cutting ends with the present block."""
        self.done = True
        self._source.stop()
        self._interims.close()
        for future in self._submitted:
            future.cancel()
        if self._cutting is not None:
            self._cutting.cancel()
        if self._submitting is not None and not self._submitting.cancel():
            self._submitting.add_done_callback(_drop)

    def _results(self) -> Iterator[Event]:
        while self._happened:
            yield self._happened.popleft()
        while self._in_flight and _is_done(self._in_flight[0]):
            yield from self._told(self._in_flight.popleft())
        if not self._in_flight:
            yield from self._interim()
        if self._cut_all and not self._in_flight:
            self.done = True
            if self._failure is not None:
                raise self._failure
            source = self._source
            yield FinalTranscript(self._joiner.transcript(source.duration, source.warnings))

    def _told(self, came: Future[Recognition] | EndOfUtterance) -> Iterator[Event]:
        if isinstance(came, EndOfUtterance):
            yield came
        else:
            yield from map(FinalSegment, self._joiner.add(_result(came)))

    def _interim(self) -> Iterator[Interim]:
        found = self._interims.result()
        if found is not None:
            piece, recognition = found
            text = self._joiner.preview(recognition)
            interim = self._interims.interim(piece, text, recognition.wording)
            if interim is not None:
                yield interim

    def _go_on(self, executor: Executor, wake: Callable[[], None]) -> bool:
        """Finish or begin one step; tell whether there was one."""
        if self._submitting is not None:
            return self._submitting.done() and self._finish_submitting(self._submitting, wake)
        if self._piece is None and not self._items:
            self._piece = self._interims.next()
        if self._piece is not None:
            return self._begin_submitting(self._piece, executor, wake)
        if self._items:
            return self._take(self._items.popleft())
        return self._cut_more(executor, wake)

    def _cut_more(self, executor: Executor, wake: Callable[[], None]) -> bool:
        if self._cutting is not None:
            return self._cutting.done() and self._finish_cutting(self._cutting)
        if self._cut_all:
            return False
        self._cutting = _begin(executor, wake, partial(next, self._cut, _End.END))
        return True

    def _take(self, item: Item) -> bool:
        if isinstance(item, EndOfUtterance):
            self._in_flight.append(item)
        elif not isinstance(item, Piece):
            if isinstance(item, SpeechStopped):
                self._interims.stop()
            self._happened.append(item)
        elif item.interim:
            self._interims.offer(item)
        else:
            self._piece = replace(item, prefix=self._interims.close(item))
        return True

    def _begin_submitting(self, piece: Piece, executor: Executor, wake: Callable[[], None]) -> bool:
        if not (piece.interim or self._may_submit):
            return False
        self._earlier = [each for each in self._submitted if not each.done()]
        self._submitting = _begin(executor, wake, partial(self._submit, piece))
        return True

    @property
    def _may_submit(self) -> bool:
        has_room = len(self._submitted) < self._ahead and not self._waiting
        return has_room and (not self._earlier or any(each.done() for each in self._earlier))

    @property
    def _submitted(self) -> list[Future[Recognition]]:
        return [each for each in self._in_flight if isinstance(each, Future)]

    def _wait(self, seconds: float, wake: Callable[[], None]) -> None:
        """Submit again when an earlier piece is done, or after so many seconds."""
        if not self._earlier:
            self._waiting = True
            timer = threading.Timer(seconds, self._go_on_waiting, [wake])
            timer.daemon = True
            timer.start()

    def _go_on_waiting(self, wake: Callable[[], None]) -> None:
        self._waiting = False
        wake()

    def _finish_cutting(self, step: Future[Item | _End | None]) -> bool:
        self._cutting = None
        try:
            item = step.result()
        except Exception as error:  # noqa: BLE001  # it is raised after the results before it
            self._failure, self._cut_all = error, True
            return True
        if isinstance(item, _End):
            self._cut_all = True
        elif item is not None and self._failure is None:
            self._items.append(item)
        return True

    def _finish_submitting(
        self, step: Future[Future[Recognition]], wake: Callable[[], None]
    ) -> bool:
        """Take the future, or the error.

        An interim result that the engine does not take now is asked for with the next draft.
        Where the queue is full, a session is refused at its start, but not midway: once a piece of
        it was taken, the others are submitted again until there is room.
        """
        self._submitting = None
        is_interim = self._piece is not None and self._piece.interim
        try:
            future = step.result()
        except Exception as error:  # noqa: BLE001  # it is raised after the results before it
            if is_interim:
                self._piece, self._earlier = None, []
                self._interims.refused()
            elif isinstance(error, QueueFullError) and self._was_taken:
                self._wait(error.retry_after or RETRY_SECONDS, wake)
            else:
                self._failure, self._piece, self._cut_all = error, None, True
                self._items.clear()
            return True
        self._piece, self._earlier = None, []
        self._was_taken = self._was_taken or not is_interim
        if is_interim:
            self._interims.sent(future)
        else:
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


def _nothing() -> None:
    """Wake nobody: nobody waits yet."""


def _is_done(each: Future[Recognition] | EndOfUtterance) -> bool:
    return isinstance(each, EndOfUtterance) or each.done()


def _result(future: Future[Recognition]) -> Recognition:
    if future.cancelled():
        raise EngineStoppedError("the engine stopped before this request was done")
    return future.result()


def _drop(step: Future[Future[Recognition]]) -> None:
    """Cancel the future that comes when nobody waits for it any more."""
    if not step.cancelled() and step.exception() is None:
        step.result().cancel()
