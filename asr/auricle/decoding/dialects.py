"""How a model is spoken to: which options it understands, and what they mean to it."""

from typing import Protocol

from auricle.config import ModelConfig, SpecialTokens
from auricle.decoding.ctc_words import CtcAligner
from auricle.decoding.hearing import Hearing
from auricle.decoding.prelude import Course
from auricle.decoding.utterance import Utterance
from auricle.decoding.whisper import WhisperDialect, WordTimer, plain_prompt
from auricle.hypothesis import Hypothesis
from auricle.tokenizer import Tokenizer, Vocabulary
from auricle.tokenizer.whisper import WhisperTokenizer
from auricle_types.errors import (
    CheckpointMismatchError,
    CorruptCheckpointError,
    InvalidOptionError,
)
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Word


class Dialect(Protocol):
    """Of a family of models."""

    def check(self, options: DecodingOptions) -> None:
        """Raises InvalidOptionError: the model does not understand one of the options."""
        ...

    def course(self, options: DecodingOptions, utterance: Utterance) -> Course | None:
        """The attempts at one utterance; None: only one, without a prompt."""
        ...

    def words(
        self, found: Hypothesis, options: DecodingOptions, hearing: Hearing
    ) -> tuple[Word, ...]:
        """When each word of an utterance was said; `check` has passed its options."""
        ...


class PlainDialect:
    """Of models that know one language and nothing else to do with it."""

    def __init__(self, language: str = "en", aligner: CtcAligner | None = None) -> None:
        """`language`: its code. `aligner`: by the CTC head, if it has one."""
        self._language = language
        self._aligner = aligner

    def check(self, options: DecodingOptions) -> None:
        """Raises InvalidOptionError for what only other models do."""
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
        if options.word_timestamps and self._aligner is None:
            raise InvalidOptionError(
                "word_timestamps needs a CTC head or a Whisper model, and this model is neither: "
                "leave it out, or choose another model"
            )

    def course(self, options: DecodingOptions, utterance: Utterance) -> Course | None:
        """One attempt."""
        return None

    def words(
        self, found: Hypothesis, options: DecodingOptions, hearing: Hearing
    ) -> tuple[Word, ...]:
        """By forced alignment; none where the tokens do not fit into the frames."""
        if self._aligner is None or hearing.ctc_log_probs is None:
            return ()
        return self._aligner.words(hearing.ctc_log_probs, found.tokens)


def dialect_of(config: ModelConfig, vocabulary: Vocabulary) -> Dialect:
    """That of a model of this family, with this vocabulary.

    Raises CheckpointMismatchError where they do not mean the same by its special tokens.
    """
    if config.family == "whisper" and isinstance(vocabulary, WhisperTokenizer):
        _check_agree(config, vocabulary)
        timer = WordTimer(vocabulary, config.alignment_heads)
        return WhisperDialect(vocabulary, config.transformer.max_tokens, timer)
    if not config.transformer.ctc or not isinstance(vocabulary, Tokenizer):
        return PlainDialect(config.language)
    frame_seconds = config.transformer.subsampling / config.features.frames_per_second
    return PlainDialect(config.language, CtcAligner(vocabulary, frame_seconds))


def _check_agree(config: ModelConfig, vocabulary: WhisperTokenizer) -> None:
    """Generations of Whisper differ by a language, and all ids behind it by one."""
    ours, listed = config.tokens, _special(config.name, vocabulary)
    if (ours.start[0], ours.end) != (listed.start[0], listed.end):
        raise CheckpointMismatchError(
            f"{config.name}: START and END are {ours.start[0]} and {ours.end}, but "
            f"{listed.start[0]} and {listed.end} in its vocabulary: take both from the same model"
        )
    prompt = plain_prompt(vocabulary).tokens
    if not set(ours.start) <= set(prompt):
        raise CheckpointMismatchError(
            f"{config.name}: its prompt begins with {list(ours.start)}, but with {list(prompt)} by "
            "its vocabulary: take both from the same model"
        )


def _special(name: str, vocabulary: WhisperTokenizer) -> SpecialTokens:
    try:
        return vocabulary.special
    except CorruptCheckpointError as error:
        raise CorruptCheckpointError(f"{name}: {error}") from error
