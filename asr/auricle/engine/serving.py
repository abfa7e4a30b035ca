"""The faces of an engine and of the runner that it drives."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

from auricle.engine.request import Cost, Job, Outcome, Request, Room
from auricle.engine.statistics import Statistics
from auricle.hypothesis import Hypothesis
from auricle_types.errors import AuricleError


class Runner(Protocol):
    """Owns the model and the device; tests put a fake here.

    Only `check` is called from any thread, everything else from the device thread.
    """

    @property
    def room(self) -> Room:
        """Measure what could join now."""
        ...

    @property
    def pads(self) -> bool:
        """Tell whether its encoder pads a batch, so that like lengths belong together.

        False: it packs, and any lengths share a batch at no cost.
        """
        ...

    def check(self, request: Request) -> Cost:
        """Compute what a request takes. Raises an AuricleError if it could never be taken."""
        ...

    def join(self, jobs: Sequence[Job]) -> float:
        """Encode jobs and begin to decode them, all or none; returns the share of padding.

        May raise anything; the engine finds the job to blame.
        """
        ...

    def step(self) -> list[tuple[Job, Hypothesis | AuricleError]]:
        """Decode one token for all that have joined; return, and forget, those that are done."""
        ...

    def leave(self, job: Job) -> None:
        """Forget a job that has joined."""
        ...


class Serving(Protocol):
    """Takes requests from any thread: an engine here or in another process, or several."""

    def submit(self, request: Request, *, block: bool = False) -> Future[Outcome]:
        """Queue a request, as `Engine.submit`."""
        ...

    def statistics(self) -> Statistics:
        """Count what has been done so far, and is done now."""
        ...

    def close(self, *, drain: bool = True) -> None:
        """Stop, after all work when `drain`. No future is open afterwards."""
        ...
