"""Says who spoke, on the transcripts of another transcriber."""

from collections.abc import Callable, Iterator

from auricle_cli.answers import Transcriber, TranscriptionError, TranscriptionJob
from auricle_cli.inputs import Source
from auricle_types.errors import AuricleError
from auricle_types.events import Event
from auricle_types.options import PcmFormat, StreamingOptions
from auricle_types.transcript import Segment, Transcript


class SpeakerTranscriber:
    """Transcribes by another transcriber, and reads each source again to tell speakers apart."""

    def __init__(
        self, transcriber: Transcriber, speakers: int | None, pcm: PcmFormat | None = None
    ) -> None:
        """Find `speakers` of them, or as many as there seem to be. Closes `transcriber`, too.

        Raises:
            ExtraMissingError: the package that tells voices apart is not installed.
        """
        from auricle.diarization.embedding import CamPlusPlus  # late: it brings torch

        self._embedder = CamPlusPlus()
        self._transcriber = transcriber
        self._speakers = speakers
        self._pcm = pcm

    def transcribe(self, source: Source, job: TranscriptionJob = TranscriptionJob()) -> Transcript:
        """Transcribe the whole source. Raises TranscriptionError."""
        return self._labelled(self._transcriber.transcribe(source, job), source)

    def stream(self, source: Source, on_segment: Callable[[Segment], None]) -> Transcript:
        """Transcribe the source; the segments come at its end, when all voices are known."""
        transcript = self.transcribe(source)
        for segment in transcript.segments:
            on_segment(segment)
        return transcript

    def listen(self, chunks: Iterator[bytes], streaming: StreamingOptions) -> Iterator[Event]:
        """Transcribe while audio comes, without speakers: their voices are not known yet."""
        return self._transcriber.listen(chunks, streaming)

    def close(self) -> None:
        """Release the model or the connection."""
        self._transcriber.close()

    def _labelled(self, transcript: Transcript, source: Source) -> Transcript:
        from auricle.audio import load_audio
        from auricle.diarization import diarize, with_speakers

        try:
            with source.open() as reader:
                samples = load_audio(reader, pcm=self._pcm).samples
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error
        turns = diarize(samples, speakers=self._speakers, embedder=self._embedder)
        return with_speakers(transcript, turns)
