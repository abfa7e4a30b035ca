"""The gRPC server: its port, its services, its end."""

from grpc import aio

from auricle_server.config import ServerConfig
from auricle_server.protocols.auricle_grpc.health import HEALTH, SPEECH, Health
from auricle_server.protocols.auricle_grpc.inbox import LINGER_SECONDS
from auricle_server.protocols.auricle_grpc.reflection import add_reflection
from auricle_server.protocols.auricle_grpc.servicer import SpeechServicer, add_speech
from auricle_server.protocols.auricle_grpc.tls import Certificates, TlsFiles
from auricle_server.service import SpeechService
from auricle_types.errors import InvalidOptionError

UNCOMPRESSED_ONLY = 1  # 60 kB of gzip can hold 60 MB, and speech hardly gets smaller
FLUSH_SECONDS = 2 * LINGER_SECONDS  # for answers that are ready, but not yet out
KEEPALIVE_TIME_MS = 60_000  # a ping after this much silence finds clients that vanished
KEEPALIVE_TIMEOUT_MS = 20_000  # and this long without an answer closes their connection
CLIENT_PING_INTERVAL_MS = 10_000  # clients that ping more often are disconnected


class GrpcProtocol:
    """Serves `auricle.v1.Speech` over gRPC, with health and, where wanted, reflection."""

    def __init__(self, service: SpeechService, config: ServerConfig) -> None:
        """Make the server; it listens from `start` on."""
        self._config = config
        self._health = Health()
        self._server = aio.server(
            options=channel_options(config),
            # Calls beyond are refused before their messages are read. Those that the service
            # refuses, and health, may be as many as those that it lets in.
            maximum_concurrent_rpcs=2 * config.max_open_requests,
        )
        add_speech(self._server, SpeechServicer(service))
        self._health.attach(self._server)
        if config.reflection:
            add_reflection(self._server, (SPEECH, HEALTH))

    async def start(self) -> int:
        """Start to listen and return the port. Raises InvalidOptionError where it cannot."""
        port = self._listen()
        await self._server.start()
        await self._health.serving()
        return port

    async def drain(self) -> None:
        """Answer NOT_SERVING from now on."""
        await self._health.draining()

    async def stop(self) -> None:
        """Cancel the calls that are left, after a moment for answers that are ready."""
        await self._server.stop(FLUSH_SECONDS)

    def _listen(self) -> int:
        config = self._config
        address = config.address(config.port)
        try:
            files = TlsFiles.named_by(config)
            if files is None:
                return self._server.add_insecure_port(address)
            return self._server.add_secure_port(address, Certificates(files).credentials)
        except (OSError, RuntimeError) as error:
            raise InvalidOptionError(f"cannot listen on {address}: {error}") from error


def channel_options(config: ServerConfig) -> list[tuple[str, int]]:
    """List the gRPC core's settings."""
    return [
        ("grpc.max_receive_message_length", config.max_message_bytes),
        ("grpc.max_send_message_length", config.max_message_bytes),
        ("grpc.compression_enabled_algorithms_bitset", UNCOMPRESSED_ONLY),
        ("grpc.keepalive_time_ms", KEEPALIVE_TIME_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", CLIENT_PING_INTERVAL_MS),
        ("grpc.so_reuseport", 0),  # a second server on the port fails instead of sharing it
    ]
