"""From start to a graceful end."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, Self

import grpc
from grpc import aio
from grpc_reflection.v1alpha import reflection

from auricle_proto.v1 import speech_pb2_grpc
from auricle_server.admission import Admission
from auricle_server.config import ServerConfig
from auricle_server.health import HEALTH, SPEECH, Health
from auricle_server.incoming import LINGER_SECONDS
from auricle_server.metrics import Metrics
from auricle_server.scraping import Endpoint
from auricle_server.seam import Recognizer
from auricle_server.servicer import SpeechServicer
from auricle_types.errors import InvalidOptionError

FLUSH_SECONDS = 2 * LINGER_SECONDS  # for answers that are ready, but not yet out
SWITCH_SECONDS = 1e-4  # the device thread lets go at each operation: Python's 5 ms hold it up
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

logger = logging.getLogger(__name__)


class SpeechServer:
    """One server in one event loop; make, start and stop it there. An async context manager."""

    def __init__(self, recognizer: Recognizer, config: ServerConfig = ServerConfig()) -> None:
        """Serves `recognizer`, which stays the caller's to close."""
        self._config = config
        self._admission = Admission(config.max_requests)
        self._health = Health()
        self._pool = ThreadPoolExecutor(config.max_requests, thread_name_prefix="auricle-audio")
        self._server = aio.server(options=config.channel_options)
        self._port = 0
        self._metrics = Metrics(recognizer)
        self._endpoint: Endpoint | None = None
        servicer = SpeechServicer(
            recognizer,
            config,
            admission=self._admission,
            pool=self._pool,
            observe=self._metrics.rpc,
        )
        speech_pb2_grpc.add_SpeechServicer_to_server(servicer, self._server)
        self._health.attach(self._server)
        names = (SPEECH, HEALTH, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._server)

    @property
    def port(self) -> int:
        """Where it listens; 0 before `start`."""
        return self._port

    @property
    def metrics_port(self) -> int | None:
        """Where Prometheus may ask; None before `start` and without the option."""
        return None if self._endpoint is None else self._endpoint.port

    async def start(self) -> int:
        """Starts to listen; returns the port. Raises InvalidOptionError where it cannot."""
        self._port = self._listen()
        self._open_endpoint()
        await self._server.start()
        await self._health.serving()
        logger.info("listening on %s", self._config.address(self._port))
        return self._port

    async def stop(self, drain: float | None = None) -> None:
        """Ends gracefully: NOT_SERVING, no new requests, `drain` seconds for those in progress.

        `drain` defaults to the config's. Requests that take longer are cancelled.
        """
        seconds = self._config.drain_seconds if drain is None else drain
        logger.info("stopping; %d requests have %.1f s to finish", self._admission.active, seconds)
        await self._health.draining()
        self._admission.close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._admission.idle(), seconds)
        await self._server.stop(FLUSH_SECONDS)
        self._pool.shutdown(wait=False, cancel_futures=True)
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

    def _listen(self) -> int:
        config = self._config
        address = config.address(config.port)
        try:
            if config.tls_certificate is None or config.tls_key is None:
                return self._server.add_insecure_port(address)
            pair = (config.tls_key.read_bytes(), config.tls_certificate.read_bytes())
            return self._server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
        except (OSError, RuntimeError) as error:
            raise InvalidOptionError(f"cannot listen on {address}: {error}") from error


async def serve(
    recognizer: Recognizer,
    config: ServerConfig = ServerConfig(),
    *,
    ready: Callable[[int], None] | None = None,
) -> None:
    """Serves until SIGTERM or SIGINT, then drains. `ready` is called with the port.

    A second signal during the drain ends the process at once. The process is taken to be the
    server's own: its threads take turns more often from then on.
    Raises InvalidOptionError where the server cannot listen.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    server = SpeechServer(recognizer, config)
    port = await server.start()
    with stop_signals() as signalled:
        try:
            if ready is not None:
                ready(port)
            await signalled.wait()
        finally:
            await server.stop()


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that is set by the first signal to stop; the next one ends the process.

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
