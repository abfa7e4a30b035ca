"""Who comes when, and what they do: drawn from a seed before anything is sent."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from random import Random

from auricle_types.errors import InvalidOptionError

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

    rate: float = 1.0  # arrivals a second, on average
    duration: float = 30.0  # seconds in which they come
    shortest: float = 2.0  # seconds of audio
    longest: float = 15.0
    streams: float = 0.25  # share of the requests, 0..1
    disconnects: float = 0.0  # share
    garbage: float = 0.0  # share
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not math.isfinite(getattr(self, field.name)):
                raise InvalidOptionError(f"{field.name} must be finite")
        if self.rate <= 0 or self.duration <= 0:
            raise InvalidOptionError("rate and duration must be above 0")
        if not 0 < self.shortest <= self.longest:
            raise InvalidOptionError(
                f"shortest ({self.shortest:g} s) must be above 0 and at most longest "
                f"({self.longest:g} s)"
            )
        for name in ("streams", "disconnects", "garbage"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidOptionError(f"{name} is a share: give a number from 0 to 1")

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
