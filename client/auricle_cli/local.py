"""Transcribes audio in this process."""

from collections.abc import Callable
from contextlib import closing

from auricle.audio import AudioStream, PcmFormat, iter_audio, load_audio
from auricle.config import DecodingOptions, EngineConfig
from auricle.errors import AuricleError
from auricle.recognizer import Recognizer
from auricle.session import FinalTranscript
from auricle.transcript import Transcript
from auricle_cli.answers import SegmentLike, TranscriptionError
from auricle_cli.failure import Failure
from auricle_cli.inputs import Source
from auricle_cli.recognition import Recognition


class LocalTranscriber:
    """Asks a recogniser from several threads; its engine makes batches of what they bring."""

    def __init__(
        self, recognizer: Recognizer, options: DecodingOptions, pcm: PcmFormat | None = None
    ) -> None:
        self._recognizer = recognizer
        self._options = options
        self._pcm = pcm

    def transcribe(self, source: Source) -> Transcript:
        """Transcribe a whole audio. Raises TranscriptionError."""
        try:
            with source.open() as reader:
                audio = load_audio(reader, pcm=self._pcm)
            return self._recognizer.transcribe(audio, options=self._options)
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error

    def stream(self, source: Source, on_segment: Callable[[SegmentLike], None]) -> Transcript:
        """Transcribe while the source is read. Raises TranscriptionError."""
        try:
            with source.open() as reader, closing(iter_audio(reader, pcm=self._pcm)) as audio:
                return self._stream(audio, on_segment)
        except BrokenPipeError:
            raise  # of the output, not of the source: nobody reads it any more
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error

    def _stream(self, audio: AudioStream, on_segment: Callable[[SegmentLike], None]) -> Transcript:
        with closing(self._recognizer.stream(audio, options=self._options)) as events:
            for event in events:
                if isinstance(event, FinalTranscript):
                    return event.transcript
                on_segment(event.segment)
        raise TranscriptionError("the recogniser gave no transcript")

    def close(self) -> None:
        """Stop the engine; after Ctrl-C nobody waits for what is in its queue."""
        self._recognizer.close(drain=False)


def load(recognition: Recognition) -> LocalTranscriber:
    """Load the model that the options name. Raises Failure."""
    try:
        options = DecodingOptions(
            beam_size=recognition.beam,
            max_tokens=recognition.max_tokens,
            temperature=recognition.temperature,
            seed=recognition.seed,
            ctc_weight=recognition.ctc_weight,
            lm_weight=recognition.lm_weight,
            guards=recognition.guards,
            language=recognition.language,
            task=recognition.task or "transcribe",
            prompt=recognition.prompt,
            timestamps=recognition.timestamps,
            word_timestamps=recognition.word_timestamps,
            fallback=recognition.fallback,
        )
        recognizer = Recognizer.from_pretrained(
            recognition.model or "bundled",
            lm=recognition.lm,
            device=recognition.device or "auto",
            dtype=recognition.dtype or "auto",
            engine=EngineConfig(exact=recognition.exact, processes=recognition.processes or 1),
            audio_context=recognition.audio_context,
        )
    except AuricleError as error:
        raise Failure(str(error)) from error
    pcm = recognition.pcm
    declared = PcmFormat(pcm.sample_rate, pcm.channels, pcm.encoding) if pcm else None
    return LocalTranscriber(recognizer, options, declared)
