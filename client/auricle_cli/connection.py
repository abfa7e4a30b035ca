"""How a server is reached: the options of every command that asks one."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from auricle_cli.failure import Failure
from auricle_cli.groups import option_group
from auricle_types.metadata import option, options_of

if TYPE_CHECKING:
    import grpc

DEFAULT_SERVER = "localhost:50051"
CERTIFICATE = "CERTIFICATE"  # as PEM names them
PRIVATE_KEY = "PRIVATE KEY"


@dataclass(frozen=True, slots=True)
class Connection:
    """A server's address, the certificates to trust for it, and the client's own."""

    server: str = option("", "Server to ask.", metavar="HOST:PORT")
    tls: bool = option(False, "Connect with TLS.")
    ca_certificate: Path | None = option(
        None, "PEM file with the authorities to trust for the server's name; implies --tls."
    )
    client_certificate: Path | None = option(
        None, "PEM file of the certificate to show to the server; implies --tls."
    )
    client_key: Path | None = option(None, "PEM file of the client certificate's private key.")

    def __post_init__(self) -> None:
        if not self.server and (self._is_encrypted or self.client_key):
            raise ValueError("--tls and certificates are for a --server: name it, too")
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("--client-certificate and --client-key belong together: give both")

    def credentials(self) -> "grpc.ChannelCredentials | None":
        """Return a channel's TLS credentials; None for plain text. Raises Failure without a PEM.

        gRPC itself takes any bytes and then fails on each call without a word about them.
        """
        if not self._is_encrypted:
            return None
        import grpc

        return grpc.ssl_channel_credentials(
            _pem(self.ca_certificate, CERTIFICATE),
            _pem(self.client_key, PRIVATE_KEY),
            _pem(self.client_certificate, CERTIFICATE),
        )

    @property
    def _is_encrypted(self) -> bool:
        return self.tls or bool(self.ca_certificate or self.client_certificate)


def _pem(path: Path | None, kind: str) -> bytes | None:
    """Return the bytes of a PEM file. Raises Failure where it holds nothing of the kind."""
    if path is None:
        return None
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise Failure(f"{path}: {error.strerror or error}") from error
    if not re.search(rf"^-----BEGIN [A-Z0-9 ]*{kind}-----".encode(), pem, re.MULTILINE):
        raise Failure(f"{path} holds no {kind.lower()}: give one in PEM")
    return pem


SERVER, *TLS = options_of(Connection)
connection_options = option_group(
    Connection, "connection", [replace(SERVER, default=DEFAULT_SERVER), *TLS]
)
