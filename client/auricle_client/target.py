"""Where a server is: HOST:PORT as people write it, and as gRPC takes it."""

import re
from dataclasses import dataclass
from typing import Self

from auricle_types.errors import InvalidOptionError

DEFAULT_PORT = 50051
DEFAULT_TARGET = f"localhost:{DEFAULT_PORT}"

_HOST_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^:/\s\[\]]+)(:(?P<port>\d*))?")
_SCHEME = re.compile(r"(unix|unix-abstract|vsock|dns|ipv4|ipv6|xds|passthrough):")
_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|\[::1\]", re.IGNORECASE)
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Target:
    """The address of a server."""

    address: str
    is_here: bool  # on this machine, by a name that says so

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read HOST:PORT, HOST alone, or a name with one of gRPC's schemes, such as unix:PATH.

        Without a port it is the server's default one, where gRPC would take 443.

        Raises:
            InvalidOptionError: it is neither, or no port has such a number.
        """
        if _SCHEME.match(text):
            return cls(text, text.startswith("unix"))
        found = _HOST_PORT.fullmatch(text)
        if found is None:
            raise InvalidOptionError(
                f"a server is HOST:PORT, such as {DEFAULT_TARGET}, not {text[:100]!r}"
            )
        host, port = found["host"], int(found["port"] or DEFAULT_PORT)
        if not 0 < port <= _LAST_PORT:
            raise InvalidOptionError(f"a port is a number from 1 to {_LAST_PORT}, not {port}")
        return cls(f"{host}:{port}", _LOOPBACK.fullmatch(host) is not None)
