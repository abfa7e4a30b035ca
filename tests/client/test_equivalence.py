"""Through the wire and in process are the same: the real recogniser, a tiny model."""

from collections.abc import Iterator

import pytest

from auricle.recognizer import Recognizer
from auricle_client import Client
from auricle_client import Transcript as Received
from auricle_server import ServerConfig
from auricle_server.service import ServedRecognizer
from auricle_types.transcript import Transcript
from tests.asr.tiny import sound, tiny_checkpoint
from tests.client.conftest import serving
from tests.server.messages import chunked
from tests.server.wave import pcm_wav

pytestmark = pytest.mark.usefixtures("all_is_speech")

SHORT, LONG = pcm_wav(sound(1, 1.5)), pcm_wav(sound(2, 12.0))  # the window is 5 s


@pytest.fixture(scope="module")
def real() -> Iterator[Recognizer]:
    with Recognizer.from_checkpoint(tiny_checkpoint(), device="cpu") as recognizer:
        yield recognizer


@pytest.fixture(scope="module")
def real_client(real: Recognizer) -> Iterator[Client]:
    served: ServedRecognizer = real  # mypy checks that the real one fits where the fake one does
    with serving(served, ServerConfig(port=0)) as target, Client(target) as client:
        yield client


def same(received: Received, expected: Transcript) -> None:
    """Equal but for what the wire rounds: times to 1e-9, 32-bit confidences to 1e-6."""
    assert received.text == expected.text
    assert received.confidence == pytest.approx(expected.confidence, rel=1e-6)
    assert received.duration == pytest.approx(expected.duration, abs=1e-9)
    assert received.warnings == expected.warnings
    for ours, theirs in zip(received.segments, expected.segments, strict=True):
        assert ours.text == theirs.text
        assert (ours.start, ours.end) == pytest.approx((theirs.start, theirs.end), abs=1e-9)
        assert ours.confidence == pytest.approx(theirs.confidence, rel=1e-6)


def test_the_sounds_differ(real: Recognizer) -> None:
    texts = [transcript.text for transcript in real.transcribe([SHORT, LONG])]
    assert all(texts)
    assert len(set(texts)) == 2


@pytest.mark.parametrize("audio", [SHORT, LONG], ids=["short", "long"])
def test_recognize_and_upload(real: Recognizer, real_client: Client, audio: bytes) -> None:
    expected = real.transcribe(audio)
    same(real_client.recognize(audio), expected)
    same(real_client.upload(iter(chunked(audio, 777))), expected)


@pytest.mark.parametrize("audio", [SHORT, LONG], ids=["short", "long"])
def test_the_segments_of_a_stream_are_those_of_its_transcript(
    real_client: Client, audio: bytes
) -> None:
    stream = real_client.stream(audio, chunk_bytes=777)
    segments = tuple(stream)
    assert segments == stream.transcript.segments
    assert stream.transcript.duration == real_client.upload(audio).duration
