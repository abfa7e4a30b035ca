import io
import sys

import pytest

from auricle_cli import formats
from auricle_cli.display import Display, LiveDisplay, progress
from auricle_cli.inputs import Source
from auricle_cli.outcomes import SourceOutcome
from auricle_types.transcript import Receipt, Segment, Transcript

A, B = Source("a.wav"), Source("b.wav")
SEGMENTS = (Segment(0, 1, "the", 1.0), Segment(1, 2, "", 0.0), Segment(2, 3, "cat", 1.0))
TRANSCRIPT = Transcript(SEGMENTS, 3.0, Receipt("m"), ("cut short",))
CAPTURED = pytest.CaptureFixture[str]


def test_a_transcript_and_its_warnings(capsys: CAPTURED) -> None:
    assert Display(formats.text).finish(SourceOutcome(A, TRANSCRIPT))
    out, err = capsys.readouterr()
    assert (out, err) == ("the cat\n", "auricle: a.wav: warning: cut short\n")


def test_a_failure(capsys: CAPTURED) -> None:
    assert not Display(formats.text).finish(SourceOutcome(A, error="no audio"))
    assert tuple(capsys.readouterr()) == ("", "auricle: a.wav: no audio\n")


def test_words_appear_before_the_end(capsys: CAPTURED) -> None:
    display = LiveDisplay(formats.text, labelled=False)
    display.segment(A, SEGMENTS[0])
    assert capsys.readouterr().out == "the"
    display.segment(A, SEGMENTS[1])
    assert capsys.readouterr().out == ""
    display.segment(A, SEGMENTS[2])
    assert capsys.readouterr().out == " cat"
    assert display.finish(SourceOutcome(A, TRANSCRIPT))
    assert capsys.readouterr().out == "\n"


def test_live_lines_are_those_of_the_writer(capsys: CAPTURED) -> None:
    display = LiveDisplay(formats.labelled_text, labelled=True)
    for source in (A, B):
        for segment in SEGMENTS:
            display.segment(source, segment)
        display.finish(SourceOutcome(source, TRANSCRIPT))
    assert capsys.readouterr().out == "a.wav\tthe cat\nb.wav\tthe cat\n"


@pytest.mark.parametrize("texts", [("犬。", "猫"), ("犬", "and 猫"), ("dog", "猫")])
def test_live_lines_have_the_writers_spaces(capsys: CAPTURED, texts: tuple[str, str]) -> None:
    segments = tuple(Segment(0.0, 1.0, text, 0.5, language="ja") for text in texts)
    display = LiveDisplay(formats.text, labelled=False)
    for segment in segments:
        display.segment(A, segment)
    transcript = Transcript(segments, 1.0, Receipt("m"))
    display.finish(SourceOutcome(A, transcript))
    assert capsys.readouterr().out == transcript.text + "\n"


def test_a_line_that_breaks_off_is_ended(capsys: CAPTURED) -> None:
    display = LiveDisplay(formats.text, labelled=False)
    display.segment(A, SEGMENTS[0])
    assert not display.finish(SourceOutcome(A, error="gone"))
    assert capsys.readouterr().out == "the\n"
    assert display.finish(SourceOutcome(B, Transcript((), 1.0, Receipt("m"))))
    assert capsys.readouterr().out == "\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "total", "shown"),
    [(Terminal(), 2, True), (Terminal(), 1, False), (io.StringIO(), 2, False)],
)
def test_a_bar_on_terminals_only(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, total: int, shown: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    assert list(progress(range(total), total)) == list(range(total))
    assert ("file" in stream.getvalue()) == shown
