"""The protocols that clients speak, a package each: they convert, and the service does the work.

A protocol is a class with the face of `WireProtocol`; `SpeechServer` is given those to serve.
"""

from collections.abc import Callable
from typing import Protocol

from auricle_server.config import ServerConfig
from auricle_server.service import SpeechService


class WireProtocol(Protocol):
    """Listens on a port of its own and turns messages into calls of the service."""

    async def start(self) -> int:
        """Start to listen and return the port. Raises InvalidOptionError where it cannot."""
        ...

    async def drain(self) -> None:
        """Let load balancers know that the server takes no new requests."""
        ...

    async def stop(self) -> None:
        """Stop to listen, cancel the calls that are left and send what is ready."""
        ...


ProtocolFactory = Callable[[SpeechService, ServerConfig], WireProtocol]
