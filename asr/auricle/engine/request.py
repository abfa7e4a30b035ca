"""The nouns of the engine."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from auricle.config import SAMPLE_RATE
from auricle.hypothesis import Hypothesis
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Receipt

Phase = Literal["waiting", "encoding", "decoding", "finished"]


@dataclass(frozen=True, slots=True)
class Request:
    """Speech to recognise, no longer than the model's window."""

    samples: npt.NDArray[np.float32]  # (S,) at 16 kHz, S >= 1
    options: DecodingOptions = field(default_factory=DecodingOptions)
    deadline: float | None = None  # of time.monotonic()
    speech: bool | None = None  # whether a VAD hears a word in it; None: none was asked
    speech_end: float | None = None  # seconds to the end of the last word; None: as above
    full_context: bool = False  # encode the model's whole window, whatever the model does usually
    prefix: Hypothesis | None = None  # with whose tokens the text begins
    interim: bool = False  # all other requests go first

    @property
    def seconds(self) -> float:
        """The duration of the samples."""
        return len(self.samples) / SAMPLE_RATE

    @property
    def slots(self) -> int:
        """Decoder slots that it takes: one for each hypothesis."""
        return self.options.beam_size


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request takes of the budgets."""

    frames: int  # of the encoder
    slots: int  # of the decoder
    cache_bytes: int  # as long as it is decoded: cross-attention's keys and values, CTC's part
    seconds: float | None = None  # of audio that is encoded; None: of the request's own


@dataclass(frozen=True, slots=True)
class Room:
    """What is free of the budgets."""

    slots: int
    cache_bytes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the engine answers: the best hypothesis and where the time went."""

    hypothesis: Hypothesis
    receipt: Receipt


@dataclass(eq=False, slots=True)
class Job:
    """A request on its way through the phases: who waits for it, and what it took so far.

    Times are of time.monotonic().
    """

    request: Request
    submitted: float
    cost: Cost = Cost(0, 0, 0)
    future: Future[Outcome] = field(default_factory=Future)
    phase: Phase = "waiting"
    alone: bool = False  # suspected of a failure: runs with nobody beside it
    started: float = 0.0  # encoding began
    encoded: float = 0.0  # decoding began
    padding_ratio: float = 0.0
    guards: tuple[str, ...] = ()  # names of those that made it be decoded once more
    steps: int = 0
    companions: int = 0  # utterances in its steps, itself included, summed

    @property
    def seconds(self) -> float:
        """Audio that is encoded: the request's own, and the silence that its model wants."""
        return self.request.seconds if self.cost.seconds is None else self.cost.seconds

    def expired(self, now: float) -> bool:
        """Whether the request's deadline has passed."""
        return self.request.deadline is not None and self.request.deadline <= now

    def unwanted(self, now: float) -> bool:
        """Whether nobody waits for the answer any more."""
        return self.future.cancelled() or self.expired(now)

    def begin_anew(self) -> None:
        """A step that it was in has failed: it waits again, to run by itself."""
        self.phase, self.alone = "waiting", True
        self.steps = self.companions = 0

    def receipt(self, model_id: str, hypothesis: Hypothesis, now: float) -> Receipt:
        """Where the time went, for an answer that is ready `now`."""
        return Receipt(
            model_id=model_id,
            queue_seconds=self.started - self.submitted,
            encode_seconds=self.encoded - self.started,
            decode_seconds=now - self.encoded,
            batch_size=round(self.companions / max(self.steps, 1)),
            padding_ratio=self.padding_ratio,
            tokens=hypothesis.steps,
            guards=tuple(dict.fromkeys((*self.guards, *hypothesis.guards))),
        )
