"""Where a server is full: offered more and more until it falls behind for certain."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from auricle_cli.load.report import LoadReport
from auricle_cli.load.traffic import Traffic

BEHIND = 0.7  # a server that serves less than this share in time cannot keep up
DOUBLINGS = 14

Run = Callable[[Traffic], Awaitable[LoadReport]]


@dataclass(frozen=True, slots=True)
class Saturation:
    """What a server answered, run by run, as it was offered more."""

    runs: tuple[LoadReport, ...]

    @property
    def rate(self) -> float:
        """The most requests a second that it answered."""
        return max(run.answered_rate for run in self.runs)

    @property
    def reached(self) -> bool:
        """Whether the last run was more than it could serve."""
        return self.runs[-1].requests > 0 and self.runs[-1].keeps_up < BEHIND

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON wants them."""
        runs = [asdict(run) for run in self.runs]
        return {"saturation_rate": self.rate, "reached": self.reached, "runs": runs}

    def to_text(self) -> str:
        """Write the result as text."""
        lines = ["  offered/s  answered/s  in time   audio s/s"]
        for run in self.runs:
            rates = f"{run.offered_rate:11.2f} {run.answered_rate:11.2f}"
            lines.append(f"{rates} {run.keeps_up:8.0%} {run.audio_seconds_per_second:11.1f}")
        verdict = "full at" if self.reached else "not yet full at"
        return "\n".join([*lines, f"{verdict} {self.rate:.2f} requests/s"])


async def saturation(run: Run, traffic: Traffic) -> Saturation:
    """Double the rate until the server falls behind.

    Without disconnects and garbage: they would count as served.

    Args:
        run: offers traffic and does not wait for those unanswered at its end.
        traffic: what to begin with.
    """
    plain = replace(traffic, disconnects=0.0, garbage=0.0)
    found = Saturation((await run(plain),))
    while not found.reached and len(found.runs) < DOUBLINGS:
        doubled = len(found.runs)
        faster = replace(plain, rate=plain.rate * 2**doubled, seed=plain.seed + doubled)
        found = Saturation((*found.runs, await run(faster)))
    return found
