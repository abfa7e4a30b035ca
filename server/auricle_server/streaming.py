"""Audio that is cut while it arrives."""

from collections.abc import Iterator

from auricle.audio import AudioStream
from auricle.config import SAMPLE_RATE
from auricle.segmentation.segmenter import Piece
from auricle_server.seam import Segmenter


class StreamedPieces:
    """The pieces of an audio stream. Iterate it in a worker thread: it blocks for the audio."""

    def __init__(self, stream: AudioStream, segmenter: Segmenter) -> None:
        """Cuts `stream` by `segmenter`."""
        self._stream = stream
        self._segmenter = segmenter
        self._samples = 0

    def __iter__(self) -> Iterator[Piece]:
        """Each piece as soon as it is complete."""
        for samples in self._stream:  # (S,)
            self._samples += len(samples)
            yield from self._segmenter.feed(samples)
        yield from self._segmenter.flush()

    @property
    def duration(self) -> float:
        """Seconds of audio seen so far."""
        return self._samples / SAMPLE_RATE

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was wrong with the audio; complete after the last piece."""
        return tuple(self._stream.warnings)
