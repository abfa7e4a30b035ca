"""What the engine asks of whoever owns the model."""

from collections.abc import Sequence
from typing import Protocol

from auricle.engine.request import Cost, Job, Request, Room
from auricle.errors import AuricleError
from auricle.hypothesis import Hypothesis


class Runner(Protocol):
    """Owns the model and the device; tests put a fake here.

    Only `check` is called from any thread, everything else from the device thread.
    """

    @property
    def room(self) -> Room:
        """What could join now."""
        ...

    @property
    def pads(self) -> bool:
        """Whether its encoder pads a batch to its longest, so that like lengths belong together.

        False: it packs, and any lengths share a batch at no cost.
        """
        ...

    def check(self, request: Request) -> Cost:
        """What a request takes. Raises an AuricleError if it could never be taken."""
        ...

    def join(self, jobs: Sequence[Job]) -> float:
        """Encode jobs and begin to decode them, all or none; returns the share of padding.

        May raise anything; the engine finds the job to blame.
        """
        ...

    def step(self) -> list[tuple[Job, Hypothesis | AuricleError]]:
        """One token for all that have joined; returns, and forgets, those that are done."""
        ...

    def leave(self, job: Job) -> None:
        """Forget a job that has joined."""
        ...
