"""Whether anybody says a word: by scripts, then by the real detector."""

from pathlib import Path

import numpy as np
import pytest

from auricle.audio import load_audio
from auricle.segmentation.vad import FRAME_SAMPLES, SileroVad, has_word, speaks, speech_end
from benchmarks.wordless import WORDLESS

SAMPLES = sorted((Path(__file__).parents[3] / "samples").glob("*.wav"))


class Scripted:
    """Hears speech in the frames that it is told, and counts those that it is asked about."""

    def __init__(self, speech: list[bool]) -> None:
        self.speech, self.asked = speech, 0
        self.peaks: list[float] = []

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        assert frames.shape[1:] == (FRAME_SAMPLES,)
        said = self.speech[self.asked : self.asked + len(frames)]
        self.asked += len(frames)
        self.peaks.append(float(np.abs(frames).max()))
        return np.array(said, np.float32)


def heard(vad: Scripted, level: float = 0.1) -> bool:
    """Of as much audio as the script is long; its last frame is not full."""
    return speaks(np.full(len(vad.speech) * FRAME_SAMPLES - 9, level, np.float32), vad)


@pytest.mark.parametrize(
    ("speech", "found"),
    [
        ("", False),
        ("xxxxx", False),
        ("xxxxxx", True),
        ("xxxxx.xxxxx.xxxxx", False),
        (".....xxxxxx", True),
    ],
)
def test_a_word_is_six_frames_in_a_row(speech: str, found: bool) -> None:
    assert has_word(mark == "x" for mark in speech) is found


@pytest.mark.parametrize("begin", range(0, 40, 3))
def test_a_word_is_found_wherever_it_begins(begin: int) -> None:
    """Across the blocks in which the detector is asked, too."""
    speech = [begin <= frame < begin + 6 for frame in range(50)]
    assert heard(Scripted(speech))
    speech[begin + 2] = False
    assert not heard(Scripted(speech))


def test_after_the_first_word_nobody_listens() -> None:
    vad = Scripted([True] * 1000)
    assert heard(vad)
    assert vad.asked < 50
    silent = Scripted([False] * 1000)
    assert not heard(silent)
    assert silent.asked == 1000


def loud_speaks(frames: np.ndarray) -> np.ndarray:
    """A detector that takes what is loud for speech."""
    loud: np.ndarray = (np.abs(frames).max(axis=1) > 0.4).astype(np.float32)
    return loud


@pytest.mark.parametrize("words", [[(0, 6)], [(3, 20), (50, 57)], [(0, 150)], [(58, 66)], []])
@pytest.mark.parametrize("behind", [0, 5, 70, 200])
def test_speech_ends_with_its_last_word(words: list[tuple[int, int]], behind: int) -> None:
    end = max((last for _, last in words), default=0)
    samples = np.full((end + behind) * FRAME_SAMPLES, 0.01, np.float32)
    for begin, last in words:
        samples[begin * FRAME_SAMPLES : last * FRAME_SAMPLES] = 0.5
    samples[(end + 1) * FRAME_SAMPLES : (end + 4) * FRAME_SAMPLES] = 0.5  # too short for a word
    found = speech_end(samples, loud_speaks)
    assert found == pytest.approx(end * FRAME_SAMPLES / 16_000, abs=FRAME_SAMPLES / 16_000)


def test_no_further_than_to_the_last_word_is_listened() -> None:
    vad = Scripted([True] * 1000)
    samples = np.full(1000 * FRAME_SAMPLES, 0.1, np.float32)
    assert speech_end(samples, vad) == 32.0
    assert vad.asked < 100
    assert speech_end(np.zeros(0, np.float32)) == 0.0


def test_no_audio_has_no_words() -> None:
    assert not speaks(np.zeros(0, np.float32))
    assert not speaks(np.zeros(100_000, np.float32))


@pytest.mark.parametrize(("level", "peak"), [(0.001, 0.5), (0.9, 0.9)])
def test_quiet_audio_is_raised_and_loud_audio_is_left(level: float, peak: float) -> None:
    vad = Scripted([False] * 20)
    heard(vad, level)
    assert max(vad.peaks) == pytest.approx(peak)


@pytest.mark.parametrize("gain", [1.0, 0.01])
def test_somebody_speaks_in_every_sample_however_quiet(gain: float) -> None:
    for path in SAMPLES[:5]:
        assert speaks(load_audio(path).samples * np.float32(gain)), path.name


@pytest.mark.parametrize("kind", [kind for kind in WORDLESS if kind != "music-like sound"])
def test_nobody_speaks_in_noise(kind: str) -> None:
    for seed in range(3):
        assert not speaks(WORDLESS[kind](4.0, seed))


def test_the_detector_hears_a_word_block_by_block_as_at_once() -> None:
    samples = load_audio(SAMPLES[0]).samples
    whole = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    assert has_word((SileroVad()(whole) >= 0.5).tolist())
    assert speaks(samples)
