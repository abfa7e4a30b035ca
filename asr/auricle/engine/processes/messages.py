"""The messages between an engine in a process of its own and its owner.

A deadline crosses as the seconds that remain, and each side turns them into its own clock.
"""

import time
from dataclasses import dataclass, replace

from auricle.engine.answers import Result
from auricle.engine.request import Request
from auricle.engine.statistics import Statistics
from auricle_types.errors import AuricleError

# --- to the engine -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Submit:
    """Queue a request. First a `Reply` says whether it was taken, then an `Answer` follows."""

    number: int
    timeless: Request  # without its deadline
    remaining: float | None  # seconds to the deadline
    block: bool

    @classmethod
    def of(cls, number: int, request: Request, *, block: bool) -> "Submit":
        """Make the message for a request whose deadline is of this process's clock."""
        deadline = request.deadline
        remaining = None if deadline is None else deadline - time.monotonic()
        return cls(number, replace(request, deadline=None), remaining, block)

    def request(self) -> Request:
        """Return the request with its deadline in this process's clock."""
        if self.remaining is None:
            return self.timeless
        return replace(self.timeless, deadline=time.monotonic() + self.remaining)


@dataclass(frozen=True, slots=True)
class Count:
    """Ask for the statistics, which are a sign of life, too: `Counted` follows."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Drop a request for which nobody waits any more."""

    number: int


@dataclass(frozen=True, slots=True)
class Close:
    """Stop, after the waiting work when `drain`; the connection ends after the last answer."""

    drain: bool


# --- from it -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StillLoading:
    """Tell that the process is there, and its engine not yet."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Tell that the engine runs, with its builder's description of it."""

    described: object


@dataclass(frozen=True, slots=True)
class Unfit:
    """Tell that the engine could not be built."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Reply:
    """Reply to `Submit`: nothing, or what submitting raised."""

    number: int
    error: AuricleError | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """Reply to `Count` with the statistics."""

    statistics: Statistics


@dataclass(frozen=True, slots=True)
class Answer:
    """Tell how a request ended; None where it was cancelled. The statistics include it."""

    number: int
    result: Result | None
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class Closed:
    """Tell that all requests have ended; the connection ends next."""

    statistics: Statistics
