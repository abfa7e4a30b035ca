"""The policy of models that transcribe one language and take no prompt."""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from auricle.decoding.encoded_utterance import EncodedUtterance, heads_of_layers
from auricle.decoding.passes import DecodingPasses
from auricle.decoding.policy import AudioWindows, TimedText
from auricle.decoding.utterance_facts import UtteranceFacts
from auricle.hypothesis import Hypothesis
from auricle_types.errors import InvalidOptionError
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Word


class WordAligner(Protocol):
    """Finds out when words were said, by the posteriors of the CTC head."""

    def words(self, ctc_log_probs: Tensor, tokens: Sequence[int]) -> tuple[Word, ...]:
        """Return the words of `tokens`, by `ctc_log_probs (N, V)`; none where they do not fit."""
        ...


class PlainPolicy:
    """A `DecodingPolicy` of a single pass."""

    needs_speech_end = False

    def __init__(self, language: str, aligner: WordAligner | None = None) -> None:
        """`language` is a code. Without an `aligner` there are no word times."""
        self._language = language
        self._aligner = aligner
        self.has_word_times = aligner is not None

    def check(self, options: DecodingOptions) -> None:
        """Raise InvalidOptionError for what only models of other families do."""
        if options.language is not None and options.language != self._language:
            raise InvalidOptionError(
                f"language must be {self._language} with this model, not {options.language!r}"
            )
        if options.task != "transcribe":
            raise InvalidOptionError(f"task must be transcribe with this model: {options.task!r}")
        unknown = {
            "prompt": options.prompt,
            "timestamps": options.timestamps,
            "fallback": options.fallback,
        }
        for name, value in unknown.items():
            if value:
                raise InvalidOptionError(f"{name} is not an option of this model: Whisper has it")
        if options.word_timestamps and not self.has_word_times:
            raise InvalidOptionError(
                "word_timestamps needs a CTC head or a Whisper model, and this model is neither: "
                "leave it out, or choose another model"
            )

    def passes(self, options: DecodingOptions, facts: UtteranceFacts) -> DecodingPasses | None:
        """Return None: a single pass, with the model's own prompt."""
        return None

    def words(
        self, hypothesis: Hypothesis, options: DecodingOptions, encoded: EncodedUtterance
    ) -> tuple[Word, ...]:
        """Align the tokens with the audio; no words where they do not fit into the frames."""
        if self._aligner is None or encoded.ctc_log_probs is None:
            return ()
        return self._aligner.words(encoded.ctc_log_probs, hypothesis.tokens)

    def timed_texts(self, hypothesis: Hypothesis, seconds: float) -> list[TimedText]:
        """Return nothing: the models predict no times."""
        return []

    def windows(self, options: DecodingOptions, frames: int, window: int) -> AudioWindows:
        """Raise InvalidOptionError: the models predict no times."""
        raise InvalidOptionError("windows move by the times that a Whisper model says")

    def alignment_heads(self, encoded: EncodedUtterance) -> Sequence[tuple[int, int]]:
        """Return all heads of the last layer."""
        layers = len(encoded.memory)
        return heads_of_layers(encoded, range(layers - 1, layers))
