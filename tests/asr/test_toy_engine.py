"""The recogniser takes any engine: here one of twenty lines that echoes a sentence."""

import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future

import numpy as np
import pytest

from auricle.audio import Audio, Samples
from auricle.engine import Outcome, Request, Statistics
from auricle.host import ModelDescription
from auricle.hypothesis import Hypothesis
from auricle.recognizer import Recognizer
from auricle.segmentation.segmenter import Piece
from auricle_types.events import FinalTranscript
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Receipt
from tests.asr.tiny import SENTENCES, sounds, tiny_config, tiny_tokenizer

pytestmark = pytest.mark.usefixtures("all_is_speech")
WORDS = tiny_tokenizer().encode(SENTENCES[0])


class EchoEngine:
    """Says as many words of a sentence as the beam is wide."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.closed: bool | None = None

    def submit(self, request: Request, *, block: bool = False) -> Future[Outcome]:
        self.requests.append(request)
        tokens = tuple(WORDS[: request.options.beam_size])
        future: Future[Outcome] = Future()
        future.set_result(Outcome(Hypothesis(tokens, -0.5), Receipt("echo", tokens=len(tokens))))
        return future

    def statistics(self) -> Statistics:
        return Statistics(submitted=len(self.requests))

    def close(self, *, drain: bool = True) -> None:
        self.closed = drain


@pytest.fixture
def engine() -> EchoEngine:
    return EchoEngine()


@pytest.fixture
def recognizer(engine: EchoEngine) -> Iterator[Recognizer]:
    model = ModelDescription(tiny_config(), tiny_tokenizer(), "nowhere", "none")
    with Recognizer(engine, model) as recognizer:
        yield recognizer
    assert engine.closed is True


def test_it_transcribes(recognizer: Recognizer) -> None:
    transcript = recognizer.transcribe(sounds()[0], options=DecodingOptions(beam_size=4))
    assert transcript.text == tiny_tokenizer().decode(WORDS[:4])
    assert (transcript.receipt.tokens, transcript.receipt.model_id) == (4, recognizer.model_id)
    assert (recognizer.device, recognizer.dtype) == ("nowhere", "none")


def test_it_transcribes_a_list_and_counts(recognizer: Recognizer, engine: EchoEngine) -> None:
    assert len({each.text for each in recognizer.transcribe(sounds())}) == 1
    assert recognizer.statistics().submitted == len(engine.requests) == len(sounds())
    assert recognizer.checks() is None


async def test_it_transcribes_in_asyncio(recognizer: Recognizer) -> None:
    found = await recognizer.transcribe_async(Audio(sounds()[0]))
    assert found.text == tiny_tokenizer().decode(WORDS[:1])


async def test_it_streams_in_asyncio(recognizer: Recognizer) -> None:
    async def chunks() -> AsyncIterator[Samples]:
        for _ in range(3):
            yield np.zeros(16_000, np.float32)

    (last,) = [event async for event in recognizer.stream_async(chunks())]
    assert isinstance(last, FinalTranscript)
    assert last.transcript.duration == 3.0


def test_a_deadline_reaches_it(recognizer: Recognizer, engine: EchoEngine) -> None:
    deadline = time.monotonic() + 50
    recognizer.submit(Piece(0.0, sounds()[0]), deadline=deadline).result(0)
    assert engine.requests[0].deadline == deadline
