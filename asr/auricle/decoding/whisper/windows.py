"""Long audio in windows, moved by the times that the model says: openai-whisper's way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from auricle.decoding.filters import Tokens
from auricle.hypothesis import Hypothesis
from auricle.joining import leading
from auricle.tokenizer.whisper import TIMESTAMP_SECONDS, WhisperTokenizer
from auricle.transcript import Word

STRIDE = 2  # feature frames from one time to the next
FRAME_SECONDS = TIMESTAMP_SECONDS / STRIDE
HOT = 0.5  # what was drawn above this temperature is no context for others


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
        cuts = [place for place, pair in enumerate(pairwise(tokens), 1) if all(map(self._is, pair))]
        if not cuts:
            return (Stretch(0.0, self._end(tokens, frames), tokens),), frames
        closed = self._is(tokens[-1]) and not self._is(tokens[-2])
        if closed:
            cuts.append(len(tokens))
        parts = [tokens[start:stop] for start, stop in pairwise([0, *cuts])]
        found = tuple(Stretch(self._at(part[0]), self._at(part[-1]), part) for part in parts)
        return found, frames if closed else self._steps(tokens[cuts[-1] - 1]) * STRIDE

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
    """A stretch of the whole audio; `start` and `end` in seconds from its beginning."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()


class Windows:
    """Where the next window begins, and what its decoder is told of those before."""

    def __init__(
        self, tokenizer: WhisperTokenizer, frames: int, window: int, prompt: Sequence[int] = ()
    ) -> None:
        """For audio of `frames` feature frames; `prompt` stands before its first words.

        A window has `window` frames, the last one what is left.
        """
        self._tokenizer = tokenizer
        self._seconds = Seconds(tokenizer.timestamp_begin)
        self._frames = frames
        self._window = window
        self._said = list(prompt)
        self._told_from = 0  # index of the first token that is context
        self.start = 0  # feature frames from the audio's beginning

    @property
    def done(self) -> bool:
        """Whether all was heard."""
        return self.start >= self._frames

    @property
    def size(self) -> int:
        """Feature frames of the next window."""
        return min(self._window, self._frames - self.start)

    @property
    def prompt(self) -> Tokens:
        """What was said before the next window."""
        return tuple(self._said[self._told_from :])

    def take(self, hypothesis: Hypothesis) -> list[Heard]:
        """What the next window says; then the one behind it is next."""
        if not hypothesis.tokens:  # nobody spoke
            self.start += self.size
            return []
        offset = self.start * FRAME_SECONDS
        stretches, moved = self._seconds.stretches(hypothesis.tokens, self.size)
        spoken = [stretch for stretch in stretches if self._speaks(stretch)]
        self._said += [token for stretch in spoken for token in stretch.tokens]
        if hypothesis.temperature > HOT:
            self._told_from = len(self._said)
        self.start += moved
        heard = self._heard(stretches, hypothesis.words, offset)
        return [
            each for each, stretch in zip(heard, stretches, strict=True) if self._speaks(stretch)
        ]

    def _heard(
        self, stretches: Sequence[Stretch], words: Sequence[Word], offset: float
    ) -> Iterator[Heard]:
        """Each with its own of the window's words."""
        for each in stretches:
            text = self._tokenizer.decode(each.tokens)
            count = leading(words, text)
            mine = tuple(word.later(offset) for word in words[:count])
            words = words[count:]
            yield Heard(offset + each.start, offset + each.end, text, mine)

    def _speaks(self, stretch: Stretch) -> bool:
        return stretch.start != stretch.end and bool(self._tokenizer.decode(stretch.tokens))
