"""Divides a text into parts, at the timestamps that the model predicts among its words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from auricle.decoding import TimedText
from auricle.decoding.logits_processors import Tokens
from auricle.families.whisper.tokenizer import TIMESTAMP_SECONDS, WhisperTokenizer
from auricle.hypothesis import Hypothesis
from auricle.segmentation.joining import leading
from auricle_types.transcript import Word

STRIDE = 2  # feature frames from one timestamp to the next
FRAME_SECONDS = TIMESTAMP_SECONDS / STRIDE


@dataclass(frozen=True, slots=True)
class TimedTokens:
    """The tokens between two timestamps, in seconds from the window's start."""

    start: float
    end: float
    tokens: Tokens  # timestamps included


class TimestampReader:
    """Reads the timestamps among tokens."""

    def __init__(self, timestamp_begin: int) -> None:
        """`timestamp_begin` is the token of 0.00 s."""
        self._begin = timestamp_begin

    def in_window(self, tokens: Tokens, frames: int) -> tuple[tuple[TimedTokens, ...], int]:
        """Divide the text of a window of `frames` feature frames; tell by how many to move on.

        Where the last words have no end yet, the next window begins with them.
        """
        cuts = self._cuts(tokens)
        if not cuts:
            return (TimedTokens(0.0, self._end(tokens, frames), tokens),), frames
        closed = self._is_timestamp(tokens[-1]) and not self._is_timestamp(tokens[-2])
        if closed:
            cuts.append(len(tokens))
        parts = [tokens[start:stop] for start, stop in pairwise([0, *cuts])]
        found = tuple(
            TimedTokens(self._seconds(part[0]), self._seconds(part[-1]), part) for part in parts
        )
        return found, frames if closed else self._steps(tokens[cuts[-1] - 1]) * STRIDE

    def in_piece(self, tokens: Tokens, seconds: float) -> list[TimedTokens]:
        """Divide the text of a piece of so many seconds; its last words may lack an end."""
        parts = [tokens[start:stop] for start, stop in pairwise([0, *self._cuts(tokens), None])]
        return [self._within(part, seconds) for part in parts]

    def _cuts(self, tokens: Tokens) -> list[int]:
        """Find two timestamps side by side: one ends a part, the other begins the next."""
        return [
            place
            for place, pair in enumerate(pairwise(tokens), 1)
            if all(map(self._is_timestamp, pair))
        ]

    def _within(self, tokens: Tokens, seconds: float) -> TimedTokens:
        start = self._seconds(tokens[0]) if tokens and self._is_timestamp(tokens[0]) else 0.0
        ends = len(tokens) > 1 and self._is_timestamp(tokens[-1])
        return TimedTokens(
            start, min(self._seconds(tokens[-1]), seconds) if ends else seconds, tokens
        )

    def _end(self, tokens: Tokens, frames: int) -> float:
        """Return the end of a single part: its last timestamp, if one is beyond the start."""
        last = next((token for token in reversed(tokens) if self._is_timestamp(token)), self._begin)
        return self._seconds(last) if last != self._begin else frames * FRAME_SECONDS

    def _is_timestamp(self, token: int) -> bool:
        return token >= self._begin

    def _steps(self, token: int) -> int:
        return token - self._begin

    def _seconds(self, token: int) -> float:
        return self._steps(token) * TIMESTAMP_SECONDS


def with_texts(
    tokenizer: WhisperTokenizer, parts: Sequence[TimedTokens], words: Sequence[Word], offset: float
) -> Iterator[TimedText]:
    """Give each part its text and its own of the `words`, so many seconds later."""
    for each in parts:
        text = tokenizer.decode(each.tokens)
        count = leading(words, text)
        own = tuple(word.later(offset) for word in words[:count])
        words = words[count:]
        yield TimedText(offset + each.start, offset + each.end, text, own)


def texts_of_piece(
    tokenizer: WhisperTokenizer, hypothesis: Hypothesis, seconds: float
) -> list[TimedText]:
    """Divide the text of a piece of so many seconds at its timestamps.

    Where a part would end before it begins, the timestamps are ignored: then it is one part.
    """
    parts = TimestampReader(tokenizer.timestamp_begin).in_piece(hypothesis.tokens, seconds)
    texts = [each for each in with_texts(tokenizer, parts, hypothesis.words, 0.0) if each.text]
    if texts and all(each.start < each.end for each in texts):
        return texts
    return [TimedText(0.0, seconds, tokenizer.decode(hypothesis.tokens), hypothesis.words)]
