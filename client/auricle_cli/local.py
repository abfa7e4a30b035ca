"""Transcribes audio in this process."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict

from auricle.audio import AudioStream, PcmFormat, iter_audio
from auricle.recognizer import Recognizer
from auricle_cli.answers import TranscriptionError
from auricle_cli.inputs import Source
from auricle_cli.recognition import RecognitionSetup
from auricle_types.errors import AuricleError
from auricle_types.events import FinalSegment, FinalTranscript
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Segment, Transcript


class LocalTranscriber:
    """Asks a recogniser from several threads; its engine makes batches of what they bring."""

    def __init__(
        self, recognizer: Recognizer, options: DecodingOptions, pcm: PcmFormat | None = None
    ) -> None:
        self._recognizer = recognizer
        self._options = options
        self._pcm = pcm

    def transcribe(self, source: Source) -> Transcript:
        """Transcribe the whole source. Raises TranscriptionError."""
        try:
            with source.open() as reader:
                audio = iter_audio(reader, pcm=self._pcm)
                return self._recognizer.transcribe(audio, options=self._options)
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error

    def stream(self, source: Source, on_segment: Callable[[Segment], None]) -> Transcript:
        """Transcribe while the source is read. Raises TranscriptionError."""
        try:
            with source.open() as reader, closing(iter_audio(reader, pcm=self._pcm)) as audio:
                return self._stream(audio, on_segment)
        except BrokenPipeError:
            raise  # of the output, not of the source: nobody reads it any more
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error

    def _stream(self, audio: AudioStream, on_segment: Callable[[Segment], None]) -> Transcript:
        with closing(self._recognizer.stream(audio, options=self._options)) as events:
            for event in events:
                if isinstance(event, FinalTranscript):
                    return event.transcript
                if isinstance(event, FinalSegment):
                    on_segment(event.segment)
        raise TranscriptionError("the recogniser gave no transcript")

    def close(self) -> None:
        """Stop the engine; after Ctrl-C nobody waits for what is in its queue."""
        self._recognizer.close(drain=False)


def load(recognition: RecognitionSetup) -> LocalTranscriber:
    """Load the model that the options name; raises what `Recognizer.from_pretrained` raises."""
    recognizer = Recognizer.from_pretrained(
        **asdict(recognition.loading), engine=recognition.engine
    )
    return LocalTranscriber(recognizer, recognition.decoding, recognition.pcm)
