"""The guard against loops of a model with timestamps: it goes by how long words take to say."""

from collections.abc import Callable
from dataclasses import dataclass

from auricle.decoding.repetition import Tokens, loops
from auricle.families.whisper.tokenizer import TIMESTAMP_SECONDS, WhisperTokenizer

FASTEST = 25.0  # letters a second, spaces included: "no no no" at eight a second
_TIMES = 2  # in a row, that anything may be said
_LONGEST = 40  # tokens that are repeated together


@dataclass(frozen=True, slots=True)
class TimedRepetition:
    """A `Guard` that keeps one copy of a phrase that repeats more often than time allows."""

    seconds: float  # of the audio, to the end of its last word
    end: int  # tokens below are text
    timestamp_begin: int  # tokens from here on are timestamps
    decode: Callable[[Tokens], str]
    name: str = "repetition"

    @classmethod
    def of(cls, tokenizer: WhisperTokenizer, seconds: float) -> "TimedRepetition":
        """Make the guard of an audio of so many seconds."""
        return cls(seconds, tokenizer.end, tokenizer.timestamp_begin, tokenizer.decode)

    def cut(self, tokens: Tokens) -> Tokens | None:
        """Return the tokens up to the end of the first copy; timestamps in between do not count."""
        if not tokens or tokens[-1] >= self.end:
            return None
        places = [place for place, token in enumerate(tokens) if token < self.end]
        text = tuple(tokens[place] for place in places)
        for loop in loops(text, _TIMES, _LONGEST):
            first = len(text) - loop.size * loop.copies
            available = self.seconds - self._time_before(tokens[: places[first]])
            if self._least_seconds(text[first:]) > available:
                return tokens[: places[first + loop.size - 1] + 1]
        return None

    def _least_seconds(self, text: Tokens) -> float:
        return len(self.decode(text)) / FASTEST

    def _time_before(self, tokens: Tokens) -> float:
        """Return the last timestamp, in seconds."""
        timestamps = (token for token in reversed(tokens) if token >= self.timestamp_begin)
        return (next(timestamps, self.timestamp_begin) - self.timestamp_begin) * TIMESTAMP_SECONDS
