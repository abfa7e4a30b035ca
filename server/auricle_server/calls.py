"""The frame around every RPC: deadline, error translation, one line in the log, one count."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from grpc import aio

from auricle_server.status import CANCELLED, OK, failure_of

Context = aio.ServicerContext[Any, Any]
T = TypeVar("T")
Observe = Callable[[str, str, float], None]  # method, code, seconds

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Call:
    """One RPC in progress. `deadline` is a `time.monotonic()`, None where the caller set none."""

    method: str
    peer: str
    deadline: float | None
    started: float = field(default_factory=time.monotonic)
    facts: dict[str, object] = field(default_factory=dict)  # for the log line

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self.started

    def log(self, outcome: str, seconds: float) -> None:
        """Writes the request's line: `key=value` pairs."""
        facts = "".join(f" {key}={value}" for key, value in self.facts.items())
        logger.info(
            "method=%s code=%s seconds=%.3f peer=%s%s",
            self.method,
            outcome,
            seconds,
            self.peer,
            facts,
        )


def call_of(method: str, context: Context) -> Call:
    """The RPC that `context` belongs to."""
    remaining: float | None = context.time_remaining()
    deadline = None if remaining is None else time.monotonic() + remaining
    return Call(method, context.peer(), deadline)


async def answer(
    method: str, context: Context, work: Callable[[Call], Awaitable[T]], observe: Observe
) -> T:
    """Runs `work` for one RPC; whatever it raises becomes the RPC's status."""
    call = call_of(method, context)
    outcome = OK
    try:
        return await work(call)
    except asyncio.CancelledError:
        outcome = CANCELLED
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence: the server serves on
        failure = failure_of(error)
        outcome = failure.code.name
        call.facts["reason"] = failure.reason
        await context.abort(failure.code, failure.message, failure.trailing_metadata)
    finally:
        seconds = call.seconds
        call.log(outcome, seconds)
        observe(method, outcome, seconds)
