"""Recognisers side by side: peers are fakes, in this process."""

from collections.abc import Callable

import pytest

from benchmarks import readers
from benchmarks.peers.faster import Transcribe
from benchmarks.peers.real import NotForThisError
from benchmarks.readers import Reader, peers, side_by_side
from tests.benchmarks.fakes import here, says
from tests.benchmarks.test_tapes import corpus

pytest.importorskip("whisper_normalizer", reason="whisper-normalizer is not installed")


def refuses(error: Exception) -> Callable[[str, int], Transcribe]:
    def load(model: str, threads: int) -> Transcribe:
        raise error

    return load


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "Elsewhere", here)


def test_a_reader_is_scored_by_whispers_normaliser_and_keeps_no_words() -> None:
    speech = corpus(1.0, 3.0)
    speech.texts[:] = ["Twenty colours!", "no"]
    reader = Reader("fake", lambda clips: ["20 colors", "yes"][: len(clips)], speech)
    reader.run()
    facts = reader.facts()
    assert facts["wer"]["value"] == pytest.approx(1 / 3, abs=1e-3)
    assert "colors" not in str(facts)
    assert reader.audio_seconds == 4.0


def test_the_first_utterances_do_not_count() -> None:
    read: list[int] = []

    def transcribe(clips: list[object]) -> list[str]:
        read.append(len(clips))
        return [""] * len(clips)

    reader = Reader("fake", transcribe, corpus(*[1.0] * 6))  # type: ignore[arg-type]
    reader.run()
    assert read == [readers.FIRST, 6]


def test_everybody_reads_every_corpus() -> None:
    makes = peers({"one": says("word0"), "two": says("")}, "model", 1)
    found = side_by_side(makes, [corpus(1.0, 2.0)], rounds=2)
    assert list(found) == ["some"]
    assert [len(standing.speeds) for standing in found["some"].values()] == [2, 2]
    rates = {name: each["wer"]["value"] for name, each in readers.figures(found)["some"].items()}
    assert rates == {"one": 0.25, "two": 1.0}  # "word 0", "word 1"


@pytest.mark.parametrize("error", [ModuleNotFoundError("no fake"), NotForThisError("no fake")])
def test_who_cannot_read_is_named_and_left_out(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    makes = peers({"absent": refuses(error), "one": says("")}, "model", 1)
    assert list(side_by_side(makes, [corpus(1.0)])["some"]) == ["one"]
    assert "without absent: no fake" in capsys.readouterr().err


def test_our_names_say_how_many_processes() -> None:
    assert readers.our_name("int8", 1) == "auricle int8"
    assert readers.our_name("int8", 2) == "auricle int8, a process a thread"
