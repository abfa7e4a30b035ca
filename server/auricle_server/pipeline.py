"""One request's pieces on their way through the engine: cut, recognised and answered in order.

While the engine works on a piece, a worker thread already cuts the next one.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Executor, Future

from auricle.futures import dropped
from auricle.segmentation.segmenter import Piece
from auricle.transcript import Recognition
from auricle_types.errors import EngineStoppedError, QueueFullError

Submit = Callable[[Piece], Future[Recognition]]


class Pipeline:
    """Pieces in, recognitions out, at most `limit` of them in the engine at once."""

    def __init__(self, submit: Submit, pool: Executor, limit: int) -> None:
        """Takes pieces from their iterator in a thread of `pool` and gives them to `submit`."""
        self._submit = submit
        self._pool = pool
        self._room = asyncio.Semaphore(limit)
        self._results: asyncio.Queue[asyncio.Future[Recognition] | None] = asyncio.Queue()
        self._running: set[asyncio.Future[Recognition]] = set()

    async def recognitions(self, pieces: Iterator[Piece]) -> AsyncGenerator[Recognition, None]:
        """The pieces' recognitions, in order, each as soon as it is there; close it when done.

        Raises what cutting, submitting or recognising raised. Closing drops the unfinished work.
        """
        feeder = asyncio.create_task(self._feed(pieces))
        try:
            while (future := await self._results.get()) is not None:
                yield await result_of(future)
                self._room.release()
        finally:
            feeder.cancel()
            for unfinished in tuple(self._running):
                unfinished.cancel()

    async def _feed(self, pieces: Iterator[Piece]) -> None:
        """Submits all pieces; ends the results by None or by the error that stopped it."""
        loop = asyncio.get_running_loop()
        try:
            while piece := await loop.run_in_executor(self._pool, next, pieces, None):
                await self._room.acquire()
                self._results.put_nowait(await self._admitted(piece))
            self._results.put_nowait(None)
        except Exception as error:  # noqa: BLE001 - it is raised again where results are awaited
            self._results.put_nowait(self._watched(failed(error)))

    async def _admitted(self, piece: Piece) -> asyncio.Future[Recognition]:
        """Submits a piece. Where the queue is full, this request's earlier pieces make room.

        Raises QueueFullError when it has none: so a request is refused at its start, not midway.
        """
        while True:
            earlier = tuple(self._running)  # they may finish before the refusal gets here
            try:
                return self._watched(asyncio.wrap_future(await self._submitted(piece)))
            except QueueFullError:
                if not earlier:
                    raise
                await asyncio.wait(earlier, return_when=asyncio.FIRST_COMPLETED)

    async def _submitted(self, piece: Piece) -> Future[Recognition]:
        """Submits in a thread: an engine in another process takes a moment to say yes or no."""
        loop = asyncio.get_running_loop()
        coming = loop.run_in_executor(self._pool, self._submit, piece)
        try:
            return await asyncio.shield(coming)
        except asyncio.CancelledError:
            coming.add_done_callback(dropped)  # a thread cannot be stopped midway
            raise

    def _watched(self, future: asyncio.Future[Recognition]) -> asyncio.Future[Recognition]:
        """Keeps track of `future` until it is done."""
        self._running.add(future)
        future.add_done_callback(self._finished)
        return future

    def _finished(self, future: asyncio.Future[Recognition]) -> None:
        self._running.discard(future)
        if not future.cancelled():
            future.exception()  # marks it as seen: after a first error nobody awaits the others


def failed(error: Exception) -> asyncio.Future[Recognition]:
    """A future that has failed already."""
    future: asyncio.Future[Recognition] = asyncio.get_running_loop().create_future()
    future.set_exception(error)
    return future


async def result_of(future: asyncio.Future[Recognition]) -> Recognition:
    """Awaits a recognition. Raises EngineStoppedError where the engine gave it up.

    A cancelled future looks like the cancellation of the task that awaits it; the task knows.
    """
    try:
        return await future
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise EngineStoppedError("the engine stopped before this request was done") from None
