"""Parts of recordings, as manifests name them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from auricle.config import SAMPLE_RATE
from auricle.evaluation import Utterance, load_clip, load_utterance
from auricle_types.errors import AudioError


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three seconds, each of another loudness."""
    path = tmp_path / "talk.wav"
    samples = np.repeat(np.array([0.1, 0.2, 0.3], np.float32), SAMPLE_RATE)
    soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")
    return path


@pytest.mark.parametrize(
    ("offset", "duration", "levels"),
    [
        (None, None, {0.1, 0.2, 0.3}),
        (None, 1.0, {0.1, 0.2, 0.3}),  # without an offset the duration only tells
        (0.0, 1.0, {0.1}),
        (1.0, 1.0, {0.2}),
        (1.0, None, {0.2, 0.3}),
        (2.0, 60.0, {0.3}),
    ],
)
def test_a_part_is_what_lies_between_its_times(
    recording: Path, offset: float | None, duration: float | None, levels: set[float]
) -> None:
    found = load_clip(recording, offset, duration)
    assert {round(float(level), 3) for level in np.unique(found.samples)} == levels
    assert np.array_equal(
        found.samples, load_utterance(Utterance(recording, "", duration, offset)).samples
    )


def test_a_part_behind_the_end_is_told(recording: Path) -> None:
    with pytest.raises(AudioError, match=r"begins at 3 s, but the audio is 3\.000 s long"):
        load_clip(recording, 3.0, 1.0)
