"""Admission: how many requests are in progress, and whether any more are let in."""

import asyncio
from types import TracebackType

from auricle_types.errors import EngineStoppedError, QueueFullError


class Admission:
    """Counts the requests in progress; a context manager around each of them."""

    def __init__(self, limit: int) -> None:
        """Let in `limit` requests at a time."""
        self._limit = limit
        self._active = 0
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    def __enter__(self) -> None:
        """Raise EngineStoppedError once closed and QueueFullError when all places are taken."""
        self.check_open()
        if self._active >= self._limit:
            raise QueueFullError(f"{self._limit} requests are in progress; try again later")
        self._active += 1
        self._idle.clear()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._active -= 1
        if self._active == 0:
            self._idle.set()

    def check_open(self) -> None:
        """Raise EngineStoppedError once closed."""
        if self._closed:
            raise EngineStoppedError("the server is shutting down; use another one")

    @property
    def active(self) -> int:
        """Count the requests in progress."""
        return self._active

    def close(self) -> None:
        """Let nobody in from now on; those inside may finish."""
        self._closed = True

    async def idle(self) -> None:
        """Wait until no request is in progress."""
        await self._idle.wait()
