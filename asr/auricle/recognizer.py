"""The library's front door: audio in, transcripts out, through an engine."""

from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, cast, overload

from auricle.audio import AudioStream, Samples, validate_samples
from auricle.audio.audio import check_values
from auricle.audio.inputs import AudioInput, as_audio, is_many, opened
from auricle.checkpoint import Checkpoint
from auricle.engine.invariance import Checks, InvarianceChecker
from auricle.engine.serving import Serving
from auricle.engine.statistics import Statistics
from auricle.forks import OwnerProcess
from auricle.host import Loading, ModelDescription, run_checkpoint, run_model
from auricle.naming import BUNDLED, model_path
from auricle.pieces import PieceRecognizer
from auricle.pulling import PulledItems
from auricle.segmentation.cutting import cut
from auricle.segmentation.joining import join
from auricle.segmentation.live import LiveSegmenter
from auricle.segmentation.segmenter import Piece
from auricle.segmentation.sources import PieceSource, StreamedAudio, WholeAudio
from auricle.session import Session, events, events_async, final_transcript
from auricle.transcript import Recognition
from auricle_types.commands import END_UTTERANCE, EndUtterance
from auricle_types.events import Event
from auricle_types.options import AudioContext, DecodingOptions, EngineConfig, StreamingOptions
from auricle_types.transcript import Transcript

READERS = 16  # audios that are read and cut at a time, for each process


class Recognizer:
    """Recognises speech with one engine. Safe to use from many threads; close it when done."""

    def __init__(
        self,
        engine: Serving,
        model: ModelDescription,
        *,
        checker: InvarianceChecker | None = None,
        at_once: int = READERS,
    ) -> None:
        """Recognise by `engine`, which runs `model`, and close it with this.

        `from_pretrained` loads a model and starts an engine for it.

        Args:
            engine: whatever takes requests and answers with outcomes.
            model: describes the model that the engine runs.
            checker: decodes a share of the requests again, alone; it is closed with this.
            at_once: how many audios of a list are read and recognised at a time.
        """
        self._home = OwnerProcess()
        self._engine = engine
        self._checker = checker
        self._at_once = at_once
        self._pieces = PieceRecognizer(engine, model, checker)
        self.config = model.config
        self.model_id = model.config.name
        self.device, self.dtype = model.device, model.dtype

    @classmethod
    def from_checkpoint(
        cls,
        checkpoint: Checkpoint,
        *,
        device: str = "auto",
        dtype: str = "auto",
        engine: EngineConfig | None = None,
        check_invariance: float = 0.0,
    ) -> Self:
        """Start an engine for a loaded checkpoint.

        Raises:
            InvalidOptionError: the device or the dtype is not to be had, or another option is
                outside its range.
        """
        config = engine or EngineConfig()
        running = run_checkpoint(checkpoint, device, dtype, config, check_invariance)
        return cls(running.engine, running.model, checker=running.checker)

    @classmethod
    def from_pretrained(
        cls,
        model: str | Path = BUNDLED,
        *,
        lm: str | Path | None = None,
        device: str = "auto",
        dtype: str = "auto",
        engine: EngineConfig | None = None,
        check_invariance: float = 0.0,
        audio_context: AudioContext | None = None,
    ) -> Self:
        """Load the bundled model, or another by its name or path.

        Args:
            model: `"bundled"`, a short name such as `tiny.en` (`auricle models list`), a name on
                the Hub such as `openai/whisper-tiny`, or the path of a checkpoint of ours, of a
                folder from the Hub or of faster-whisper, or of one of OpenAI's `.pt` files
                (docs/checkpoints.md).
            lm: the path of a language model's file; by default the one beside the checkpoint,
                if there is one.
            device: `cpu`, `cuda` or `auto`.
            dtype: `float32`, `bfloat16`, `float16`, `int8` (the products on a CPU,
                the weights elsewhere) or `auto`.
            engine: the engine's budgets, and in how many processes it runs. With several, a
                script must be importable, as for `multiprocessing`: guard what it does by
                `if __name__ == "__main__":`.
            check_invariance: the share of requests, 0 to 1, that is decoded again alone; where
                that gives other tokens, a warning is logged and `checks` counts it.
            audio_context: `full` encodes the model's whole window always, `auto` what there is;
                None: `auto` where the model was taught to do with that.

        Raises:
            ModelError: it cannot be loaded; its class says why.
            InvalidOptionError: the device or the dtype is not to be had, or another option is
                outside its range.
            EngineStoppedError: one of several processes ended while it loaded the model.
        """
        lm_path = Path(lm) if lm is not None else None
        loading = Loading(model_path(model), lm_path, device, dtype, audio_context)
        config = engine or EngineConfig()
        running = run_model(loading, config, check_invariance)
        readers = READERS * config.processes
        return cls(running.engine, running.model, checker=running.checker, at_once=readers)

    @overload
    def transcribe(  # type: ignore[overload-overlap]  # a str is one source, not many
        self, audio: AudioInput, *, options: DecodingOptions | None = None
    ) -> Transcript: ...

    @overload
    def transcribe(
        self, audio: Sequence[AudioInput], *, options: DecodingOptions | None = None
    ) -> list[Transcript]: ...

    def transcribe(
        self,
        audio: AudioInput | Sequence[AudioInput],
        *,
        options: DecodingOptions | None = None,
    ) -> Transcript | list[Transcript]:
        """Recognise one audio, or several together.

        Args:
            audio: what `load_audio` reads (a path, the bytes of a file, an open file, samples
                `(S,)` at 16 kHz, samples with their rate), an `Audio`, what `iter_audio` gives, or
                a list of such. Files and bytes are decoded while they are recognised.
            options: how to decode.

        Returns:
            One transcript for one audio, a list for a list.

        Raises:
            AudioError: an audio cannot be read; its class says why.
            RequestError: the engine could not finish.
        """
        if not is_many(audio):
            return self._transcribe(cast(AudioInput, audio), options)
        with ThreadPoolExecutor(self._at_once, thread_name_prefix="auricle-reader") as readers:
            return list(readers.map(lambda each: self._transcribe(each, options), audio))

    async def transcribe_async(
        self, audio: AudioInput, *, options: DecodingOptions | None = None
    ) -> Transcript:
        """Recognise one audio without blocking the event loop; waits for room in a full queue.

        Audio is read and cut in a thread. Cancelling the task drops the work.

        Args:
            audio: as for `transcribe`, but one.
            options: how to decode.

        Raises:
            AudioError: the audio cannot be read; its class says why.
            RequestError: the engine could not finish.
        """
        session = self._session(self._whole(audio), options)
        async with aclosing(events_async(session)) as happened:
            return final_transcript([event async for event in happened])

    def stream(
        self,
        chunks: Iterable[Samples | EndUtterance],
        *,
        options: DecodingOptions | None = None,
        streaming: StreamingOptions | None = None,
    ) -> Generator[Event, None, None]:
        """Recognise audio while it comes.

        Args:
            chunks: samples `(S,)` in float32 at 16 kHz, of any length each, or what
                `auricle.audio.iter_audio` gives. An `END_UTTERANCE` between two chunks ends the
                utterance at once.
            options: how to decode.
            streaming: when an utterance ends, and what is told before.

        Yields:
            A `FinalSegment` as soon as each segment is recognised, and a `FinalTranscript` at the
            end; other events as `streaming` asks for them. The generator reads chunks while it
            runs, so it should be asked for the next event soon. Work that is not yet done is
            dropped when it is closed.

        Raises:
            AudioError: the audio cannot be read; its class says why.
            RequestError: the engine could not finish.
        """
        return events(self._session(self._streamed(chunks, streaming), options))

    async def stream_async(
        self,
        chunks: AsyncIterable[Samples | EndUtterance],
        *,
        options: DecodingOptions | None = None,
        streaming: StreamingOptions | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Recognise audio while it comes, as `stream`, without blocking the event loop.

        A chunk is asked for only when it is needed. Close the generator when done.
        """
        items = PulledItems(aiter(chunks))
        session = self._session(self._streamed(items, streaming), options)
        threads = ThreadPoolExecutor(2, "auricle-stream")  # one of them mostly waits for chunks
        try:
            async with aclosing(events_async(session, threads)) as happened:
                async for event in happened:
                    yield event
        finally:
            items.cancel()
            threads.shutdown(wait=False)

    def transcribe_in_windows(
        self, audio: AudioInput, *, options: DecodingOptions | None = None
    ) -> Transcript:
        """Recognise one audio as openai-whisper does: 30 s at a time, one after another.

        Each window begins where the last one's words ended by the times that the model said, and
        its prompt is the text before it. `transcribe` cuts at silences instead, and recognises the
        pieces together.

        Raises:
            AudioError: the audio cannot be read; its class says why.
            InvalidOptionError: the model is not Whisper, or is not to say times.
            RequestError: the engine could not finish.
        """
        read = as_audio(audio)
        windows = self._pieces.in_windows(read.samples, options or DecodingOptions())
        return join(windows, duration=read.duration, warnings=read.warnings, model_id=self.model_id)

    def segmenter(self, streaming: StreamingOptions | None = None) -> LiveSegmenter:
        """Make a cutter for one stream of samples, with this model's window.

        Raises InvalidOptionError: the options do not fit the window.
        """
        return LiveSegmenter(self.config.window_seconds, streaming or StreamingOptions())

    def cut(self, chunks: Iterable[Samples], *, at_once: bool = True) -> Iterator[Piece]:
        """Cut a recording, in chunks `(S,)`; `next` blocks until there is a piece or the end.

        With `at_once`, one that fits the model's window is one piece.
        """
        return cut(chunks, self.config.window_seconds, at_once=at_once)

    def submit(
        self,
        piece: Piece,
        options: DecodingOptions | None = None,
        *,
        deadline: float | None = None,
        block: bool = False,
    ) -> Future[Recognition]:
        """Queue one piece.

        Args:
            piece: from `cut` or a `segmenter`.
            options: how to decode.
            deadline: of `time.monotonic()`, after which nobody wants the answer.
            block: wait for room in a full queue instead of refusing.

        Returns:
            A future; its `cancel()` drops the work.

        Raises:
            EmptyAudioError, AudioTooLongError, InvalidSamplesError, InvalidOptionError: it could
                never run.
            DeadlineExceededError: the deadline has passed already.
            QueueFullError, EngineStoppedError: the engine takes no more.
        """
        check_values(piece.samples)
        return self._pieces.submit(piece, options or DecodingOptions(), deadline, block=block)

    def statistics(self) -> Statistics:
        """Count what the engine has done so far, and does now."""
        return self._engine.statistics()

    def checks(self) -> Checks | None:
        """Count what `check_invariance` found so far; None where it was not asked for."""
        return self._checker.checks if self._checker is not None else None

    def close(self, *, drain: bool = True) -> None:
        """Stop the engine, after the waiting work when `drain`."""
        self._engine.close(drain=drain)
        if self._checker is not None:
            self._checker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close(drain=error is None)

    def _transcribe(self, audio: AudioInput, options: DecodingOptions | None) -> Transcript:
        return final_transcript(events(self._session(self._whole(audio), options)))

    def _session(self, source: PieceSource, options: DecodingOptions | None) -> Session:
        self._home.check()  # before the VAD, whose threads did not come along either
        submit = partial(self.submit, options=options, block=True)
        return Session(source, submit, model_id=self.model_id)

    def _whole(self, audio: AudioInput) -> WholeAudio:
        return WholeAudio(partial(opened, audio), self.cut)

    def _streamed(
        self, chunks: Iterable[Samples | EndUtterance], streaming: StreamingOptions | None
    ) -> StreamedAudio:
        if not isinstance(chunks, AudioStream):  # which gives valid samples by itself
            chunks = _valid(chunks)
        return StreamedAudio(chunks, self.segmenter(streaming))


def _valid(chunks: Iterable[Samples | EndUtterance]) -> Iterator[Samples | EndUtterance]:
    for chunk in chunks:
        if chunk is END_UTTERANCE:
            yield chunk
        elif len(chunk):
            yield validate_samples(chunk)
