"""How a model is spoken to: which options it understands, and what they mean to it."""

from typing import Protocol

from auricle.config import DecodingOptions
from auricle.decoding.prelude import Course
from auricle.decoding.whisper import WhisperDialect
from auricle.errors import InvalidOptionError
from auricle.tokenizer import SpecialTokens, Vocabulary
from auricle.tokenizer.whisper import WhisperTokenizer


class Dialect(Protocol):
    """Of a family of models."""

    @property
    def special(self) -> SpecialTokens:
        """The ids that are no text."""
        ...

    def check(self, options: DecodingOptions) -> None:
        """Raises InvalidOptionError: the model does not understand one of the options."""
        ...

    def course(self, options: DecodingOptions, encoder_frames: int) -> Course | None:
        """The attempts at one utterance; None: only one, without a prompt."""
        ...


class PlainDialect:
    """Of models that know one language and nothing else to do with it."""

    def __init__(self, special: SpecialTokens, language: str = "en") -> None:
        """`language`: its code."""
        self.special = special
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


def dialect_of(vocabulary: Vocabulary, language: str = "en") -> Dialect:
    """That of the model with this vocabulary."""
    if isinstance(vocabulary, WhisperTokenizer):
        return WhisperDialect(vocabulary)
    return PlainDialect(vocabulary.special, language)
