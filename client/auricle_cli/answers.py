"""What a command needs to transcribe: the same, whether a server does the work or this process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from auricle_cli.inputs import Source
from auricle_types.events import Event
from auricle_types.options import StreamingOptions
from auricle_types.transcript import Segment, Transcript


class TranscriptionError(Exception):
    """One input could not be transcribed; the message is for the user."""


@dataclass(frozen=True, slots=True)
class TranscriptionJob:
    """What a transcription is, besides its options, where this process does the work."""

    journal: Path | None = None  # file of the finished pieces, with which a next run goes on
    reached: Callable[[float], None] = lambda _: None  # gets the seconds of audio that are done
    channels_apart: bool = False  # recognise each channel by itself


class Transcriber(Protocol):
    """Something that turns sources into transcripts. Safe to call from several threads at once."""

    def transcribe(self, source: Source, job: TranscriptionJob = TranscriptionJob()) -> Transcript:
        """Transcribe the whole source. Raises TranscriptionError."""
        ...

    def stream(self, source: Source, on_segment: Callable[[Segment], None]) -> Transcript:
        """Transcribe while the source is read; `on_segment` gets each segment once it is final."""
        ...

    def listen(self, chunks: Iterator[bytes], streaming: StreamingOptions) -> Iterator[Event]:
        """Transcribe 16-bit PCM at 16 kHz while it comes. Raises TranscriptionError."""
        ...

    def close(self) -> None:
        """Release the model or the connection."""
        ...
