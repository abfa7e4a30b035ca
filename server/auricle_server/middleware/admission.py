"""Admission: which requests are let in, and which of them have a place to work in."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from auricle_server.config import ServerConfig
from auricle_server.middleware.call import Call
from auricle_types.errors import EngineStoppedError, QueueFullError


class Admission:
    """Counts the open requests of each client, and the places that are taken.

    A request is open from its begin to its end. It takes a place once its audio begins, so that
    streams which send nothing keep nobody out.
    """

    def __init__(self, config: ServerConfig) -> None:
        """Let in what `config` allows."""
        self._config = config
        self._open: Counter[str] = Counter()  # by the client's address
        self._active = 0
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    @contextmanager
    def admitted(self, call: Call) -> Iterator[None]:
        """Let `call` in for the block.

        Raises EngineStoppedError once closed and QueueFullError where too many are open.
        """
        self.check_open()
        self._check_room(call.host)
        self._open[call.host] += 1
        try:
            yield
        finally:
            self._open[call.host] -= 1
            if not self._open[call.host]:
                del self._open[call.host]

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place for the block.

        Raises EngineStoppedError once closed and QueueFullError when all places are taken.
        """
        self.check_open()
        limit = self._config.max_requests
        if self._active >= limit:
            raise QueueFullError(f"{limit} requests are in progress; try again later")
        self._active += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._active -= 1
            if self._active == 0:
                self._idle.set()

    def check_open(self) -> None:
        """Raise EngineStoppedError once closed."""
        if self._closed:
            raise EngineStoppedError("the server is shutting down; use another one")

    @property
    def active(self) -> int:
        """Count the places that are taken."""
        return self._active

    @property
    def open(self) -> int:
        """Count the requests that are open, with and without a place."""
        return self._open.total()

    def close(self) -> None:
        """Let nobody in from now on; those with a place may finish."""
        self._closed = True

    async def idle(self) -> None:
        """Wait until no place is taken."""
        await self._idle.wait()

    def _check_room(self, host: str) -> None:
        most, each = self._config.max_open_requests, self._config.max_requests_per_peer
        if self._open[host] >= each:
            raise QueueFullError(f"{each} requests of your address are open; end one of them first")
        if self.open >= most:
            raise QueueFullError(f"{most} requests are open; try again later")
