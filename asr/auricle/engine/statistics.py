"""What the engine has done so far, and does now."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statistics:
    """A snapshot of the engine. Seconds, and counts since it was started."""

    submitted: int = 0  # requests that were taken; each ends in one of the next four
    finished: int = 0
    failed: int = 0
    cancelled: int = 0
    expired: int = 0  # past their deadlines
    refused: int = 0  # at submit: the queue was full, or the deadline out of reach
    waiting: int = 0
    running: int = 0
    steps: int = 0  # of the decoder
    occupancy: float = 0.0  # mean share of the slots in use, over the steps, 0..1
    padding_ratio: float = 0.0  # share of all encoder frames computed that was padding, 0..1
    encode_seconds: float = 0.0
    decode_seconds: float = 0.0
    audio_seconds: float = 0.0  # of audio encoded
    tokens: int = 0  # of finished requests, END included

    @property
    def tokens_per_second(self) -> float:
        """Tokens of finished requests for each second that the decoder worked."""
        return self.tokens / self.decode_seconds if self.decode_seconds else 0.0
