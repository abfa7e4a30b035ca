"""The nouns of the engine."""

from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from auricle.config import SAMPLE_RATE, DecodingOptions
from auricle.decoding import Hypothesis
from auricle.transcript import Receipt


@dataclass(frozen=True, slots=True)
class Request:
    """Speech to recognise, no longer than the model's window."""

    samples: npt.NDArray[np.float32]  # (S,) at 16 kHz, S >= 1
    options: DecodingOptions = field(default_factory=DecodingOptions)
    deadline: float | None = None  # of time.monotonic()

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.samples) / SAMPLE_RATE


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the engine answers: the best hypothesis and where the time went."""

    hypothesis: Hypothesis
    receipt: Receipt


@dataclass(eq=False, slots=True)
class Job:
    """A request on its way: who waits for it, and since when."""

    request: Request
    submitted: float  # time.monotonic()
    future: Future[Outcome] = field(default_factory=Future)

    def expired(self, now: float) -> bool:
        """Whether the request's deadline has passed."""
        return self.request.deadline is not None and self.request.deadline <= now
