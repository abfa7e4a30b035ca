"""Where a session's pieces come from: audio that is there as a whole, or audio that still comes."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from auricle.audio import Audio, AudioStream, Samples
from auricle.config import SAMPLE_RATE
from auricle.segmentation.segmenter import Piece


class PieceSource(Protocol):
    """Gives the pieces of one audio. Iterating it reads, decodes and cuts, so it blocks."""

    def __iter__(self) -> Iterator[Piece]:
        """Yield each piece as soon as it is complete."""
        ...

    @property
    def duration(self) -> float:
        """Seconds of audio; complete after the last piece."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """Names what was wrong with the audio; complete after the last piece."""
        ...


class StreamCutter(Protocol):
    """Cuts a stream of samples, as `Segmenter` does."""

    def feed(self, samples: Samples) -> list[Piece]:
        """Take samples `(S,)` and return the pieces that are complete now."""
        ...

    def flush(self) -> list[Piece]:
        """Return what is left at the end of the stream."""
        ...


class WholeAudio:
    """Loads an audio when the first piece is asked for, and cuts it as a whole."""

    def __init__(self, load: Callable[[], Audio], cut: Callable[[Audio], Iterator[Piece]]) -> None:
        self._load = load
        self._cut = cut
        self.duration = 0.0
        self.warnings: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Piece]:
        audio = self._load()
        self.duration, self.warnings = audio.duration, audio.warnings
        yield from self._cut(audio)


class StreamedAudio:
    """Cuts chunks of samples `(S,)` while they come."""

    def __init__(self, chunks: Iterable[Samples], cutter: StreamCutter) -> None:
        self._chunks = chunks
        self._cutter = cutter
        self._samples = 0

    def __iter__(self) -> Iterator[Piece]:
        for samples in self._chunks:
            self._samples += len(samples)
            yield from self._cutter.feed(samples)
        yield from self._cutter.flush()

    @property
    def duration(self) -> float:
        """Seconds of audio that came so far."""
        return self._samples / SAMPLE_RATE

    @property
    def warnings(self) -> tuple[str, ...]:
        """The decoder's warnings, where the chunks come from one."""
        return self._chunks.warnings if isinstance(self._chunks, AudioStream) else ()
