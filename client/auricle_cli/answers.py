"""What the command line needs of an answer.

What `auricle.transcript` and `auricle_client` hold both fits, so that no command cares where the
work was done.
"""

from collections.abc import Callable, Sequence
from dataclasses import Field
from typing import Any, ClassVar, Protocol

from auricle_cli.inputs import Source


class WordLike(Protocol):
    """A word, or more of them; `start` and `end` in seconds."""

    @property
    def start(self) -> float:
        """Seconds from the start of the audio."""
        ...

    @property
    def end(self) -> float:
        """Seconds from the start of the audio."""
        ...

    @property
    def text(self) -> str:
        """What was said in it."""
        ...

    @property
    def confidence(self) -> float:
        """0 to 1."""
        ...


class SegmentLike(WordLike, Protocol):
    """A stretch of speech."""

    @property
    def words(self) -> Sequence[WordLike]:
        """Its words, where their times were asked for."""
        ...

    @property
    def language(self) -> str:
        """Code of what was spoken, where the model knows more than one."""
        ...


class ReceiptLike(Protocol):
    """Where an answer's time went: a dataclass, shown as it is."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


class TranscriptLike(Protocol):
    """The answer to one audio of `duration` seconds."""

    @property
    def text(self) -> str:
        """What was said, on one line; empty when nobody spoke."""
        ...

    @property
    def segments(self) -> Sequence[SegmentLike]:
        """In the order of time."""
        ...

    @property
    def confidence(self) -> float:
        """0 to 1."""
        ...

    @property
    def duration(self) -> float:
        """Seconds of audio."""
        ...

    @property
    def receipt(self) -> ReceiptLike:
        """Where the time went."""
        ...

    @property
    def warnings(self) -> Sequence[str]:
        """For the user to read."""
        ...


class TranscriptionError(Exception):
    """One input could not be transcribed; the message is for the user."""


class Transcriber(Protocol):
    """Something that turns sources into transcripts. Safe to call from several threads at once."""

    def transcribe(self, source: Source) -> TranscriptLike:
        """The whole answer. Raises TranscriptionError."""
        ...

    def stream(self, source: Source, on_segment: Callable[[SegmentLike], None]) -> TranscriptLike:
        """The same while the source is read, each segment as soon as it is final."""
        ...

    def close(self) -> None:
        """Release the model or the connection."""
        ...
