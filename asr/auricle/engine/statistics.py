"""What the engine has done so far, and does now."""

import threading
from dataclasses import dataclass, field, fields, replace
from typing import Self

_BY_CALLER = "counted by the caller's process"


def _by_caller() -> int:
    """Declare a count that the process of the callers keeps, where the engine has its own."""
    return field(default=0, metadata={_BY_CALLER: True})


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts and seconds since the engine was started. A sum adds field by field.

    Each submitted request ends in one of `finished`, `failed`, `cancelled` and `expired`.
    """

    submitted: int = _by_caller()  # requests that were taken
    finished: int = _by_caller()
    failed: int = _by_caller()
    cancelled: int = _by_caller()
    expired: int = _by_caller()  # past their deadlines
    refused: int = 0  # and never taken: the queue was full, or the deadline out of reach
    waiting: int = 0  # now
    running: int = 0  # now, encoding or decoding
    steps: int = 0  # of the decoder
    rows: int = 0  # decoder slots in use, summed over the steps
    slots: int = 0  # decoder slots there were, summed over the steps
    frames: int = 0  # of the encoder, useful ones
    computed_frames: float = 0.0  # and with padding
    encode_seconds: float = 0.0
    decode_seconds: float = 0.0
    audio_seconds: float = 0.0  # of audio encoded
    tokens: int = _by_caller()  # in the answers, END included

    def __add__(self, other: Self) -> Self:
        sums = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return replace(self, **sums)

    def answered(self, by_caller: Self) -> Self:
        """Take the callers' counts from `by_caller`: a process that dies has not sent its last."""
        kept = [f.name for f in fields(self) if _BY_CALLER in f.metadata]
        return replace(self, **{name: getattr(by_caller, name) for name in kept})

    @property
    def at_rest(self) -> Self:
        """The same, of an engine that has ended."""
        return replace(self, waiting=0, running=0)

    @property
    def occupancy(self) -> float:
        """Mean share of the decoder's slots that were in use in a step, 0..1."""
        return self.rows / self.slots if self.slots else 0.0

    @property
    def padding_ratio(self) -> float:
        """Share of the computed encoder frames that was padding, 0..1."""
        return 1 - self.frames / self.computed_frames if self.computed_frames else 0.0

    @property
    def tokens_per_second(self) -> float:
        """Tokens in the answers for each second that the decoder worked."""
        return self.tokens / self.decode_seconds if self.decode_seconds else 0.0


class Ledger:
    """Adds up what any thread reports."""

    def __init__(self) -> None:
        self._total = Statistics()
        self._lock = threading.Lock()

    def add(self, amounts: Statistics) -> None:
        """Add these figures to the total."""
        with self._lock:
            self._total += amounts

    @property
    def total(self) -> Statistics:
        """All that was added so far."""
        with self._lock:
            return self._total
