"""Writes one line in the log and counts, for every call."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from auricle_server.middleware.call import CANCELLED, Call

Count = Callable[[str, str, float], None]  # method, code, seconds

logger = logging.getLogger(__name__)


class Telemetry:
    """Logs and counts each call when it ends."""

    def __init__(self, count: Count) -> None:
        """Give each call that ended to `count`, too."""
        self._count = count

    @contextmanager
    def recorded(self, call: Call) -> Iterator[None]:
        """Record `call` when the block ends, however it does."""
        try:
            yield
        except asyncio.CancelledError:
            call.code = CANCELLED
            raise
        finally:
            seconds = call.seconds
            _log(call, seconds)
            self._count(call.method, call.code, seconds)


def _log(call: Call, seconds: float) -> None:
    """Write the call's line: `key=value` pairs."""
    facts = "".join(f" {key}={value}" for key, value in call.facts.items())
    logger.info(
        "method=%s code=%s seconds=%.3f peer=%s%s",
        call.method,
        call.code,
        seconds,
        call.peer,
        facts,
    )
