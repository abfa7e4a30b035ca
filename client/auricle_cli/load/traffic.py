"""Who comes when, and what they do: drawn from a seed before anything is sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from auricle_types.errors import InvalidOptionError
from auricle_types.metadata import FINITE, Range, check, option

FINITE_AND_POSITIVE = Range(0, FINITE, is_open=True)
SHARE = Range(0, 1)
PATIENCE_SECONDS = 1.0  # those who leave do so within this time of their arrival


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request to be."""

    at: float  # seconds from the start
    place: float  # 0..1: where in the recordings its audio begins
    seconds: float  # of audio
    streams: bool = False  # asks for the segments one by one
    garbage: bool = False  # sends what is no audio
    leaves_after: float | None = None  # hangs up so many seconds after it came


@dataclass(frozen=True, slots=True)
class Traffic:
    """A Poisson process of requests (exponential gaps) with audio of uniformly mixed lengths.

    Raises InvalidOptionError for what makes no traffic.
    """

    rate: float = option(
        1.0, "Requests a second, on average; --sweep starts with it.", FINITE_AND_POSITIVE
    )
    duration: float = option(30.0, "Seconds in which requests arrive.", FINITE_AND_POSITIVE)
    shortest: float = option(2.0, "Shortest audio, in seconds.", FINITE_AND_POSITIVE)
    longest: float = option(15.0, "Longest audio, in seconds.", FINITE_AND_POSITIVE)
    streams: float = option(0.25, "Share of the requests that stream.", SHARE)
    disconnects: float = option(0.0, "Share that hangs up before its answer.", SHARE)
    garbage: float = option(0.0, "Share that sends bytes which are not audio.", SHARE)
    seed: int = option(0, "Seed of all randomness; the same seed gives the same requests.")

    def __post_init__(self) -> None:
        check(self)
        if self.shortest > self.longest:
            raise InvalidOptionError(
                f"shortest ({self.shortest:g} s) must be at most longest ({self.longest:g} s)"
            )

    def arrivals(self) -> Iterator[Arrival]:
        """In the order of time, none at or after `duration`; the same for the same traffic."""
        random = Random(self.seed)  # noqa: S311 - traffic is no secret
        at = random.expovariate(self.rate)
        while at < self.duration:
            yield self._arrival(at, random)
            at += random.expovariate(self.rate)

    def _arrival(self, at: float, random: Random) -> Arrival:
        """Draws as many numbers for each, so that no share changes who else comes when."""
        place, seconds = random.random(), random.uniform(self.shortest, self.longest)
        streams, garbage, leaves = (random.random() for _ in range(3))
        patience = random.uniform(0, PATIENCE_SECONDS)
        return Arrival(
            at,
            place,
            seconds,
            streams=streams < self.streams,
            garbage=garbage < self.garbage,
            leaves_after=patience if leaves < self.disconnects else None,
        )
