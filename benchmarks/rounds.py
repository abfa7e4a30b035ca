"""Contestants take turns, so that whatever the machine does meanwhile befalls all of them."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tqdm import tqdm

Clock = Callable[[], float]


class Contestant(Protocol):
    """Something that can do the work."""

    name: str

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio in one run."""
        ...

    def run(self) -> None:
        """Do the work once. Raises MiscountError where the answers are not what was asked for."""
        ...

    def facts(self) -> dict[str, Any]:
        """What the results should say of it besides its speed."""
        ...


class MiscountError(Exception):
    """A contestant produced another number of tokens than all others: its time means nothing."""

    @classmethod
    def check(cls, name: str, counts: Sequence[int], tokens: int) -> None:
        """Raise unless every count is `tokens`."""
        if wrong := sorted({count for count in counts if count != tokens}):
            raise cls(f"{name} made {wrong} tokens where {tokens} were asked for")


@dataclass(frozen=True, slots=True)
class Standing:
    """How one contestant did: seconds of audio a second, round by round."""

    speeds: list[float]
    facts: dict[str, Any]

    @property
    def speed(self) -> float:
        """The median speed of the rounds."""
        return statistics.median(self.speeds)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON wants them."""
        speeds = [round(speed, 2) for speed in self.speeds]
        return {"audio_seconds_per_second": round(self.speed, 2), "rounds": speeds, **self.facts}


def in_turn(ours: Sequence[Contestant], peers: Sequence[Contestant]) -> list[Contestant]:
    """Ours, a peer, ours, a peer, as long as both last."""
    pairs = [each for pair in zip(ours, peers, strict=False) for each in pair]
    return [*pairs, *ours[len(peers) :], *peers[len(ours) :]]


def alternate(
    contestants: Sequence[Contestant], rounds: int, clock: Clock = time.perf_counter
) -> dict[str, Standing]:
    """Let each run once a round, in turn. The caller has let them run before, if that matters."""
    speeds: dict[str, list[float]] = {each.name: [] for each in contestants}
    for number in range(rounds):
        for each in tqdm(contestants, f"round {number + 1}", leave=False, disable=None):
            speed = each.audio_seconds / timed(each.run, clock)
            speeds[each.name].append(speed)
    return {each.name: Standing(speeds[each.name], each.facts()) for each in contestants}


def fastest(standings: Mapping[str, Standing], names: Sequence[str]) -> str:
    """Of those of `names` that ran; the first one where none did."""
    ran = [name for name in names if name in standings]
    return max(ran, key=lambda name: standings[name].speed, default=names[0])


def timed(work: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    """Seconds that `work` takes."""
    start = clock()
    work()
    return clock() - start


def ratio(standings: Mapping[str, Standing], ours: str, theirs: str | None) -> float | None:
    """The median over the rounds of one speed over the other; None where one did not run."""
    if theirs is None or ours not in standings or theirs not in standings:
        return None
    pairs = zip(standings[ours].speeds, standings[theirs].speeds, strict=True)
    return float(f"{statistics.median(a / b for a, b in pairs):.4g}")
