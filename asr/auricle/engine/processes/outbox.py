"""Sends messages to another process, from any thread."""

import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from queue import SimpleQueue


class Outbox:
    """Sends messages in order; nobody waits for the other side.

    A thread of its own writes, so no other can be caught midway: not by a full pipe whose reader
    waits for that thread, not by Ctrl-C, not by a finaliser that sends within a send.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._messages: SimpleQueue[memoryview | None] = SimpleQueue()
        threading.Thread(target=self._loop, name="auricle-outbox", daemon=True).start()

    def put(self, message: object) -> None:
        """Send `message` soon, as it is now."""
        self._messages.put(ForkingPickler.dumps(message))

    def close(self) -> None:
        """End the connection after the messages before."""
        self._messages.put(None)

    def _loop(self) -> None:
        with suppress(OSError):  # nobody is there any more: whoever reads finds out, too
            while (message := self._messages.get()) is not None:
                self._connection.send_bytes(message)
