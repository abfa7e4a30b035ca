"""Transcription in this process."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing

from auricle.audio import AudioStream, PcmFormat, iter_audio, load_audio
from auricle.config import SAMPLE_RATE, DecodingOptions
from auricle.errors import AuricleError
from auricle.recognizer import Recognizer
from auricle.segmenter import Piece
from auricle.transcript import Recognition as Recognized
from auricle.transcript import Transcript
from auricle_cli.answers import SegmentLike, TranscriptionError
from auricle_cli.failure import Failure
from auricle_cli.recognition import Recognition
from auricle_cli.sources import Source

PIECES_IN_FLIGHT = 16


class LocalTranscriber:
    """A recogniser, asked from several threads; its engine makes batches of what they bring."""

    def __init__(
        self, recognizer: Recognizer, options: DecodingOptions, pcm: PcmFormat | None = None
    ) -> None:
        self._recognizer = recognizer
        self._options = options
        self._pcm = pcm

    def transcribe(self, source: Source) -> Transcript:
        """The whole answer. Raises TranscriptionError."""
        try:
            with source.open() as reader:
                audio = load_audio(reader, pcm=self._pcm)
            return self._recognizer.transcribe(audio, options=self._options)
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error

    def stream(self, source: Source, on_segment: Callable[[SegmentLike], None]) -> Transcript:
        """The same while the source is read. Raises TranscriptionError."""
        try:
            with source.open() as reader, closing(iter_audio(reader, pcm=self._pcm)) as audio:
                return self._stream(audio, on_segment)
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error

    def _stream(self, audio: AudioStream, on_segment: Callable[[SegmentLike], None]) -> Transcript:
        segmenter = self._recognizer.segmenter()
        pending: deque[Future[Recognized]] = deque()
        done: list[Recognized] = []

        def take(pieces: list[Piece], room: int) -> None:
            pending.extend(self._recognizer.submit(piece, self._options) for piece in pieces)
            while pending and (len(pending) > room or pending[0].done()):
                done.append(pending.popleft().result())
                on_segment(done[-1].segment)

        seconds = 0.0
        for samples in audio:
            seconds += len(samples) / SAMPLE_RATE
            take(segmenter.feed(samples), PIECES_IN_FLIGHT)
        take(segmenter.flush(), 0)
        return self._recognizer.join(done, duration=seconds, warnings=audio.warnings)

    def close(self) -> None:
        """Stop the engine."""
        self._recognizer.close()


def load(recognition: Recognition) -> LocalTranscriber:
    """Load the model. Raises Failure."""
    pcm = recognition.pcm
    try:
        options = DecodingOptions(recognition.beam, recognition.max_tokens)
        recognizer = Recognizer.from_pretrained(
            recognition.model or "bundled",
            device=recognition.device or "auto",
            dtype=recognition.dtype or "auto",
        )
        return LocalTranscriber(
            recognizer,
            options,
            PcmFormat(pcm.sample_rate, channels=pcm.channels, encoding=pcm.encoding)
            if pcm
            else None,
        )
    except AuricleError as error:
        raise Failure(str(error)) from error
