"""How the server's log lines look: one line for each record, whatever a client has sent."""

import logging
from types import TracebackType
from typing import TypeAlias

from auricle_types.quoting import printable

Raised: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class PrintableFormatter(logging.Formatter):
    """Escapes control characters, and indents tracebacks, so that nobody can forge a line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Write the record's line."""
        return printable(super().formatMessage(record))

    def formatException(self, ei: Raised) -> str:  # noqa: N802
        """Write a traceback below the record's line."""
        return _indented(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """Write a stack below the record's line."""
        return _indented(stack_info)


def set_up_logging(level: str) -> None:
    """Write records of at least `level` to the standard error output."""
    handler = logging.StreamHandler()
    handler.setFormatter(PrintableFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])


def _indented(text: str) -> str:
    return "\n".join(f"    {printable(line)}" for line in text.split("\n"))
