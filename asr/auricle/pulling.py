"""Asynchronous sources for threads that block."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Pull(Generic[T]):
    """Asks an event loop for the next item, from a worker thread that waits for it.

    Nothing is asked for ahead of need, so whoever sends is held back. Call it in a worker thread,
    never on the loop; make and cancel it on the loop.
    """

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, T]]) -> None:
        """`ask` gives the next item; one call runs at a time."""
        self._ask = ask
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._pending: Future[T] | None = None
        self._cancelled = False

    def __call__(self) -> T:
        """Wait for the next item. Raises what asking raised, and CancelledError once cancelled."""
        with self._lock:
            if self._cancelled:  # the loop may be closed by now
                raise CancelledError
            self._pending = asyncio.run_coroutine_threadsafe(self._ask(), self._loop)
        return self._pending.result()

    def cancel(self) -> None:
        """Wake the thread that waits; this and later calls raise CancelledError."""
        with self._lock:
            self._cancelled = True
            if self._pending is not None:
                self._pending.cancel()


class PulledItems(Generic[T]):
    """Iterates over an asynchronous iterator in a worker thread."""

    def __init__(self, source: AsyncIterator[T]) -> None:
        self._source = source
        self._pull = Pull(self._next)

    def __iter__(self) -> Iterator[T]:
        while (item := self._pull()) is not None:
            yield item

    async def _next(self) -> T | None:
        return await anext(self._source, None)

    def cancel(self) -> None:
        """Wake the thread that waits for an item."""
        self._pull.cancel()
