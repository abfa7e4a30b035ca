"""Where a session's pieces come from: a recording, or audio that still comes."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from typing import Protocol

from auricle.audio import Audio, AudioStream, Samples
from auricle.config import SAMPLE_RATE
from auricle.segmentation.blocks import parts
from auricle.segmentation.live import Item
from auricle.segmentation.segmenter import Piece
from auricle_types.commands import END_UTTERANCE, EndUtterance
from auricle_types.errors import RequestCancelledError


class PieceSource(Protocol):
    """Gives the pieces of one audio. Iterating it reads, decodes and cuts, so it blocks."""

    def __iter__(self) -> Iterator[Item | None]:
        """Yield each piece as soon as it is complete; None where nothing is, but time passes."""
        ...

    def end_utterance(self) -> list[Item]:
        """End the open utterance now, while the iterator waits for more audio, and return it."""
        ...

    def keep_together(self, start: float, until: float) -> bool:
        """Promise not to cut the piece that begins at `start` before `until`, from any thread."""
        ...

    @property
    def duration(self) -> float:
        """Seconds of audio; complete after the last piece."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """Names what was wrong with the audio; complete after the last piece."""
        ...

    @property
    def done(self) -> bool:
        """Whether no more audio is wanted, though more may come."""
        ...

    def stop(self) -> None:
        """End soon; from any thread, also while the next piece is sought."""
        ...


class StreamCutter(Protocol):
    """Cuts a stream of samples, as `LiveSegmenter` does."""

    @property
    def done(self) -> bool:
        """Whether nothing more is wanted."""
        ...

    def feed(self, samples: Samples) -> list[Item]:
        """Take samples `(S,)` and return what is complete now."""
        ...

    def end_utterance(self) -> list[Item]:
        """Close the open utterance and return it."""
        ...

    def flush(self) -> list[Item]:
        """Return what is left at the end of the stream."""
        ...

    def keep_together(self, start: float, until: float) -> bool:
        """Promise not to cut the piece that begins at `start` before `until`, from any thread."""
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
    def done(self) -> bool:
        """Whether no more audio is wanted; a recording is always wanted to its end."""
        return False

    @property
    def warnings(self) -> tuple[str, ...]:
        """The decoder's warnings, where the chunks come from one."""
        return self._audio.warnings if self._audio is not None else ()

    def stop(self) -> None:
        """Decode and cut no more than the present block, on whichever thread that happens."""
        self._stopped = True  # before the look at the audio, which may be opened just now
        if isinstance(self._audio, AudioStream):
            self._audio.stop()

    def _counted(self, chunks: Iterable[Samples]) -> Iterator[Samples]:
        """Raise RequestCancelledError once stopped."""
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
        self._check()
        chunks = [audio.samples] if isinstance(audio, Audio) else audio
        with _freed(chunks):
            yield from self._cut(self._counted(chunks))

    def end_utterance(self) -> list[Item]:
        """Return nothing: a recording ends by itself."""
        return []

    def keep_together(self, start: float, until: float) -> bool:
        """Promise nothing: a recording has no drafts."""
        return False


class StreamedAudio(CutAudio):
    """Cuts chunks of samples `(S,)` while they come."""

    def __init__(self, chunks: Iterable[Samples | EndUtterance], cutter: StreamCutter) -> None:
        super().__init__()
        self._audio = chunks if isinstance(chunks, AudioStream) else None
        self._chunks = chunks
        self._cutter = cutter

    def __iter__(self) -> Iterator[Item | None]:
        with _freed(self._chunks):
            for chunk in self._chunks:
                if chunk is END_UTTERANCE:
                    yield from self._cutter.end_utterance()
                else:
                    yield from self._fed(chunk)
                if self._cutter.done:
                    return
                yield None  # results may have come meanwhile
            yield from self._cutter.flush()

    def _fed(self, chunk: Samples) -> Iterator[Item]:
        for part in self._counted([chunk]):
            yield from self._cutter.feed(part)

    @property
    def done(self) -> bool:
        """Whether the single utterance that was asked for is over."""
        return self._cutter.done

    def end_utterance(self) -> list[Item]:
        """End the open utterance, as an `END_UTTERANCE` among the chunks does."""
        return self._cutter.end_utterance()

    def keep_together(self, start: float, until: float) -> bool:
        """Promise not to cut within stable words."""
        return self._cutter.keep_together(start, until)


def _freed(chunks: Iterable[Samples | EndUtterance]) -> AbstractContextManager[object]:
    """Free a decoder at once on the way out, whatever happens."""
    return closing(chunks) if isinstance(chunks, AudioStream) else nullcontext()
