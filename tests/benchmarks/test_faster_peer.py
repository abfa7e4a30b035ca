"""faster-whisper's three ways: the joining of clips, and all three on real weights."""

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.peers import faster
from benchmarks.peers.faster import Transcribe, joined
from benchmarks.real_weights import TINY_EN, MissingWeightsError, folder
from benchmarks.recordings import speech

WORDS = ("bakery", "apple")  # of the first samples, in their order


@pytest.fixture(scope="module")
def tiny_en() -> str:
    try:
        return str(folder(TINY_EN))
    except MissingWeightsError as missing:
        pytest.skip(str(missing))


def test_each_clip_begins_with_a_full_second() -> None:
    clips = [np.full(length, level, np.float32) for level, length in ((1, 24_000), (2, 32_000))]
    audio, parts = joined(clips)
    assert parts == [{"start": 0.0, "end": 1.5}, {"start": 2.0, "end": 4.0}]
    assert len(audio) == 64_000
    assert (audio[24_000:32_000] == 0).all()
    assert (audio[32_000:] == 2).all()


@pytest.mark.filterwarnings("ignore")  # of libraries that are not ours
@pytest.mark.parametrize("way", [faster.one_by_one, faster.workers, faster.batched])
def test_each_way_reads_each_clip_in_its_place(
    way: Callable[[str, int], Transcribe], tiny_en: str
) -> None:
    pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    clips = speech(2)
    texts = way(tiny_en, 2)(clips[::-1])
    assert all(word in text for word, text in zip(WORDS, texts[::-1], strict=True))


@pytest.mark.filterwarnings("ignore")  # of libraries that are not ours
def test_openais_own_code_reads_converted_weights(tiny_en: str) -> None:
    pytest.importorskip("whisper", reason="openai-whisper is not installed")
    from benchmarks.peers.real import openai_whisper

    (text,) = openai_whisper(tiny_en, 1)(speech(1))
    assert WORDS[0] in text
