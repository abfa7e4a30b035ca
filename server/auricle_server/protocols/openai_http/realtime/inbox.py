"""The audio of one turn as `IncomingAudio`."""

import asyncio
from collections import deque

from auricle_server.incoming import RecognitionTask
from auricle_types.commands import EndUtterance

MOST_BYTES = 8 * 1024 * 1024  # that wait to be recognised: 174 s of 16-bit PCM at 24 kHz
PART_BYTES = 64  # that a part costs beside its audio


class TurnInbox:
    """Keeps the audio that a client has appended until the recogniser takes it.

    Attributes:
        closed: no more audio is taken.
    """

    def __init__(self, task: RecognitionTask, patience: float | None) -> None:
        """Ask for `task`; after `patience` seconds without audio it ends (None: it does not)."""
        self.closed = False
        self._task = task
        self._patience = patience
        self._parts: deque[bytes | EndUtterance] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()

    async def put(self, part: bytes | EndUtterance) -> None:
        """Add audio or the end of an utterance; wait while too much waits. Closed, drop it."""
        while self._bytes > MOST_BYTES and not self.closed:
            await self._change()
        if not self.closed:
            self._parts.append(part)
            self._count(part, 1)

    def close(self) -> None:
        """Take no more audio; what came is recognised to its end."""
        self.closed = True
        self._changed.set()

    def drop(self) -> None:
        """Forget the audio that waits and take no more."""
        self._parts.clear()
        self._bytes = 0
        self.close()

    async def task(self) -> RecognitionTask:
        """Return what the session asks for."""
        return self._task

    async def chunk(self) -> bytes | EndUtterance:
        """Return what comes next, empty at the end only."""
        try:
            async with asyncio.timeout(self._patience):
                while not self._parts and not self.closed:
                    await self._change()
        except TimeoutError:
            self.close()
        if not self._parts:
            return b""
        part = self._parts.popleft()
        self._count(part, -1)
        return part

    def _count(self, part: bytes | EndUtterance, sign: int) -> None:
        self._bytes += sign * (PART_BYTES + (len(part) if isinstance(part, bytes) else 0))
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
