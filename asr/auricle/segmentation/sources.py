"""Where a session's pieces come from: a recording, or audio that still comes."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, nullcontext
from typing import Protocol

from auricle.audio import Audio, AudioStream, Samples
from auricle.config import SAMPLE_RATE
from auricle.segmentation.blocks import parts
from auricle.segmentation.segmenter import Piece
from auricle_types.errors import RequestCancelledError


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

    def stop(self) -> None:
        """End soon; from any thread, also while the next piece is sought."""
        ...


class StreamCutter(Protocol):
    """Cuts a stream of samples, as `Segmenter` does."""

    def feed(self, samples: Samples) -> list[Piece]:
        """Take samples `(S,)` and return the pieces that are complete now."""
        ...

    def flush(self) -> list[Piece]:
        """Return what is left at the end of the stream."""
        ...


class CutAudio:
    """Counts the samples that are cut, and stops between two blocks once nobody wants them."""

    def __init__(self) -> None:
        self._audio: Audio | AudioStream | None = None  # which has the warnings
        self._samples = 0
        self._stopped = False

    @property
    def duration(self) -> float:
        """Seconds of audio that came so far."""
        return self._samples / SAMPLE_RATE

    @property
    def warnings(self) -> tuple[str, ...]:
        """The decoder's warnings, where the chunks come from one."""
        return self._audio.warnings if self._audio is not None else ()

    def stop(self) -> None:
        """Decode and cut no more than the present block, on whichever thread that happens."""
        self._stopped = True

    def _counted(self, chunks: Iterable[Samples]) -> Iterator[Samples]:
        """Raise RequestCancelledError once stopped; free the decoder at once, whatever happens."""
        with closing(chunks) if isinstance(chunks, AudioStream) else nullcontext():
            for part in parts(chunks):
                self._check()
                self._samples += len(part)
                yield part
                self._check()

    def _check(self) -> None:
        if self._stopped:
            raise RequestCancelledError("nobody waits for this audio any more")


class WholeAudio(CutAudio):
    """Opens a recording when the first piece is asked for, and cuts it as it is decoded."""

    def __init__(
        self,
        load: Callable[[], Audio | AudioStream],
        cut: Callable[[Iterable[Samples]], Iterator[Piece]],
    ) -> None:
        super().__init__()
        self._load = load
        self._cut = cut

    def __iter__(self) -> Iterator[Piece]:
        self._audio = audio = self._load()
        chunks = [audio.samples] if isinstance(audio, Audio) else audio
        yield from self._cut(self._counted(chunks))


class StreamedAudio(CutAudio):
    """Cuts chunks of samples `(S,)` while they come."""

    def __init__(self, chunks: Iterable[Samples], cutter: StreamCutter) -> None:
        super().__init__()
        self._audio = chunks if isinstance(chunks, AudioStream) else None
        self._chunks = chunks
        self._cutter = cutter

    def __iter__(self) -> Iterator[Piece]:
        for samples in self._counted(self._chunks):
            yield from self._cutter.feed(samples)
        yield from self._cutter.flush()
