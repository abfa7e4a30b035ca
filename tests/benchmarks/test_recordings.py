import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from auricle.audio import load_audio
from auricle.config import SAMPLE_RATE
from benchmarks.recordings import seconds, speech, wav

Samples = np.typing.NDArray[np.float32]


@given(hnp.arrays(np.float32, st.integers(1, 400), elements=st.floats(-1, 1, width=32)))
def test_a_file_holds_the_waveform(samples: Samples) -> None:
    read = load_audio(wav(samples)).samples
    assert read.shape == samples.shape
    assert np.abs(read - samples).max() <= 2 / 32767


def test_what_is_too_loud_is_clipped() -> None:
    read = load_audio(wav(np.array([3.0, -3.0], np.float32))).samples
    assert read == pytest.approx([1.0, -1.0], abs=1e-4)


def test_speech_goes_round() -> None:
    recordings = speech(11)
    assert len(recordings) == 11
    assert all(len(each) > SAMPLE_RATE for each in recordings)
    assert recordings[8] is recordings[0]
    assert recordings[1] is not recordings[0]


def test_seconds_are_summed() -> None:
    assert seconds([np.zeros(8_000, np.float32), np.zeros(24_000, np.float32)]) == 2.0
