"""The server's TLS credentials, which follow their files."""

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias

import grpc

from auricle_server.config import ServerConfig

Pem: TypeAlias = tuple[bytes, bytes, bytes | None]  # key, certificate, the clients' authorities

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files that an operator names, and may replace while the server runs."""

    certificate: Path
    key: Path
    client_ca: Path | None

    @classmethod
    def named_by(cls, config: ServerConfig) -> Self | None:
        """Return the files of `config`; None where it asks for plain text."""
        if config.tls_certificate is None or config.tls_key is None:
            return None
        return cls(config.tls_certificate, config.tls_key, config.tls_client_ca)

    def read(self) -> Pem:
        """Return what the files hold. Raises OSError where one cannot be read."""
        authorities = None if self.client_ca is None else self.client_ca.read_bytes()
        return self.key.read_bytes(), self.certificate.read_bytes(), authorities

    def check(self) -> None:
        """Raise OSError for files that are no PEM, and for a key of another certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with _naming(self.certificate, self.key):
            context.load_cert_chain(self.certificate, self.key, password="")  # asks nobody for one
        if self.client_ca is not None:
            with _naming(self.client_ca):
                context.load_verify_locations(self.client_ca)


@contextmanager
def _naming(*files: Path) -> Iterator[None]:
    """Add the files' names to an OSError, since those of ssl have none."""
    try:
        yield
    except OSError as error:
        names = " with ".join(str(file) for file in files)
        raise OSError(f"{names}: {error.strerror or error}") from error


class Certificates:
    """Gives gRPC the certificates of each new connection: those that the files hold by then."""

    def __init__(self, files: TlsFiles) -> None:
        """Read `files`. Raises OSError for those that a server cannot start with."""
        files.check()
        self._files = files
        self._seen = files.read()

    @property
    def credentials(self) -> grpc.ServerCredentials:
        """Return credentials for a port; with authorities, clients need a certificate of theirs."""
        is_mutual = self._files.client_ca is not None
        return grpc.dynamic_ssl_server_credentials(
            configuration(self._seen),
            self._changed,  # type: ignore[arg-type]  # gRPC takes None, though its stubs do not
            is_mutual,
        )

    def _changed(self) -> grpc.ServerCertificateConfiguration | None:
        """Return what the files hold; None, for no change, where that is not new or not valid."""
        try:
            pem = self._files.read()
            if pem == self._seen:
                return None
            self._seen = pem
            self._files.check()
        except OSError as error:
            logger.warning("new certificates are not used: %s", error)
            return None
        logger.info("new certificates are in use")
        return configuration(pem)


def configuration(pem: Pem) -> grpc.ServerCertificateConfiguration:
    """Wrap PEM as gRPC wants it."""
    key, certificate, authorities = pem
    return grpc.ssl_server_certificate_configuration([(key, certificate)], authorities)
