import numpy as np
import pytest

from benchmarks.corpora import Corpus
from benchmarks.recordings import SAMPLES
from benchmarks.tapes import LONGEST_PAUSE, SHORTEST_PAUSE, tapes

RATE = 16_000


def corpus(*seconds: float) -> Corpus:
    waveforms = [np.full(round(each * RATE), 0.5, np.float32) for each in seconds]
    names = [f"word{row}" for row in range(len(seconds))]
    return Corpus("some", [f"{name}.wav" for name in names], waveforms, names)


def test_every_utterance_is_on_one_tape_in_order() -> None:
    found = list(tapes(corpus(2.0, 2.0, 2.0, 2.0, 1.0), 4.0))
    assert [tape.rows for tape in found] == [[0, 1], [2, 3], [4]]
    assert found[1].text == "word2 word3"


def test_between_them_are_pauses_and_no_silence() -> None:
    (tape,) = tapes(corpus(2.0, 3.0), 60.0)
    speech = np.abs(tape.samples) > 0.1
    assert speech.sum() == 5 * RATE
    pauses = len(tape.samples) / RATE - 5.0
    assert 2 * SHORTEST_PAUSE <= pauses <= 2 * LONGEST_PAUSE
    assert not speech[2 * RATE : round((2 + SHORTEST_PAUSE) * RATE)].any()
    assert np.abs(tape.samples[2 * RATE : 2 * RATE + 1000]).max() > 0


def test_a_corpus_knows_its_size() -> None:
    found = corpus(30.0, 60.0)
    assert found.seconds == [30.0, 60.0]
    assert found.size == {"utterances": 2, "minutes": 1.5}


def test_the_first_utterances_of_a_manifest() -> None:
    found = Corpus.load(SAMPLES / "manifest.jsonl", 2)
    assert found.name == "manifest"
    assert len(found.texts) == len(found.files) == len(found.waveforms) == 2
    assert found.seconds[0] == pytest.approx(len(found.waveforms[0]) / RATE)
