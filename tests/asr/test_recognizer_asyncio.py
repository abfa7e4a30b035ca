"""The recogniser from asyncio: the same words, and no work for whoever has gone."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from auricle.audio import Audio, load_audio
from auricle.audio.inputs import AudioInput
from auricle.recognizer import Recognizer
from auricle_types.errors import AudioNotFoundError, InvalidSamplesError
from auricle_types.options import DecodingOptions, EngineConfig
from tests.asr.recognizing import PATIENCE, Gate, content, wav
from tests.asr.tiny import sounds, tiny_checkpoint

pytestmark = pytest.mark.usefixtures("all_is_speech")

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture
def recognizer() -> Iterator[Recognizer]:
    with Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu") as recognizer:
        yield recognizer


@pytest.fixture
def long_audio() -> Audio:
    """Several windows of speech and silence."""
    parts = [load_audio(path).samples for path in sorted(SAMPLES.glob("*.wav"))[:3]]
    return Audio(np.concatenate(parts))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


@pytest.fixture
def held(gate: Gate) -> Iterator[Recognizer]:
    """A recogniser behind the gate, with room for two."""
    recognizer = Recognizer.from_checkpoint(
        tiny_checkpoint(), device="cpu", engine=EngineConfig(max_queue=2)
    )
    yield recognizer
    gate.open.set()
    recognizer.close()


async def test_asyncio_gives_what_threads_give(recognizer: Recognizer, long_audio: Audio) -> None:
    sources: list[AudioInput] = [*sounds(), wav(sounds()[2]), long_audio]
    together = await asyncio.gather(*(recognizer.transcribe_async(each) for each in sources))
    assert [content(one) for one in together] == [
        content(one) for one in recognizer.transcribe(sources)
    ]
    beam = DecodingOptions(beam_size=3, max_tokens=5)
    found = await recognizer.transcribe_async(sounds()[0], options=beam)
    assert content(found) == content(recognizer.transcribe(sounds()[0], options=beam))


async def test_in_asyncio_bad_audio_has_its_error(recognizer: Recognizer) -> None:
    with pytest.raises(AudioNotFoundError):
        await recognizer.transcribe_async("nowhere.wav")
    with pytest.raises(InvalidSamplesError):
        await recognizer.transcribe_async(np.full(8_000, 1e30, np.float32))


async def test_asyncio_waits_for_room_in_the_queue(held: Recognizer, gate: Gate) -> None:
    tasks = [asyncio.ensure_future(held.transcribe_async(sounds()[1])) for _ in range(5)]
    assert await asyncio.to_thread(gate.busy.wait, PATIENCE)
    gate.open.set()
    assert len({transcript.text for transcript in await asyncio.gather(*tasks)}) == 1


async def test_cancelling_the_task_drops_the_work(held: Recognizer, gate: Gate) -> None:
    first = asyncio.ensure_future(held.transcribe_async(sounds()[1]))
    assert await asyncio.to_thread(gate.busy.wait, PATIENCE)
    second = asyncio.ensure_future(held.transcribe_async(sounds()[1]))
    while held.statistics().waiting < 1:  # noqa: ASYNC110  # the engine has no event for it
        await asyncio.sleep(0.001)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    gate.open.set()
    assert (await first).text
    await asyncio.to_thread(held.close)
    assert gate.joined == 1
    assert (held.statistics().finished, held.statistics().cancelled) == (1, 1)
