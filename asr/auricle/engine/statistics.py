"""What the engine has done so far, and does now."""

import threading
from dataclasses import dataclass, fields, replace
from typing import Self


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts and seconds since the engine was started. A sum adds field by field.

    Each submitted request ends in one of `finished`, `failed`, `cancelled` and `expired`.
    """

    submitted: int = 0  # requests that were taken
    finished: int = 0
    failed: int = 0
    cancelled: int = 0
    expired: int = 0  # past their deadlines
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
    tokens: int = 0  # in the answers, END included

    def __add__(self, other: Self) -> Self:
        sums = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return replace(self, **sums)

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
