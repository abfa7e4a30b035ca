"""Long audio in windows, moved by the times that the model says: openai-whisper's way."""

from collections.abc import Sequence

from auricle.decoding.filters import Tokens
from auricle.decoding.whisper.stretches import FRAME_SECONDS, Heard, Seconds, Stretch, read
from auricle.hypothesis import Hypothesis
from auricle.tokenizer.whisper import WhisperTokenizer

HOT = 0.5  # what was drawn above this temperature is no context for others


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
        heard = read(self._tokenizer, stretches, hypothesis.words, offset)
        return [
            each for each, stretch in zip(heard, stretches, strict=True) if self._speaks(stretch)
        ]

    def _speaks(self, stretch: Stretch) -> bool:
        return stretch.start != stretch.end and bool(self._tokenizer.decode(stretch.tokens))
