"""How a model is spoken to: which options it understands, and what they mean to it."""

from typing import Protocol

from auricle.config import DecodingOptions, ModelConfig
from auricle.decoding.prelude import Course
from auricle.decoding.whisper import WhisperDialect
from auricle.errors import CheckpointMismatchError, InvalidOptionError
from auricle.tokenizer import Vocabulary
from auricle.tokenizer.whisper import WhisperTokenizer


class Dialect(Protocol):
    """Of a family of models."""

    def check(self, options: DecodingOptions) -> None:
        """Raises InvalidOptionError: the model does not understand one of the options."""
        ...

    def course(self, options: DecodingOptions, encoder_frames: int) -> Course | None:
        """The attempts at one utterance; None: only one, without a prompt."""
        ...


class PlainDialect:
    """Of models that know one language and nothing else to do with it."""

    def __init__(self, language: str = "en") -> None:
        """`language`: its code."""
        self._language = language

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

    def course(self, options: DecodingOptions, encoder_frames: int) -> Course | None:
        """One attempt."""
        return None


def dialect_of(config: ModelConfig, vocabulary: Vocabulary) -> Dialect:
    """That of a model of this family, with this vocabulary.

    Raises CheckpointMismatchError where they do not mean the same by START and END.
    """
    if config.family == "whisper" and isinstance(vocabulary, WhisperTokenizer):
        _check_agree(config, vocabulary)
        return WhisperDialect(vocabulary, config.transformer.max_tokens)
    return PlainDialect(config.language)


def _check_agree(config: ModelConfig, vocabulary: WhisperTokenizer) -> None:
    ours, listed = config.tokens, vocabulary.special
    if (ours.start[0], ours.end) != (listed.start[0], listed.end):
        raise CheckpointMismatchError(
            f"{config.name}: START and END are {ours.start[0]} and {ours.end}, but "
            f"{listed.start[0]} and {listed.end} in its vocabulary: take both from the same model"
        )
