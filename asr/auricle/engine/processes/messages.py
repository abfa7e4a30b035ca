"""What an engine in a process of its own and its owner tell each other.

Deadlines cross as they are: the monotonic clock is the system's, the same for all processes.
"""

from dataclasses import dataclass

from auricle.engine.answers import Result
from auricle.engine.request import Request
from auricle.engine.statistics import Statistics
from auricle_types.errors import AuricleError

# --- to the engine -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Submit:
    """Queue a request. First a `Reply` says whether it was taken, then an `Answer` follows."""

    number: int
    request: Request
    block: bool


@dataclass(frozen=True, slots=True)
class Count:
    """Reply with the statistics."""

    number: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nobody waits for this request any more."""

    number: int


@dataclass(frozen=True, slots=True)
class Close:
    """Stop, after the waiting work when `drain`; the connection ends after the last answer."""

    drain: bool


# --- from it -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine runs; whoever built it says of what."""

    described: object


@dataclass(frozen=True, slots=True)
class Unfit:
    """The engine could not be built."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Reply:
    """To `Submit` or `Count`: nothing, the statistics, or what submitting raised."""

    number: int
    result: Statistics | AuricleError | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request ended; None where it was cancelled."""

    number: int
    result: Result | None


@dataclass(frozen=True, slots=True)
class Closed:
    """All requests have ended, and the connection is about to."""

    statistics: Statistics
