"""The HTTP server: its port, its application, its end."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from auricle_server.config import ServerConfig
from auricle_server.protocols.openai_http.app import http_app
from auricle_server.service import SpeechService
from auricle_types.errors import InvalidOptionError

FLUSH_SECONDS = 2  # for answers that are ready, but not yet out
KEEP_ALIVE_SECONDS = 65  # longer than the pools of most clients
BACKLOG = 1024


class HttpProtocol:
    """Serves OpenAI's audio API over HTTP and websockets, in the event loop that starts it."""

    def __init__(self, service: SpeechService, config: ServerConfig) -> None:
        """Make the server; it listens from `start` on."""
        logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of each bad form
        self._config = config
        self._server = EmbeddedServer(uvicorn_config(service, config))
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Start to listen and return the port. Raises InvalidOptionError where it cannot."""
        listening = self._listen()
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        await self._server.listens.wait()
        port: int = listening.getsockname()[1]
        return port

    async def drain(self) -> None:
        """Do nothing: what the service refuses from now on, `/health/ready` does, too."""

    async def stop(self) -> None:
        """Cancel the requests that are left, after a moment for answers that are ready."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving

    def _listen(self) -> socket.socket:
        host, port = self._config.host, self._config.http_port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._server.config.load()
            return socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            raise InvalidOptionError(
                f"cannot serve HTTP on {self._config.address(port)}: {error.strerror or error}; "
                "choose another http_port, or --no-http"
            ) from error


class EmbeddedServer(uvicorn.Server):
    """A server of uvicorn within a program that has its own signal handlers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the program."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and set `listens`."""
        await super().startup(sockets)
        self.listens.set()


def uvicorn_config(service: SpeechService, config: ServerConfig) -> uvicorn.Config:
    """Return uvicorn's settings; with a certificate, it speaks TLS as gRPC does."""
    is_mutual = config.tls_client_ca is not None
    return uvicorn.Config(
        http_app(service, config),
        http="h11",  # it limits the bytes of a header
        ws="websockets-sansio",
        ws_max_size=config.max_message_bytes,
        ws_per_message_deflate=False,
        ws_ping_timeout=config.stream_idle_seconds,  # a pong waits behind audio that waits
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=FLUSH_SECONDS,
        ssl_certfile=config.tls_certificate,
        ssl_keyfile=config.tls_key,
        ssl_keyfile_password="",
        ssl_ca_certs=None if config.tls_client_ca is None else str(config.tls_client_ca),
        ssl_cert_reqs=ssl.CERT_REQUIRED if is_mutual else ssl.CERT_NONE,
    )
