"""A recogniser of a few lines, for tests of everything around it. No model, no threads."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from auricle.audio import Samples
from auricle.config import SAMPLE_RATE, ModelConfig
from auricle.engine.invariance import Checks
from auricle.engine.statistics import Statistics
from auricle.segmentation.live import Item
from auricle.segmentation.segmenter import Piece
from auricle.transcript import Recognition
from auricle_server.incoming import RecognitionTask
from auricle_types.errors import QueueFullError
from auricle_types.options import DecodingOptions, StreamingOptions
from auricle_types.transcript import Receipt, Segment
from tests.server.wave import pcm_wav

PIECE_SECONDS = 1.0


def recognized(piece: Piece, options: DecodingOptions) -> Recognition:
    """The answer of the fake: the loudness, so that each audio has a text of its own."""
    level = round(float(np.abs(piece.samples).mean()) * 1000)
    text = f"level {level} beam {options.beam_size}"
    segment = Segment(piece.start, piece.start + piece.duration, text, 0.5)
    return Recognition((segment,), Receipt("fake-1", 0.25, 0.5, 0.75, 3, 0.125, 7, ("rate",)))


def only_pieces(items: Iterable[Item]) -> Iterator[Piece]:
    return (item for item in items if isinstance(item, Piece))


class FakeSegmenter:
    """Cuts every second, or as often as it is told."""

    done = False

    def __init__(self, seconds: float = PIECE_SECONDS) -> None:
        self._size = round(seconds * SAMPLE_RATE)
        self._rest = np.zeros(0, np.float32)
        self._start = 0.0

    def feed(self, samples: npt.NDArray[np.float32]) -> list[Item]:
        self._rest = np.concatenate([self._rest, samples])
        pieces: list[Item] = []
        while len(self._rest) >= self._size:
            pieces.append(self._take(self._size))
        return pieces

    def end_utterance(self) -> list[Item]:
        return self.flush()

    def keep_together(self, start: float, until: float) -> bool:
        return True

    def flush(self) -> list[Item]:
        return [self._take(len(self._rest))] if len(self._rest) else []

    def _take(self, count: int) -> Piece:
        piece = Piece(self._start, self._rest[:count])
        self._rest = self._rest[count:]
        self._start += count / SAMPLE_RATE
        return piece


@dataclass
class FakeRecognizer:
    """Answers at once, or holds its futures where a test wants to look at them."""

    model_id: str = "fake-1"
    config: ModelConfig = field(default_factory=lambda: ModelConfig(name="fake"))
    device: str = "cpu"
    dtype: str = "float32"
    hold: bool = False  # leave futures pending
    error: Exception | None = None  # raised by submit
    future_error: Exception | None = None  # raised by the futures
    room: int | None = None  # refuse more pending pieces than these
    piece_seconds: float = PIECE_SECONDS
    retry_after: float = 1.0  # what the refusal advises
    futures: list[Future[Recognition]] = field(default_factory=list)
    submitted: list[tuple[Piece, DecodingOptions, float | None]] = field(default_factory=list)
    cut_at_once: list[bool] = field(default_factory=list)  # of each recording
    came: threading.Event = field(default_factory=threading.Event)  # something was submitted

    def segmenter(self, streaming: StreamingOptions | None = None) -> FakeSegmenter:
        return FakeSegmenter(self.piece_seconds)

    def cut(self, chunks: Iterable[Samples], *, at_once: bool = True) -> Iterator[Piece]:
        self.cut_at_once.append(at_once)
        segmenter = self.segmenter()
        for chunk in chunks:
            yield from only_pieces(segmenter.feed(chunk))
        yield from only_pieces(segmenter.flush())

    def statistics(self) -> Statistics:
        return Statistics(submitted=len(self.futures), running=self.pending)

    def checks(self) -> Checks | None:
        return None

    def submit(
        self,
        piece: Piece,
        options: DecodingOptions,
        *,
        deadline: float | None = None,
        block: bool = False,
    ) -> Future[Recognition]:
        self.came.set()
        if self.error is not None:
            raise self.error
        if self.room is not None and self.pending >= self.room:
            raise QueueFullError("the queue is full", retry_after=self.retry_after)
        self.submitted.append((piece, options, deadline))
        future: Future[Recognition] = Future()
        self.futures.append(future)
        if not self.hold:
            self.finish(len(self.futures) - 1)
        return future

    @property
    def pending(self) -> int:
        return sum(not future.done() for future in self.futures)

    def finish(self, index: int) -> None:
        """Completes one future."""
        piece, options, _ = self.submitted[index]
        if self.future_error is not None:
            self.futures[index].set_exception(self.future_error)
        else:
            self.futures[index].set_result(recognized(piece, options))


class FakeIncoming:
    """A client that says what a test tells it; `endless` ones end only where the test says so."""

    def __init__(
        self, task: RecognitionTask | None, chunks: Iterable[bytes], *, endless: bool = False
    ) -> None:
        self._said: asyncio.Queue[RecognitionTask | bytes] = asyncio.Queue()
        self._asked = {"task": asyncio.Event(), "chunk": asyncio.Event()}
        for each in ([] if task is None else [task]) + [*chunks]:
            self.say(each)
        if not endless:
            self.say(b"")

    def say(self, message: RecognitionTask | bytes) -> None:
        self._said.put_nowait(message)

    async def asked(self, what: str) -> None:
        """Waits until the server waits for `what`."""
        await asyncio.wait_for(self._asked[what].wait(), 20)

    async def task(self) -> RecognitionTask:
        self._asked["task"].set()
        message = await self._said.get()
        assert isinstance(message, RecognitionTask)
        return message

    async def chunk(self) -> bytes:
        self._asked["chunk"].set()
        message = await self._said.get()
        assert isinstance(message, bytes)
        return message


def wav(seconds: float, level: float = 0.25) -> bytes:
    """A WAV of a square wave as high as it can be."""
    samples = np.full(round(seconds * SAMPLE_RATE), level)
    samples[::2] *= -1
    return pcm_wav(samples)
