"""How a server is reached: the options that all commands share which ask one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auricle_cli.failure import Failure
from auricle_cli.groups import grouped

if TYPE_CHECKING:
    import grpc

PEM_MARK = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Connection:
    """A server, and whom to trust that it is the one."""

    server: str
    tls: bool = False
    ca_certificate: Path | None = None  # PEM; None: the authorities that gRPC brings

    def credentials(self) -> "grpc.ChannelCredentials | None":
        """For a channel with TLS; None for plain text. Raises Failure for what is no certificate.

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


tls_options = [
    click.option("--tls", is_flag=True, help="Speak TLS with the server."),
    click.option(
        "--ca-certificate",
        type=click.Path(path_type=Path),
        help="PEM file of whom to trust for the server's name; implies --tls.",
    ),
]
connection_options = grouped(
    Connection,
    "connection",
    [
        click.option(
            "--server", metavar="HOST:PORT", default="localhost:50051", help="Whom to ask."
        ),
        *tls_options,
    ],
)
