"""Long audio in windows that move by the timestamps of the model, as in openai-whisper."""

from collections.abc import Sequence

from auricle.decoding import TimedText
from auricle.decoding.logits_processors import Tokens
from auricle.families.whisper.timed_text import (
    FRAME_SECONDS,
    TimedTokens,
    TimestampReader,
    with_texts,
)
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle.hypothesis import Hypothesis

HOT = 0.5  # text that was drawn above this temperature is no prompt for later windows


class TimestampWindows:
    """An `AudioWindows`: the next window begins where the last complete part of text ends."""

    def __init__(
        self,
        tokenizer: WhisperTokenizer,
        frames: int,
        window: int,
        prompt: Sequence[int] = (),
        context: int | None = None,
    ) -> None:
        """Divide audio of `frames` feature frames; `prompt` stands before its first words.

        A window has `window` frames, the last one what is left. Prompts have up to `context`
        tokens.
        """
        self._tokenizer = tokenizer
        self._timestamps = TimestampReader(tokenizer.timestamp_begin)
        self._frames = frames
        self._window = window
        self._context = context
        self._tokens = list(prompt)  # of all windows so far
        self._prompt_begin = 0  # index of the first token that may be in a prompt
        self.start = 0  # feature frames from the audio's beginning

    @property
    def done(self) -> bool:
        """Whether no audio is left."""
        return self.start >= self._frames

    @property
    def size(self) -> int:
        """How many feature frames the next window has."""
        return min(self._window, self._frames - self.start)

    @property
    def prompt(self) -> Tokens:
        """The tokens of earlier windows, for the prompt of the next."""
        tokens = tuple(self._tokens[self._prompt_begin :])
        return tokens if self._context is None else tokens[-self._context :]

    def advance(self, hypothesis: Hypothesis) -> list[TimedText]:
        """Return the text of the next window, and move to the one behind it."""
        if not hypothesis.tokens:  # nobody spoke
            self.start += self.size
            return []
        offset = self.start * FRAME_SECONDS
        parts, moved = self._timestamps.in_window(hypothesis.tokens, self.size)
        has_text = [self._has_text(part) for part in parts]
        for part, counts in zip(parts, has_text, strict=True):
            self._tokens += part.tokens if counts else ()
        if hypothesis.temperature > HOT:
            self._prompt_begin = len(self._tokens)
        self.start += moved
        texts = with_texts(self._tokenizer, parts, hypothesis.words, offset)
        return [text for text, counts in zip(texts, has_text, strict=True) if counts]

    def _has_text(self, part: TimedTokens) -> bool:
        return part.start != part.end and bool(self._tokenizer.decode(part.tokens))
