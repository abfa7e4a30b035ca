"""Futures that follow one another."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def then(source: Future[T], convert: Callable[[T], R]) -> Future[R]:
    """A future of `convert(result)`; cancelling it cancels `source`."""
    target: Future[R] = Future()

    def forward(done: Future[T]) -> None:
        if done.cancelled():
            target.cancel()
        if not target.set_running_or_notify_cancel():
            return
        try:
            target.set_result(convert(done.result()))
        except Exception as error:  # noqa: BLE001  # it belongs to whoever waits
            target.set_exception(error)

    def cancel(done: Future[R]) -> None:
        if done.cancelled():
            source.cancel()

    source.add_done_callback(forward)
    target.add_done_callback(cancel)
    return target


def results(futures: Iterator[Future[T]], ahead: int) -> Generator[T, None, None]:
    """The results in order, each as soon as it is there; at most `ahead` futures are open.

    Raises what a future raised. Closed early, it cancels the open ones.
    """
    pending: deque[Future[T]] = deque()
    try:
        for future in futures:
            pending.append(future)
            while len(pending) >= ahead or (pending and pending[0].done()):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


async def results_async(futures: Iterator[Future[T]], ahead: int) -> AsyncGenerator[T, None]:
    """The same for asyncio: `futures` may block and is asked in a thread; close it when done.

    A future that comes when nobody listens any more is cancelled.
    """
    pending: deque[asyncio.Future[T]] = deque()
    try:
        while (future := await _next(futures)) is not None:
            pending.append(asyncio.wrap_future(future))
            pending[-1].add_done_callback(_seen)
            while len(pending) >= ahead or (pending and pending[0].done()):
                yield await pending.popleft()
        while pending:
            yield await pending.popleft()
    finally:
        for waiting in pending:
            waiting.cancel()


async def _next(futures: Iterator[Future[T]]) -> Future[T] | None:
    coming = asyncio.ensure_future(asyncio.to_thread(next, futures, None))
    try:
        return await asyncio.shield(coming)  # a thread cannot be stopped midway
    except asyncio.CancelledError:
        coming.add_done_callback(dropped)
        raise


def _seen(done: asyncio.Future[T]) -> None:
    """After a first error nobody awaits the others, and asyncio would complain of theirs."""
    if not done.cancelled():
        done.exception()


def dropped(coming: asyncio.Future[Future[T]] | asyncio.Future[Future[T] | None]) -> None:
    """Cancel the future that comes when nobody waits for it any more."""
    if not coming.cancelled() and coming.exception() is None and (future := coming.result()):
        future.cancel()
