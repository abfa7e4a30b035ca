"""Listens, serves until a signal comes, and drains."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any, Self

from auricle.audio.processes import DecoderPool
from auricle_server.config import ServerConfig
from auricle_server.middleware.admission import Admission
from auricle_server.middleware.metrics import Metrics
from auricle_server.middleware.telemetry import Telemetry
from auricle_server.protocols import ProtocolFactory
from auricle_server.protocols.auricle_grpc import GrpcProtocol
from auricle_server.scraping import Endpoint
from auricle_server.service import ServedRecognizer, SpeechService

SWITCH_SECONDS = 1e-4  # the device thread lets go at each operation: Python's 5 ms hold it up
HTTP_PACKAGES = ("fastapi", "python_multipart", "uvicorn", "websockets")
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

logger = logging.getLogger(__name__)


class SpeechServer:
    """One server in one event loop; make, start and stop it there. An async context manager."""

    def __init__(
        self,
        recognizer: ServedRecognizer,
        config: ServerConfig = ServerConfig(),
        *,
        protocols: Sequence[ProtocolFactory] = (GrpcProtocol,),
    ) -> None:
        """Serve `recognizer`, which stays the caller's to close, over `protocols`."""
        self._config = config
        self._admission = Admission(config)
        self._pool = ThreadPoolExecutor(2 * config.max_requests, thread_name_prefix="auricle-audio")
        self._metrics = Metrics(recognizer)
        self._endpoint: Endpoint | None = None
        self._decoders = DecoderPool(config.decoder_processes, config.audio_limits)
        service = SpeechService(
            recognizer,
            config,
            admission=self._admission,
            telemetry=Telemetry(self._metrics.rpc),
            pool=self._pool,
            decode=self._decoders.iter_audio,
        )
        self._protocols = [make(service, config) for make in protocols]
        self.ports: list[int] = []  # where each protocol listens; empty before `start`

    @property
    def port(self) -> int:
        """Name the port of the first protocol; 0 before `start`."""
        return self.ports[0] if self.ports else 0

    @property
    def metrics_port(self) -> int | None:
        """Name Prometheus's port; None before `start` and without the option."""
        return None if self._endpoint is None else self._endpoint.port

    async def start(self) -> int:
        """Start to listen and return the port. Raises InvalidOptionError where it cannot."""
        self._open_endpoint()
        try:
            for protocol in self._protocols:
                self.ports.append(await protocol.start())
                logger.info("listening on %s", self._config.address(self.ports[-1]))
        except Exception:
            await asyncio.gather(*(each.stop() for each in self._protocols[: len(self.ports)]))
            raise
        return self.port

    async def stop(self, drain: float | None = None) -> None:
        """End gracefully: NOT_SERVING, no new requests, `drain` seconds for those in progress.

        `drain` defaults to the config's. Requests that take longer are cancelled.
        """
        seconds = self._config.drain_seconds if drain is None else drain
        logger.info("stopping; %d requests have %.1f s to finish", self._admission.active, seconds)
        for protocol in self._protocols:
            await protocol.drain()
        self._admission.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._admission.idle(), seconds)
        await asyncio.gather(*(protocol.stop() for protocol in self._protocols))
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._decoders.close()
        if self._endpoint is not None:  # last, so that the drain can be watched
            await self._endpoint.close()
            self._endpoint = None
        logger.info("stopped")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    def _open_endpoint(self) -> None:
        port = self._config.metrics_port
        if port is not None:
            self._endpoint = Endpoint.open(self._metrics.registry, self._config.host, port)
            address = self._config.address(self._endpoint.port)
            logger.info("metrics on http://%s/metrics", address)


def configured_protocols(config: ServerConfig) -> list[ProtocolFactory]:
    """List what `config` asks for: gRPC first, and HTTP where its extra is installed."""
    found: list[ProtocolFactory] = [GrpcProtocol]
    if config.http and all(map(find_spec, HTTP_PACKAGES)):
        from auricle_server.protocols.openai_http import HttpProtocol

        found.append(HttpProtocol)
    elif config.http:
        logger.info("there is no HTTP API: pip install 'auricle[http]' adds it")
    return found


async def serve(
    recognizer: ServedRecognizer,
    config: ServerConfig = ServerConfig(),
    *,
    ready: Callable[[int], None] | None = None,
    stopping: Callable[[], None] | None = None,
    protocols: Sequence[ProtocolFactory] = (GrpcProtocol,),
) -> None:
    """Serve over `protocols` until SIGTERM or SIGINT, then drain.

    `ready` gets the port; `stopping` is called when the drain begins. A second signal during the
    drain ends the process at once. The process is taken to be the server's own: its threads take
    turns more often from then on.
    Raises InvalidOptionError where the server cannot listen.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    server = SpeechServer(recognizer, config, protocols=protocols)
    port = await server.start()
    with stop_signals() as signalled:
        try:
            if ready is not None:
                ready(port)
            await signalled.wait()
        finally:
            if stopping is not None:
                stopping()
            await server.stop()


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """Give an event that the first signal to stop sets; the next one ends the process.

    At once, by the system: Python's KeyboardInterrupt would close the loop under a running gRPC
    server, which then never ends.
    """
    loop = asyncio.get_running_loop()
    event = asyncio.Event()

    def stop() -> None:
        event.set()
        set_handlers(dict.fromkeys(STOP_SIGNALS, signal.SIG_DFL))

    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield event
    finally:
        set_handlers(before)


def set_handlers(handlers: Mapping[signal.Signals, Any]) -> None:
    """Give each signal what `signal.getsignal` returned, in place of the loop's handler."""
    loop = asyncio.get_running_loop()
    for number, handler in handlers.items():
        loop.remove_signal_handler(number)
        signal.signal(number, handler)
