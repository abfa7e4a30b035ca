"""Transcribes audio in this process."""

import math
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any, BinaryIO

from auricle.audio import AudioLimits, AudioStream, PcmFormat, iter_audio
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle.segmentation.sources import WholeAudio
from auricle.session import FinalTranscript, Session, events, final_transcript
from auricle.transcript import Recognition
from auricle.version import __version__
from auricle_cli.answers import TranscriptionError, TranscriptionJob
from auricle_cli.inputs import Source
from auricle_cli.journal import Submit, resuming
from auricle_cli.recognition import RecognitionSetup
from auricle_types.errors import AuricleError
from auricle_types.options import DecodingOptions, LoadingOptions
from auricle_types.transcript import Segment, Transcript

OWN_FILES = AudioLimits(max_bytes=sys.maxsize, max_seconds=math.inf)  # whoever runs this has them


class LocalTranscriber:
    """Asks a recogniser from several threads; its engine makes batches of what they bring."""

    def __init__(
        self,
        recognizer: Recognizer,
        options: DecodingOptions,
        pcm: PcmFormat | None = None,
        loading: LoadingOptions = LoadingOptions(),
    ) -> None:
        """Decode by `options`; `loading` is how the recogniser was made, for journals."""
        self._recognizer = recognizer
        self._options = options
        self._pcm = pcm
        self._loading = loading

    def transcribe(self, source: Source, job: TranscriptionJob = TranscriptionJob()) -> Transcript:
        """Transcribe the whole source. Raises TranscriptionError."""
        try:
            with source.open() as reader, self._submitting(source, job) as submit:
                audio = self._audio(reader)
                whole = WholeAudio(lambda: audio, self._recognizer.cut)
                model_id = self._recognizer.model_id
                return final_transcript(events(Session(whole, submit, model_id=model_id)))
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error

    @contextmanager
    def _submitting(self, source: Source, job: TranscriptionJob) -> Iterator[Submit]:
        """Yield what takes the pieces of `source`. Raises OSError for its file or its journal."""
        submit: Submit = partial(self._recognizer.submit, options=self._options, block=True)
        with ExitStack() as opened:
            if job.journal is not None and source.path is not None:
                identity = self._identity(source.path.stat())
                submit = opened.enter_context(resuming(job.journal, submit, identity))
            yield _reporting(submit, job.reached)

    def _identity(self, file: os.stat_result) -> dict[str, Any]:
        """Return all that a piece's recognition depends on, as far as it can be told."""
        return {
            "journal_of": __version__,
            "bytes": file.st_size,
            "modified_ns": file.st_mtime_ns,
            "model_id": self._recognizer.model_id,
            "device": self._recognizer.device,
            "dtype": self._recognizer.dtype,
            "loading": asdict(self._loading),
            "decoding": asdict(self._options),
            "pcm": self._pcm and asdict(self._pcm),
        }

    def stream(self, source: Source, on_segment: Callable[[Segment], None]) -> Transcript:
        """Transcribe while the source is read. Raises TranscriptionError."""
        try:
            with source.open() as reader, closing(self._audio(reader)) as audio:
                return self._stream(audio, on_segment)
        except BrokenPipeError:
            raise  # of the output, not of the source: nobody reads it any more
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error

    def _audio(self, reader: BinaryIO) -> AudioStream:
        return iter_audio(reader, pcm=self._pcm, limits=OWN_FILES)

    def _stream(self, audio: AudioStream, on_segment: Callable[[Segment], None]) -> Transcript:
        with closing(self._recognizer.stream(audio, options=self._options)) as events:
            for event in events:
                if isinstance(event, FinalTranscript):
                    return event.transcript
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
    return LocalTranscriber(recognizer, recognition.decoding, recognition.pcm, recognition.loading)


def _reporting(submit: Submit, reached: Callable[[float], None]) -> Submit:
    """Return a `submit` that tells how far the recognition has come."""

    def submit_and_tell(piece: Piece) -> Future[Recognition]:
        future = submit(piece)
        future.add_done_callback(lambda _: reached(piece.end))
        return future

    return submit_and_tell
