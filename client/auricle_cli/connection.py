"""How a server is reached: the options of every command that asks one."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from auricle_cli.failure import Failure
from auricle_cli.groups import option_group
from auricle_types.metadata import option, options_of

if TYPE_CHECKING:
    import grpc

DEFAULT_SERVER = "localhost:50051"
PEM_MARK = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Connection:
    """A server's address, and the certificates that the client trusts for it."""

    server: str = option("", "Server to ask.", metavar="HOST:PORT")
    tls: bool = option(False, "Connect with TLS.")
    ca_certificate: Path | None = option(
        None, "PEM file with the authorities to trust for the server's name; implies --tls."
    )

    def __post_init__(self) -> None:
        if not self.server and (self.tls or self.ca_certificate):
            raise ValueError("--tls and --ca-certificate are for a --server: name it, too")

    def credentials(self) -> "grpc.ChannelCredentials | None":
        """Return a channel's TLS credentials; None for plain text. Raises Failure without a PEM.

        gRPC itself takes any bytes and then fails on each call without a word about them.
        """
        if not (self.tls or self.ca_certificate):
            return None
        import grpc

        return grpc.ssl_channel_credentials(self._roots())

    def _roots(self) -> bytes | None:
        if self.ca_certificate is None:
            return None
        try:
            roots = self.ca_certificate.read_bytes()
        except OSError as error:
            raise Failure(f"{self.ca_certificate}: {error.strerror or error}") from error
        if PEM_MARK not in roots:
            raise Failure(f"{self.ca_certificate} holds no certificate: give one in PEM")
        return roots


SERVER, *TLS = options_of(Connection)
connection_options = option_group(
    Connection, "connection", [replace(SERVER, default=DEFAULT_SERVER), *TLS]
)
