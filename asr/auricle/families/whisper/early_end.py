"""A text must not end before the speech does."""

from dataclasses import dataclass

from torch import Tensor

from auricle.decoding.logits_processors import Tokens
from auricle.families.whisper.tokenizer import TIMESTAMP_SECONDS, WhisperTokenizer

MARGIN = 1.0  # seconds: models and VADs are not more exact about where a word ends
LEAST_RATE = 0.7  # tokens in a second of speech: a text without timestamps has no fewer


@dataclass(frozen=True, slots=True)
class NoEarlyEnd:
    """A `LogitsProcessor` that forbids END while the VAD finds a word behind the last timestamp.

    Whisper was trained to stop where a word begins that its window cuts off, and it also does so
    where nothing is cut off (openai-whisper moves its window there). A text without any word may
    end: then the VAD is wrong.
    """

    end: int  # tokens below are text
    timestamp_begin: int  # tokens from here on are timestamps
    until: int  # the first timestamp after which it may end

    @classmethod
    def of(cls, tokenizer: WhisperTokenizer, speech_end: float) -> "NoEarlyEnd":
        """Make the processor for speech that ends at so many seconds."""
        steps = int((speech_end - MARGIN) / TIMESTAMP_SECONDS)
        return cls(tokenizer.end, tokenizer.timestamp_begin, tokenizer.timestamp_begin + steps)

    def applies_to(self, tokens: Tokens) -> bool:
        """Whether there is text, but not up to the end of the speech."""
        timestamps = (token for token in reversed(tokens) if token >= self.timestamp_begin)
        last = next(timestamps, self.timestamp_begin)
        return last < self.until and any(token < self.end for token in tokens)

    def apply(self, logits: Tensor, prefixes: object) -> None:
        """Forbid END in all rows."""
        logits[:, self.end] = float("-inf")


def has_too_few_tokens(tokens: Tokens, speech_end: float | None) -> bool:
    """Whether a text without timestamps is too short for speech that ends there."""
    return speech_end is not None and len(tokens) < LEAST_RATE * (speech_end - MARGIN)
