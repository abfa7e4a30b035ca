"""What an operator may choose, and the transport's constants that need no choice."""

from dataclasses import dataclass
from pathlib import Path

from auricle_types.errors import InvalidOptionError
from auricle_types.options import AudioLimits

KEEPALIVE_TIME_MS = 60_000  # a ping after this much silence finds clients that vanished
KEEPALIVE_TIMEOUT_MS = 20_000  # and this long without an answer closes their connection
MAX_MESSAGE_BYTES = 2**31 - 1  # gRPC's settings are 32-bit
CLIENT_PING_INTERVAL_MS = 10_000  # clients may ping this often without being told off


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The server's address and limits. Raises InvalidOptionError for values out of range."""

    host: str = "127.0.0.1"
    port: int = 50051  # 0: any free one
    metrics_port: int | None = None  # of Prometheus's endpoint on the same host; None: no endpoint
    max_message_bytes: int = 64 * 1024 * 1024
    max_upload_bytes: int = 256 * 1024 * 1024  # all chunks of one request
    max_audio_seconds: float = 4 * 3600.0
    max_requests: int = 128  # in progress at once, each with a worker thread; one more is refused
    max_pieces_in_flight: int = 16  # of one request, so that a long one leaves room for others
    drain_seconds: float = 30.0  # how long running requests may take after SIGTERM
    tls_certificate: Path | None = None  # PEM; without it the server speaks plain text
    tls_key: Path | None = None  # PEM

    def __post_init__(self) -> None:
        for name in ("port", "metrics_port"):
            self._require_port(name)
        for name in ("max_message_bytes", "max_upload_bytes", "max_audio_seconds", "max_requests"):
            self._require_positive(name)
        self._require_positive("max_pieces_in_flight")
        if self.max_message_bytes > MAX_MESSAGE_BYTES:
            raise InvalidOptionError(f"max_message_bytes must be at most {MAX_MESSAGE_BYTES}")
        if not self.drain_seconds >= 0:  # so that NaN is refused, too
            raise InvalidOptionError(f"drain_seconds must not be negative: {self.drain_seconds}")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise InvalidOptionError("tls_certificate and tls_key belong together: give both")

    def _require_port(self, name: str) -> None:
        port = getattr(self, name)
        if port is not None and not 0 <= port <= 65535:
            raise InvalidOptionError(f"{name} must be 0 to 65535, not {port}")

    def _require_positive(self, name: str) -> None:
        if not getattr(self, name) > 0:  # so that NaN is refused, too
            raise InvalidOptionError(f"{name} must be above 0, not {getattr(self, name)}")

    def address(self, port: int) -> str:
        """HOST:PORT, with brackets around an IPv6 address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{port}"

    @property
    def audio_limits(self) -> AudioLimits:
        """How much of one request's audio is read."""
        return AudioLimits(max_bytes=self.max_upload_bytes, max_seconds=self.max_audio_seconds)

    @property
    def channel_options(self) -> list[tuple[str, int]]:
        """The gRPC core's settings."""
        return [
            ("grpc.max_receive_message_length", self.max_message_bytes),
            ("grpc.max_send_message_length", self.max_message_bytes),
            ("grpc.keepalive_time_ms", KEEPALIVE_TIME_MS),
            ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", CLIENT_PING_INTERVAL_MS),
            ("grpc.so_reuseport", 0),  # a second server on the port fails instead of sharing it
        ]
