"""Where pieces come from: bounded memory, and an end between two blocks when nobody waits."""

import asyncio
import io
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import aclosing
from functools import partial
from typing import cast

import numpy as np
import pytest
import soundfile

from auricle.audio import Audio, AudioStream, Samples, open_audio
from auricle.segmentation.blocks import BLOCK_SAMPLES, RecentBlocks, blocks
from auricle.segmentation.cutting import cut
from auricle.segmentation.live import LiveSegmenter
from auricle.segmentation.segmenter import Piece
from auricle.segmentation.sources import PieceSource, StreamedAudio, WholeAudio
from auricle.session import Session, events_async
from auricle.transcript import Recognition
from auricle_types.errors import RequestCancelledError
from auricle_types.options import StreamingOptions
from tests.asr.scripted_vad import always, script, scripted

PATIENCE = 20
MIB = 1 << 20
HOUR = 3600 * 16_000


def flac(samples: int, chunk: Samples) -> bytes:
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", 16_000, 1, "PCM_16", format="FLAC") as file:
        for _ in range(samples // len(chunk)):
            file.write(chunk)
    return buffer.getvalue()


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.parametrize("speech", [0.0, 0.9])
@pytest.mark.usefixtures("traced")
def test_an_hour_takes_no_more_memory_than_its_last_seconds(speech: float) -> None:
    recording = flac(HOUR, np.full(16_000, 0.25 * bool(speech), np.float32))
    vad = scripted(script(*[(speech, 500), (0.0, 40)] * 250))
    source = WholeAudio(partial(open_audio, recording), lambda chunks: cut(chunks, 20.0, vad=vad))
    count, before = 0, tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    for piece in source:
        count += 1
        assert piece.duration <= 20.0
    assert (count > 100, source.duration) == (speech > 0, 3600.0)
    assert tracemalloc.get_traced_memory()[1] - before < 16 * MIB


@pytest.mark.parametrize("sizes", [[1], [511, 3, 70_000], [200_000], [BLOCK_SAMPLES]])
def test_blocks_hold_the_samples_whatever_the_chunks(sizes: list[int]) -> None:
    samples = np.arange(3 * BLOCK_SAMPLES if sizes == [BLOCK_SAMPLES] else 70_003, dtype=np.float32)
    edges = np.cumsum(np.resize(sizes, len(samples)))
    found = list(blocks(np.split(samples, edges[edges < len(samples)])))
    assert {len(block) for block in found[:-1]} <= {BLOCK_SAMPLES}
    assert 0 < len(found[-1]) <= BLOCK_SAMPLES
    np.testing.assert_array_equal(np.concatenate(found), samples)


def test_the_last_seconds_are_kept() -> None:
    samples = np.arange(10 * BLOCK_SAMPLES + 100, dtype=np.float32)
    recent = RecentBlocks(4.0)
    for block in blocks([samples]):
        recent.add(block)
    end = len(samples) / 16_000
    for start in (end - 4.0, end - 3.3, end - 0.001):
        first = round(start * 16_000)
        np.testing.assert_array_equal(recent.part(start, end + 1), samples[first:])
        np.testing.assert_array_equal(recent.part(start, start + 0.001), samples[first:][:16])


class Tape:
    """An hour of chunks that waits before the fourth until a test lets it go on."""

    def __init__(self) -> None:
        self.decoded = 0
        self.reached, self.go_on, self.closed = (threading.Event() for _ in range(3))

    def __iter__(self) -> Iterator[Samples]:
        try:
            for _ in range(HOUR // BLOCK_SAMPLES):
                self.decoded += 1
                if self.decoded == 4:
                    self.reached.set()
                    assert self.go_on.wait(PATIENCE)
                yield np.full(BLOCK_SAMPLES, 0.1, np.float32)
        finally:
            self.closed.set()


def streamed(tape: Tape) -> PieceSource:
    return StreamedAudio(tape, LiveSegmenter(20.0, StreamingOptions(), vad=always(0.0)))


def whole(tape: Tape) -> PieceSource:
    load = cast("Callable[[], AudioStream]", lambda: tape)
    return WholeAudio(load, lambda chunks: cut(chunks, 20.0, vad=always(0.0)))


@pytest.mark.parametrize("make", [streamed, whole])
async def test_a_session_that_is_closed_decodes_no_further_block(
    make: Callable[[Tape], PieceSource],
) -> None:
    tape = Tape()
    source = make(tape)

    def refuse(_: Piece) -> Future[Recognition]:
        raise AssertionError("there is no piece")

    session = Session(source, refuse, model_id="m")
    async with aclosing(events_async(session)) as happened:
        waiting = asyncio.ensure_future(anext(happened))
        assert await asyncio.to_thread(tape.reached.wait, PATIENCE)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    tape.go_on.set()
    assert await asyncio.to_thread(tape.closed.wait, PATIENCE)
    assert tape.decoded == 4


def test_a_long_array_is_cut_no_further_than_the_present_block() -> None:
    judged = 0

    def vad(frames: Samples) -> Samples:
        nonlocal judged
        judged += 1
        if judged == 20:
            source.stop()
        return np.zeros(len(frames), np.float32)

    samples = np.full(HOUR, 0.1, np.float32)
    source = WholeAudio(lambda: Audio(samples), lambda chunks: cut(chunks, 20.0, vad=vad))
    with pytest.raises(RequestCancelledError):
        list(source)
    assert judged == 20
