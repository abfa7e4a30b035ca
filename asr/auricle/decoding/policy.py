"""A decoding policy: which options the models of a family accept, and how they are decoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from auricle.decoding.encoded_utterance import EncodedUtterance
from auricle.decoding.logits_processors import Tokens
from auricle.decoding.passes import DecodingPasses
from auricle.decoding.utterance_facts import UtteranceFacts
from auricle.hypothesis import Hypothesis
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Word


@dataclass(frozen=True, slots=True)
class TimedText:
    """A part of the text; `start` and `end` count seconds from the beginning of the audio."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()


class AudioWindows(Protocol):
    """Moves a window over long audio: each result decides where the next window begins."""

    @property
    def start(self) -> int:
        """Where the next window begins, in feature frames from the beginning of the audio."""
        ...

    @property
    def size(self) -> int:
        """How many feature frames the next window has."""
        ...

    @property
    def done(self) -> bool:
        """Whether no audio is left."""
        ...

    @property
    def prompt(self) -> Tokens:
        """The text of earlier windows, as a prompt for the next one."""
        ...

    def advance(self, hypothesis: Hypothesis) -> list[TimedText]:
        """Take the result of the next window and move behind it; returns its text."""
        ...


class DecodingPolicy(Protocol):
    """What a family of models decides about decoding."""

    needs_speech_end: bool  # whether `UtteranceFacts.speech_end` changes its results
    has_word_times: bool  # whether it can tell when each word was said

    def check(self, options: DecodingOptions) -> None:
        """Raise InvalidOptionError: the models do not support one of the options."""
        ...

    def passes(self, options: DecodingOptions, facts: UtteranceFacts) -> DecodingPasses | None:
        """Return the passes over an utterance; None: a single one, with the model's own prompt."""
        ...

    def words(
        self, hypothesis: Hypothesis, options: DecodingOptions, encoded: EncodedUtterance
    ) -> tuple[Word, ...]:
        """Return when each word was said; `check` has accepted the options."""
        ...

    def timed_texts(self, hypothesis: Hypothesis, seconds: float) -> list[TimedText]:
        """Divide the text of a piece of so many seconds at the times that the model predicted.

        A model that predicts none gives an empty list.
        """
        ...

    def windows(self, options: DecodingOptions, frames: int, window: int) -> AudioWindows:
        """Return windows of up to `window` feature frames over `frames`.

        Raises InvalidOptionError: the model predicts no times by which windows could move.
        """
        ...

    def alignment_heads(self, encoded: EncodedUtterance) -> Sequence[tuple[int, int]]:
        """Return the layer and the head of the cross-attention heads that follow the speech."""
        ...
