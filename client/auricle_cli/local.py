"""Transcribes audio in this process."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from auricle.audio import AudioStream, PcmFormat, Samples, iter_audio
from auricle.audio.stream import count_channels
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle.segmentation.sources import WholeAudio
from auricle.session import Session, events, final_transcript
from auricle.transcript import Recognition
from auricle.version import __version__
from auricle_cli.answers import TranscriptionError, TranscriptionJob
from auricle_cli.channels import interleaved
from auricle_cli.inputs import OWN_FILES, Source
from auricle_cli.journal import ChannelSubmit, Submit, resuming
from auricle_cli.recognition import RecognitionSetup
from auricle_types.errors import AuricleError
from auricle_types.events import Event, FinalSegment, FinalTranscript
from auricle_types.options import DecodingOptions, LoadingOptions, StreamingOptions
from auricle_types.transcript import Segment, Transcript


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
            with self._submitting(source, job) as submit:
                count = self._channels(source) if job.channels_apart else 1
                if count == 1:
                    return self._whole(source, _reporting(submit, job.reached))
                return self._each_channel(source, count, submit, job.reached)
        except (AuricleError, OSError) as error:
            raise TranscriptionError(str(error)) from error

    def _each_channel(
        self, source: Source, count: int, submit: ChannelSubmit, reached: Callable[[float], None]
    ) -> Transcript:
        """Recognise one channel after the other; all are as long as the first."""
        done: list[Transcript] = []
        for channel in range(count):
            before = sum(each.duration for each in done)
            telling = _reporting(
                partial(submit, channel=channel),
                lambda s, b=before: reached((b + s) / count),  # type: ignore[misc]
            )
            done.append(self._whole(source, telling, channel))
        return interleaved(done)

    def _whole(self, source: Source, submit: Submit, channel: int | None = None) -> Transcript:
        """Recognise all of one channel, cut between turns however short it is, or of their mean."""
        with source.open() as reader:
            audio = self._audio(reader, channel)
            cut = partial(self._recognizer.cut, at_once=channel is None)
            whole = WholeAudio(lambda: audio, cut)
            session = Session(whole, submit, model_id=self._recognizer.model_id)
            return final_transcript(events(session))

    @contextmanager
    def _submitting(self, source: Source, job: TranscriptionJob) -> Iterator[ChannelSubmit]:
        """Yield what takes the pieces of `source`. Raises OSError for its file or its journal."""
        submit: Submit = partial(self._recognizer.submit, options=self._options, block=True)
        if job.journal is None or source.path is None:
            yield lambda piece, channel=0: submit(piece)  # noqa: ARG005  # all are alike here
            return
        with resuming(job.journal, submit, self._identity(source.path.stat())) as journal:
            yield journal.submit

    def _channels(self, source: Source) -> int:
        """Count the channels. Raises OSError for what can be read only once."""
        if source.path is None or not source.path.is_file():
            raise OSError("it can be read only once: give a file, to separate its channels")
        with source.open() as reader:
            return count_channels(reader, pcm=self._pcm, limits=OWN_FILES)

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
            "files": [_stamp(self._loading.model), _stamp(self._loading.lm)],
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

    def listen(self, chunks: Iterator[bytes], streaming: StreamingOptions) -> Iterator[Event]:
        """Transcribe 16-bit PCM at 16 kHz while it comes. Raises TranscriptionError."""
        samples = (as_samples(chunk) for chunk in chunks)
        try:
            yield from self._recognizer.stream(samples, options=self._options, streaming=streaming)
        except AuricleError as error:
            raise TranscriptionError(str(error)) from error

    def _audio(self, reader: BinaryIO, channel: int | None = None) -> AudioStream:
        return iter_audio(reader, pcm=self._pcm, limits=OWN_FILES, channel=channel)

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
    return LocalTranscriber(recognizer, recognition.decoding, recognition.pcm, recognition.loading)


def as_samples(chunk: bytes) -> Samples:
    """Convert 16-bit PCM to samples `(S,)`, -1 to 1."""
    return np.frombuffer(chunk, "<i2").astype(np.float32) / np.float32(32_768)


def _stamp(path: str | Path | None) -> tuple[int, int] | None:
    """Return the size and the time of a model's file; None where a name stands for it."""
    if path is None or not Path(path).exists():
        return None
    file = Path(path).stat()
    return file.st_size, file.st_mtime_ns


def _reporting(submit: Submit, reached: Callable[[float], None]) -> Submit:
    """Return a `submit` that tells how far the recognition has come."""

    def submit_and_tell(piece: Piece) -> Future[Recognition]:
        future = submit(piece)
        future.add_done_callback(lambda _: reached(piece.end))
        return future

    return submit_and_tell
