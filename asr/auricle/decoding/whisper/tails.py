"""An answer does not end before its audio: the one place that decides what is behind its end."""

from dataclasses import dataclass

from torch import Tensor

from auricle.decoding.filters import Tokens
from auricle.tokenizer.whisper import TIMESTAMP_SECONDS, WhisperTokenizer

MARGIN = 1.0  # seconds: models and VADs are not more exact about where a word ends
WORDY = 0.7  # tokens in a second of audio: an answer without times that has fewer is doubtful


@dataclass(frozen=True, slots=True)
class SpeechGoesOn:
    """A `LogitFilter`: no END while the VAD hears a word behind the last time that was said.

    Whisper was trained to stop at the time where the words begin that its window cuts off, and
    does so where nothing is cut off (openai-whisper moves its window there). Said nothing at all,
    it may end: then the VAD is wrong.
    """

    end: int  # tokens below are text
    timestamp_begin: int  # tokens from here on are times
    until: int  # the first time that it may end behind

    @classmethod
    def of(cls, tokenizer: WhisperTokenizer, speech_end: float) -> "SpeechGoesOn":
        """The last word ends at so many seconds."""
        steps = int((speech_end - MARGIN) / TIMESTAMP_SECONDS)
        return cls(tokenizer.end, tokenizer.timestamp_begin, tokenizer.timestamp_begin + steps)

    def binds(self, said: Tokens) -> bool:
        """Whether something was said, and not all."""
        times = (token for token in reversed(said) if token >= self.timestamp_begin)
        last = next(times, self.timestamp_begin)
        return last < self.until and any(token < self.end for token in said)

    def apply(self, logits: Tensor, said: object) -> None:
        """In all rows."""
        logits[:, self.end] = float("-inf")


def few(tokens: Tokens, speech_end: float | None) -> bool:
    """Whether an answer without times has fewer words than speech that ends there."""
    return speech_end is not None and len(tokens) < WORDY * (speech_end - MARGIN)
