"""Auricle's server as a contestant: concurrent clients over loopback."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from auricle_client import Client, RecognitionOptions
from benchmarks.rounds import MiscountError
from benchmarks.workload import exactly


class Clients:
    """As many clients as `clients`, each with one request under way at a time."""

    def __init__(
        self,
        name: str,
        address: str,
        files: Sequence[bytes],
        tokens: int | None = None,
        *,
        clients: int,
        audio_seconds: float,
    ) -> None:
        """With `tokens` each file gets exactly as many; without, as many as the model says."""
        self.name = name
        self._audio_seconds = audio_seconds
        self._connections = [Client(address) for _ in range(clients)]
        self._idle: SimpleQueue[Client] = SimpleQueue()
        for connection in self._connections:
            self._idle.put(connection)
        self._files = files
        self._tokens = tokens
        options = exactly(tokens)
        self._options = RecognitionOptions(
            max_tokens=tokens, ctc_weight=options.ctc_weight, guards=options.guards
        )

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio in one run."""
        return self._audio_seconds

    def run(self) -> None:
        """Send all; whoever is idle takes the next one."""
        with ThreadPoolExecutor(len(self._connections)) as pool:
            counts = list(pool.map(self._send, self._files))
        if self._tokens is not None:
            MiscountError.check(self.name, counts, self._tokens)

    def facts(self) -> dict[str, Any]:
        """How many at once."""
        return {"clients": len(self._connections)}

    def close(self) -> None:
        """Close the connections to the server."""
        for connection in self._connections:
            connection.close()

    def _send(self, file: bytes) -> int:
        """The tokens that it was given."""
        connection = self._idle.get()
        try:
            return connection.recognize(file, self._options).receipt.tokens
        finally:
            self._idle.put(connection)
