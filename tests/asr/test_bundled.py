"""The weights that come with the package. Skipped only where they are not there."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from auricle.config import SAMPLE_RATE
from auricle.naming import model_path
from auricle.recognizer import Recognizer
from auricle_types.options import DecodingOptions
from benchmarks.wordless import WORDLESS

SAMPLES = sorted((Path(__file__).parents[2] / "samples").glob("*.wav"))
DEV = Path(__file__).parents[3] / "shared" / "speech" / "dev"
LARGEST = 45_000_000  # bytes

pytestmark = pytest.mark.skipif(
    not model_path("bundled").is_file(), reason="no bundled weights here"
)


@pytest.fixture(scope="module")
def recognizer() -> Iterator[Recognizer]:
    with Recognizer.from_pretrained(device="cpu") as recognizer:
        yield recognizer


@pytest.fixture(scope="module")
def texts(recognizer: Recognizer) -> dict[Path, str]:
    """What each sample is alone."""
    return {path: recognizer.transcribe(path).text for path in SAMPLES}


def test_the_weights_are_small_enough_to_commit() -> None:
    files = model_path("bundled").parent.glob("*.safetensors")
    assert sum(file.stat().st_size for file in files) <= LARGEST


def test_it_is_whisper_taught_short_contexts(recognizer: Recognizer) -> None:
    assert recognizer.config.family == "whisper"
    assert recognizer.config.short_context
    assert recognizer.config.audio_context == "auto"


def test_it_says_what_it_is(recognizer: Recognizer) -> None:
    assert recognizer.model_id
    assert recognizer.config.language == "en"
    assert recognizer.config.window_seconds >= 10


def test_different_samples_are_different_texts(
    recognizer: Recognizer, texts: dict[Path, str]
) -> None:
    assert len(set(texts.values())) == len(SAMPLES) > 3
    assert 0 < recognizer.transcribe(SAMPLES[0]).confidence <= 1


@pytest.mark.parametrize("kind", ["clicks", "taps", "white noise at -30 dB"])
def test_it_says_nothing_where_nobody_speaks(recognizer: Recognizer, kind: str) -> None:
    transcript = recognizer.transcribe(WORDLESS[kind](3.0, 0))
    assert transcript.text == ""
    assert transcript.receipt.guards == ("silence",)


def test_sixteen_at_once_are_one_at_a_time(recognizer: Recognizer, texts: dict[Path, str]) -> None:
    sources = SAMPLES[:4] * 4
    started = threading.Barrier(16)

    def client(path: Path) -> str:
        started.wait(60)
        return recognizer.transcribe(path).text

    with ThreadPoolExecutor(16) as clients:
        together = list(clients.map(client, sources))
    assert together == [texts[path] for path in sources]


def test_silence_says_nothing(recognizer: Recognizer) -> None:
    assert recognizer.transcribe(np.zeros(60 * SAMPLE_RATE, np.float32)).text == ""


@pytest.mark.skipif(not DEV.is_dir(), reason="no speech beside the repository")
def test_different_people_say_different_things(recognizer: Recognizer) -> None:
    lines = (DEV / "librispeech.jsonl").read_text().splitlines()[:3]
    paths = [DEV / json.loads(line)["audio_filepath"] for line in lines]
    texts = [transcript.text for transcript in recognizer.transcribe(paths)]
    assert len(set(texts)) == len(texts)
    assert all(texts)


def test_words_stand_where_speech_is(recognizer: Recognizer) -> None:
    timed = DecodingOptions(word_timestamps=True)
    for transcript in recognizer.transcribe(SAMPLES[:2], options=timed):
        words = [word for segment in transcript.segments for word in segment.words]
        assert " ".join(word.text for word in words) == transcript.text
        times = [time for word in words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert times[-1] - times[0] > 0.5 * transcript.duration  # they are spread over it
