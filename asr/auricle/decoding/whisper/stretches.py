"""What was said between two times that the model says among its words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from auricle.decoding.filters import Tokens
from auricle.hypothesis import Hypothesis
from auricle.segmentation.joining import leading
from auricle.tokenizer.whisper import TIMESTAMP_SECONDS, WhisperTokenizer
from auricle_types.transcript import Word

STRIDE = 2  # feature frames from one time to the next
FRAME_SECONDS = TIMESTAMP_SECONDS / STRIDE


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was said between two times, in seconds from the window's start."""

    start: float
    end: float
    tokens: Tokens  # times included


class Seconds:
    """Reads times among tokens."""

    def __init__(self, timestamp_begin: int) -> None:
        """`timestamp_begin`: the token of 0.00 s."""
        self._begin = timestamp_begin

    def stretches(self, tokens: Tokens, frames: int) -> tuple[tuple[Stretch, ...], int]:
        """What a window of `frames` feature frames says, and by how many to move on.

        Where the last words have no end yet, the next window begins with them.
        """
        cuts = self._cuts(tokens)
        if not cuts:
            return (Stretch(0.0, self._end(tokens, frames), tokens),), frames
        closed = self._is(tokens[-1]) and not self._is(tokens[-2])
        if closed:
            cuts.append(len(tokens))
        parts = [tokens[start:stop] for start, stop in pairwise([0, *cuts])]
        found = tuple(Stretch(self._at(part[0]), self._at(part[-1]), part) for part in parts)
        return found, frames if closed else self._steps(tokens[cuts[-1] - 1]) * STRIDE

    def whole(self, tokens: Tokens, seconds: float) -> list[Stretch]:
        """All that a piece of so many seconds says, the last words whether they end or not."""
        parts = [tokens[start:stop] for start, stop in pairwise([0, *self._cuts(tokens), None])]
        return [self._within(part, seconds) for part in parts]

    def _cuts(self, tokens: Tokens) -> list[int]:
        """Places between two times side by side: one ends a stretch, the other begins the next."""
        return [place for place, pair in enumerate(pairwise(tokens), 1) if all(map(self._is, pair))]

    def _within(self, tokens: Tokens, seconds: float) -> Stretch:
        start = self._at(tokens[0]) if tokens and self._is(tokens[0]) else 0.0
        ends = len(tokens) > 1 and self._is(tokens[-1])
        return Stretch(start, min(self._at(tokens[-1]), seconds) if ends else seconds, tokens)

    def _end(self, tokens: Tokens, frames: int) -> float:
        """That of one stretch: its last time, if it has one beyond the start."""
        last = next((token for token in reversed(tokens) if self._is(token)), self._begin)
        return self._at(last) if last != self._begin else frames * FRAME_SECONDS

    def _is(self, token: int) -> bool:
        return token >= self._begin

    def _steps(self, token: int) -> int:
        return token - self._begin

    def _at(self, token: int) -> float:
        return self._steps(token) * TIMESTAMP_SECONDS


@dataclass(frozen=True, slots=True)
class Heard:
    """A stretch's text; `start` and `end` in seconds from where the audio begins."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()


def read(
    tokenizer: WhisperTokenizer, stretches: Sequence[Stretch], words: Sequence[Word], offset: float
) -> Iterator[Heard]:
    """Each stretch with its own of the `words`, so many seconds later."""
    for each in stretches:
        text = tokenizer.decode(each.tokens)
        count = leading(words, text)
        mine = tuple(word.later(offset) for word in words[:count])
        words = words[count:]
        yield Heard(offset + each.start, offset + each.end, text, mine)


def heard_in_piece(tokenizer: WhisperTokenizer, found: Hypothesis, seconds: float) -> list[Heard]:
    """What a piece of so many seconds says, by the times among its words.

    Times that go nowhere are not believed: then it is one stretch.
    """
    stretches = Seconds(tokenizer.timestamp_begin).whole(found.tokens, seconds)
    heard = [each for each in read(tokenizer, stretches, found.words, 0.0) if each.text]
    if heard and all(each.start < each.end for each in heard):
        return heard
    return [Heard(0.0, seconds, tokenizer.decode(found.tokens), found.words)]
