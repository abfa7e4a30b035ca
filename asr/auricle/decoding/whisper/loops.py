"""Loops of a model that says times: by how long its words take to say."""

from collections.abc import Callable
from dataclasses import dataclass

from auricle.decoding.filters import Tokens
from auricle.decoding.loops import loops
from auricle.tokenizer.whisper import TIMESTAMP_SECONDS, WhisperTokenizer

FASTEST = 25.0  # letters a second, spaces included: "no no no" at eight a second
_TIMES = 2  # in a row, that anything may be said
_LONGEST = 40  # tokens that are repeated together


@dataclass(frozen=True, slots=True)
class SpokenRepetition:
    """A `Guard`: what repeats more often than there is time for is said once."""

    seconds: float  # of the audio, to the end of its last word
    end: int  # tokens below are text
    timestamp_begin: int  # tokens from here on are times
    decode: Callable[[Tokens], str]
    name: str = "repetition"

    @classmethod
    def of(cls, tokenizer: WhisperTokenizer, seconds: float) -> "SpokenRepetition":
        """In an audio of so many seconds."""
        return cls(seconds, tokenizer.end, tokenizer.timestamp_begin, tokenizer.decode)

    def cut(self, tokens: Tokens) -> Tokens | None:
        """Up to the end of the first copy. Times between copies do not tell them apart."""
        if not tokens or tokens[-1] >= self.end:
            return None
        places = [place for place, token in enumerate(tokens) if token < self.end]
        text = tuple(tokens[place] for place in places)
        for loop in loops(text, _TIMES, _LONGEST):
            first = len(text) - loop.size * loop.copies
            there_is = self.seconds - self._time_before(tokens[: places[first]])
            if self._takes(text[first:]) > there_is:
                return tokens[: places[first + loop.size - 1] + 1]
        return None

    def _takes(self, text: Tokens) -> float:
        """Seconds, at the least."""
        return len(self.decode(text)) / FASTEST

    def _time_before(self, tokens: Tokens) -> float:
        """The last one that was said."""
        times = (token for token in reversed(tokens) if token >= self.timestamp_begin)
        return (next(times, self.timestamp_begin) - self.timestamp_begin) * TIMESTAMP_SECONDS
