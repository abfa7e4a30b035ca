"""The options of an operator: the address and the limits."""

from dataclasses import dataclass
from pathlib import Path

from auricle_types.errors import InvalidOptionError
from auricle_types.metadata import POSITIVE, Range, check, option
from auricle_types.options import AudioLimits

MAX_MESSAGE_BYTES = 2**31 - 1  # gRPC's settings are 32-bit
PORT = Range(0, 65535)


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """Sets the server's address and limits. Raises InvalidOptionError for values out of range."""

    host: str = option("127.0.0.1", "Address to listen on; 0.0.0.0 for all.")
    port: int = option(50051, "Port to listen on; 0 for any free one.", PORT)
    http: bool = option(True, "Serve OpenAI's HTTP API, too, where the extra `http` is installed.")
    http_port: int = option(8000, "Port of the HTTP API; 0 for any free one.", PORT)
    metrics_port: int | None = option(
        None, "Port of the Prometheus metrics on the same address; 0 for any free one.", PORT
    )
    max_message_bytes: int = option(
        16 * 1024 * 1024, "Most bytes of one gRPC message.", Range(1, MAX_MESSAGE_BYTES)
    )
    max_upload_bytes: int = option(
        256 * 1024 * 1024, "Most bytes of one recording, in all of its messages.", POSITIVE
    )
    max_audio_seconds: float = option(4 * 3600.0, "Most seconds of one recording.", POSITIVE)
    max_requests: int = option(
        128, "Requests in progress at once, each with a thread; one more is refused.", POSITIVE
    )
    max_open_requests: int = option(
        1024, "Requests open at once, streams that have not sent audio included.", POSITIVE
    )
    max_requests_per_peer: int = option(
        512, "Requests that one client's address may have open at once.", POSITIVE
    )
    decoder_processes: int = option(
        32,
        "Most processes that decode compressed audio, each for one request at a time; "
        "0: decode in the server's own process.",
        Range(0),
    )
    stream_idle_seconds: float = option(
        60.0, "Seconds after which a stream ends when its client sends nothing.", POSITIVE
    )
    max_pieces_in_flight: int = option(
        16, "Pieces of one recording in the engine at once, so that others find room.", POSITIVE
    )
    drain_seconds: float = option(
        30.0, "Seconds that running requests may still take after SIGTERM.", Range(0)
    )
    tls_certificate: Path | None = option(
        None, "PEM file of the server's certificate; with --tls-key the server speaks TLS."
    )
    tls_key: Path | None = option(None, "PEM file of the certificate's private key.")
    tls_client_ca: Path | None = option(
        None, "PEM file of the authorities whose certificates every client must then present."
    )
    reflection: bool = option(
        True, "Tell tools which services and messages there are: those of speech.proto."
    )

    def __post_init__(self) -> None:
        check(self)
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise InvalidOptionError("tls_certificate and tls_key belong together: give both")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise InvalidOptionError("tls_client_ca needs tls_certificate and tls_key, too")

    def address(self, port: int) -> str:
        """Write HOST:PORT, with brackets around an IPv6 address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{port}"

    @property
    def audio_limits(self) -> AudioLimits:
        """Limit how much of one request's audio is read."""
        return AudioLimits(max_bytes=self.max_upload_bytes, max_seconds=self.max_audio_seconds)
