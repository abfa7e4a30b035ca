import numpy as np
import pytest

from auricle.diarization import Turn, diarize
from auricle_types.errors import InvalidOptionError
from tests.asr.diarization.voices_by_level import by_level, conversation, is_loud

FRAME = 0.032  # seconds


def found(*parts: tuple[float, float], speakers: int | None = None) -> list[Turn]:
    samples = conversation(*parts)
    return diarize(samples, speakers=speakers, embedder=by_level, vad=is_loud)


def speakers_of(turns: list[Turn]) -> list[str]:
    return [turn.speaker for turn in turns]


def test_speakers_are_named_as_they_appear() -> None:
    parts = [(0.2, 4.0), (0.0, 1.0), (0.1, 4.0), (0.0, 1.0), (0.2, 4.0)]
    turns = found(*parts)
    assert speakers_of(turns) == ["S1", "S2", "S1"]
    begins = [turn.start for turn in turns]
    assert begins == pytest.approx([0.0, 5.0, 10.0], abs=3 * FRAME)
    assert [turn.end for turn in turns] == pytest.approx([4.0, 9.0, 14.0], abs=3 * FRAME)


def test_a_speaker_who_pauses_has_one_turn() -> None:
    assert speakers_of(found((0.2, 4.0), (0.0, 0.4), (0.2, 4.0))) == ["S1"]


def test_a_long_pause_parts_turns() -> None:
    assert speakers_of(found((0.2, 4.0), (0.0, 2.0), (0.2, 4.0))) == ["S1", "S1"]


def test_speakers_may_follow_each_other_without_a_pause() -> None:
    turns = found((0.2, 6.0), (0.1, 6.0))
    assert speakers_of(turns) == ["S1", "S2"]
    assert turns[0].end == turns[1].start == pytest.approx(6.0, abs=0.75)


def test_a_short_answer_is_a_turn_where_its_voice_is_known() -> None:
    parts = [(0.2, 4.0), (0.0, 1.0), (0.1, 4.0), (0.0, 1.0), (0.2, 4.0), (0.0, 1.0), (0.1, 0.5)]
    assert speakers_of(found(*parts)) == ["S1", "S2", "S1", "S2"]


def test_a_cough_is_no_speaker() -> None:
    parts = [(0.2, 5.0), (0.0, 1.0), (0.1, 0.5), (0.0, 1.0), (0.2, 5.0)]
    assert set(speakers_of(found(*parts))) == {"S1"}


def test_as_many_speakers_as_are_asked_for() -> None:
    parts = [(0.2, 5.0), (0.0, 1.0), (0.1, 0.5), (0.0, 1.0), (0.2, 5.0)]
    assert speakers_of(found(*parts, speakers=2)) == ["S1", "S2", "S1"]
    assert set(speakers_of(found((0.2, 4.0), (0.0, 1.0), (0.1, 4.0), speakers=1))) == {"S1"}


def test_more_speakers_are_asked_for_than_there_is_speech() -> None:
    assert speakers_of(found((0.2, 1.0), speakers=5)) == ["S1"]


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), conversation((0.0, 5.0))])
def test_silence_has_no_turns(samples: np.ndarray) -> None:
    assert diarize(samples, embedder=by_level, vad=is_loud) == []


def test_no_speakers_cannot_be_asked_for() -> None:
    with pytest.raises(InvalidOptionError, match="at least 1, not 0"):
        found((0.2, 1.0), speakers=0)
