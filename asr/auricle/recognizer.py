"""The library's front door: audio in, transcripts out, through the batching engine."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Self, overload

import numpy as np
import numpy.typing as npt

from auricle.audio import Audio, load_audio, validate_samples
from auricle.checkpoint import Checkpoint
from auricle.config import ModelConfig
from auricle.decoding import dialect_of
from auricle.decoding.whisper import Heard, WhisperDialect
from auricle.engine import Outcome, Request
from auricle.engine.invariance import Checks, InvarianceChecker, alone_config, check_share
from auricle.engine.serving import Serving
from auricle.engine.statistics import Statistics
from auricle.engine.windowed import in_windows
from auricle.families import hub_folder, is_model_name
from auricle.families.reference import hint
from auricle.futures import results, results_async, then
from auricle.host import Described, Host, Loading, start_processes
from auricle.hypothesis import Hypothesis
from auricle.missing import missing_words
from auricle.segmentation.cutting import cut
from auricle.segmentation.joining import Joiner, join, merge_receipts
from auricle.segmentation.segmenter import Piece, Segmenter
from auricle.segmentation.vad import load_now, speech_end
from auricle.threads import apart
from auricle.transcript import Recognition
from auricle_types.errors import DownloadError, InvalidOptionError, UnknownModelError
from auricle_types.options import AudioContext, DecodingOptions, EngineConfig
from auricle_types.transcript import Segment, Transcript, Word

logger = logging.getLogger(__name__)

AudioSource = str | Path | bytes | npt.NDArray[np.float32] | Audio
Start = Callable[[EngineConfig], tuple[Serving, Described]]

BUNDLED = "bundled"
_SUFFIXES = (".pt", ".safetensors", ".bin")  # of files, which no name on the Hub ends with
_PIECES_AHEAD = 16  # of one audio in the engine: long audio must not crowd out the others
_READERS = 16  # audios of a list that are read and recognised at a time, for each process


class Recognizer:
    """A model, ready to recognise. Safe to use from many threads; close it when done."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        device: str = "auto",
        dtype: str = "auto",
        engine: EngineConfig | None = None,
        check_invariance: float = 0.0,
    ) -> None:
        """Start an engine for `checkpoint`.

        Raises:
            InvalidOptionError: the device or the dtype is not to be had, or another option is
                outside its range.
        """
        check_share(check_invariance)
        host = Host(checkpoint, device, dtype)
        self._begin(host.start, engine or EngineConfig(), check_invariance)

    def _begin(self, start: Start, config: EngineConfig, check_invariance: float) -> None:
        apart(load_now)
        self._readers = _READERS * config.processes
        self._engine, described = start(config)
        self._checker: InvarianceChecker | None = None
        if check_invariance:
            try:
                alone, _ = start(alone_config(config))
            except BaseException:
                self._engine.close(drain=False)
                raise
            self._checker = InvarianceChecker(alone, check_invariance)
        self.config: ModelConfig = described.config
        self.model_id = self.config.name
        self.device, self.dtype = described.device, described.dtype
        self._tokenizer = described.tokenizer
        self._dialect = dialect_of(self.config, self._tokenizer)
        if self.config.audio_context == "auto" and not self.config.knows_short_context:
            logger.warning(
                "%s was not taught short contexts: with audio_context auto it may repeat itself or "
                "leave words out; leave audio_context away, or choose full",
                self.model_id,
            )

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
        check_share(check_invariance)
        config = engine or EngineConfig()
        lm_path = Path(lm) if lm is not None else None
        loading = Loading(model_path(model), lm_path, device, dtype, audio_context)
        if config.processes == 1:
            checkpoint = apart(loading.load)
            return cls(
                checkpoint,
                device=device,
                dtype=dtype,
                engine=config,
                check_invariance=check_invariance,
            )
        recognizer = cls.__new__(cls)
        start = partial(start_processes, loading, among=config.processes)
        recognizer._begin(start, config, check_invariance)  # noqa: SLF001
        return recognizer

    @overload
    def transcribe(  # type: ignore[overload-overlap]  # a str is one source, not many
        self, audio: AudioSource, *, options: DecodingOptions | None = None
    ) -> Transcript: ...

    @overload
    def transcribe(
        self, audio: Sequence[AudioSource], *, options: DecodingOptions | None = None
    ) -> list[Transcript]: ...

    def transcribe(
        self,
        audio: AudioSource | Sequence[AudioSource],
        *,
        options: DecodingOptions | None = None,
    ) -> Transcript | list[Transcript]:
        """Recognise one audio, or several together.

        Args:
            audio: a path, the bytes of a file, samples `(S,)` in float32 at 16 kHz, an `Audio`, or
                a list of such.
            options: how to decode.

        Returns:
            One transcript for one audio, a list for a list.

        Raises:
            AudioError: an audio cannot be read; its class says why.
            RequestError: the engine could not finish.
        """
        if isinstance(audio, str | Path | bytes | np.ndarray | Audio):
            return self._transcribe(audio, options)
        with ThreadPoolExecutor(self._readers, thread_name_prefix="auricle-reader") as readers:
            return list(readers.map(lambda source: self._transcribe(source, options), audio))

    def transcribe_in_windows(
        self, audio: AudioSource, *, options: DecodingOptions | None = None
    ) -> Transcript:
        """Recognise one audio as openai-whisper does: 30 s at a time, one after another.

        Each window begins where the last one's words ended by the times that the model said, and
        its decoder is told what was said before. `transcribe` cuts at silences instead, and
        recognises the pieces together.

        Raises:
            AudioError: the audio cannot be read; its class says why.
            InvalidOptionError: the model is not Whisper, or is not to say times.
            RequestError: the engine could not finish.
        """
        read, chosen = _as_audio(audio), options or DecodingOptions()
        if not isinstance(self._dialect, WhisperDialect) or chosen.timestamps is False:
            raise InvalidOptionError("windows move by the times that a Whisper model says")
        found = list(in_windows(self._engine, self.config, self._dialect, read.samples, chosen))
        calibration = self.config.calibration
        calibrated = tuple(
            replace(each, confidence=calibration.confidence(each.confidence))
            for recognition in found
            for each in recognition.segments
        )
        receipt = merge_receipts([recognition.receipt for recognition in found], self.model_id)
        warnings = [warning for recognition in found for warning in recognition.warnings]
        return Transcript(calibrated, read.duration, receipt, (*read.warnings, *warnings))

    def segmenter(self) -> Segmenter:
        """A cutter for one stream of samples, with this model's window."""
        return Segmenter(self.config.window_seconds)

    def cut(self, audio: Audio) -> Iterator[Piece]:
        """The pieces of a whole audio; `next` blocks while the VAD looks for words and silences."""
        return cut(audio.samples, self.config.window_seconds)

    def recognize(
        self, pieces: Iterable[Piece], options: DecodingOptions | None = None
    ) -> Iterator[Recognition]:
        """Recognise the pieces of one audio as they come, a bounded number ahead.

        Yields recognitions in the pieces' order, each as soon as it is there. Work that is not
        yet done is dropped when the caller stops listening.
        """
        yield from results(self._submitted(pieces, options), _PIECES_AHEAD)

    async def transcribe_async(
        self, audio: AudioSource, *, options: DecodingOptions | None = None
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
        read = await asyncio.to_thread(_as_audio, audio)
        joiner = Joiner(self.model_id)
        submitted = self._submitted(self.cut(read), options)
        async with aclosing(results_async(submitted, _PIECES_AHEAD)) as recognitions:
            async for recognition in recognitions:
                joiner.add(recognition)
        return joiner.transcript(read.duration, read.warnings)

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
            EmptyAudioError, AudioTooLongError, InvalidOptionError: it could never run.
            DeadlineExceededError: the deadline has passed already.
            QueueFullError, EngineStoppedError: the engine takes no more.
        """
        request = Request(
            piece.samples,
            options or DecodingOptions(),
            deadline,
            piece.speech,
            self._speech_end(piece),
        )
        submitted = self._engine.submit(request, block=block)
        recognition = then(submitted, lambda outcome: self._recognition(piece, outcome))
        if self._checker is not None:  # behind `then`: it starts when the answer is out
            self._checker.watch(request, submitted)
        return recognition

    def join(
        self,
        recognitions: Sequence[Recognition],
        *,
        duration: float,
        warnings: tuple[str, ...] = (),
    ) -> Transcript:
        """One transcript of an audio's recognitions, in the order of time."""
        return join(recognitions, duration=duration, warnings=warnings, model_id=self.model_id)

    def statistics(self) -> Statistics:
        """What the engine has done so far, and does now."""
        return self._engine.statistics()

    def checks(self) -> Checks | None:
        """What `check_invariance` found so far; None where it was not asked for."""
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

    def _speech_end(self, piece: Piece) -> float | None:
        """For who can tell whether the words go as far; None where nobody speaks."""
        if piece.speech is False or not isinstance(self._dialect, WhisperDialect):
            return None
        return speech_end(piece.samples) or None

    def _submitted(
        self, pieces: Iterable[Piece], options: DecodingOptions | None
    ) -> Iterator[Future[Recognition]]:
        return (self.submit(piece, options, block=True) for piece in pieces)

    def _recognition(self, piece: Piece, outcome: Outcome) -> Recognition:
        found = outcome.hypothesis
        confidence = self.config.calibration.confidence(found.confidence)
        segments = tuple(
            Segment(
                piece.start + each.start,
                min(piece.start + each.end, piece.end),
                each.text,
                confidence,
                _words_in(piece, each.words),
                found.language or "",
            )
            for each in self._heard(piece, found)
        )
        warnings = missing_words(found, piece.start, piece.end)
        return Recognition(segments, outcome.receipt, piece.overlap, warnings)

    def _heard(self, piece: Piece, found: Hypothesis) -> list[Heard]:
        """By the times that the model says, if it does.

        What overlaps the piece before stays whole: the words that both heard will be taken out.
        """
        if isinstance(self._dialect, WhisperDialect) and not piece.overlap:
            return self._dialect.heard(found, piece.duration)
        text = self._tokenizer.decode(found.tokens)
        return [Heard(0.0, piece.duration, text, found.words)]

    def _transcribe(self, source: AudioSource, options: DecodingOptions | None) -> Transcript:
        audio = _as_audio(source)
        recognitions = list(self.recognize(self.cut(audio), options))
        return self.join(recognitions, duration=audio.duration, warnings=audio.warnings)


def model_path(model: str | Path) -> Path:
    """Where a model lies, by its path or its name; one of the Hub's is downloaded at first.

    A path that is there comes before a name; `~` at its beginning is the user's folder.

    Raises:
        UnknownModelError, DownloadError, ChecksumMismatchError: it reads like a name and cannot
            be had.
    """
    name = str(model)
    if name == BUNDLED:
        return Path(str(resources.files("auricle") / "assets" / "english.safetensors"))
    path = Path(os.path.expanduser(name))  # noqa: PTH111  # Path raises where there is no such user
    is_file = path.suffix in _SUFFIXES  # that was mistyped, if it is not there
    if path.exists() or is_file:
        return path
    if is_model_name(name):
        return _of_the_hub(name)
    if "/" not in name:
        raise UnknownModelError(f"there is no model {name!r}, here or by that name{hint(name)}")
    return path


def _of_the_hub(name: str) -> Path:
    try:
        return hub_folder(name)
    except (UnknownModelError, DownloadError) as error:
        raise type(error)(f"there is no {name} here, and {error}") from error


def _words_in(piece: Piece, words: Sequence[Word]) -> tuple[Word, ...]:
    """In seconds of the whole audio; a piece may end within its last frame."""
    placed = (word.later(piece.start) for word in words)
    return tuple(replace(word, end=min(word.end, piece.end)) for word in placed)


def _as_audio(source: AudioSource) -> Audio:
    if isinstance(source, Audio):
        return source
    if isinstance(source, np.ndarray):
        return Audio(validate_samples(source))
    return load_audio(source)
