"""Serves the metrics over HTTP, in a thread of its own."""

import asyncio
import threading
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

from auricle_types.errors import InvalidOptionError


class Endpoint:
    """Answers HTTP on one port while it is open. Plain text, so keep it on a trusted network."""

    def __init__(self, httpd: WSGIServer, thread: threading.Thread) -> None:
        """Hold what `open` has started."""
        self._httpd = httpd
        self._thread = thread

    @classmethod
    def open(cls, registry: CollectorRegistry, host: str, port: int) -> "Endpoint":
        """Start to listen; port 0 is any free one. Raises InvalidOptionError where it cannot."""
        try:
            return cls(*start_http_server(port, host, registry))
        except OSError as error:
            raise InvalidOptionError(
                f"cannot serve metrics on port {port} of {host}: {error.strerror or error}; "
                "choose another metrics_port"
            ) from error

    @property
    def port(self) -> int:
        """Name the port that it listens on."""
        return self._httpd.server_port

    async def close(self) -> None:
        """Stop to listen; return when the thread has ended."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()
        self._thread.join()
