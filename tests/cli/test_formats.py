import io
import json
import os
from dataclasses import asdict

import pytest

from auricle_cli import formats
from auricle_types.transcript import Receipt, Segment, Transcript, Word

TRANSCRIPT = Transcript(
    segments=(
        Segment(0.0, 1.5, "hello there", 0.9),
        Segment(1.5, 2.0, "", 0.0),  # a piece in which nobody spoke
        Segment(3661.2345, 3725.0, "tom & <jerry> \u00e9", 0.5),
    ),
    duration=3725.01234,
    receipt=Receipt("tiny-1", queue_seconds=0.25, batch_size=2, tokens=7, guards=("rate",)),
    warnings=("truncated",),
)
SILENCE = Transcript((), 600.0, Receipt("tiny-1"))


def test_text() -> None:
    assert formats.text("a.wav", TRANSCRIPT) == "hello there tom & <jerry> \u00e9"
    assert formats.labelled_text("a.wav", TRANSCRIPT) == "a.wav\thello there tom & <jerry> \u00e9"
    assert formats.text("a.wav", SILENCE) == ""


def test_srt() -> None:
    assert formats.srt("a.wav", TRANSCRIPT) == (
        "1\n00:00:00,000 --> 00:00:01,500\nhello there\n\n"
        "2\n01:01:01,234 --> 01:02:05,000\ntom & <jerry> \u00e9"
    )
    assert formats.srt("a.wav", SILENCE) == ""


def test_vtt() -> None:
    assert formats.vtt("a.wav", TRANSCRIPT) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:01.500\nhello there\n\n"
        "01:01:01.234 --> 01:02:05.000\ntom &amp; &lt;jerry&gt; \u00e9"
    )
    assert formats.vtt("a.wav", SILENCE) == "WEBVTT"


@pytest.mark.parametrize(
    ("seconds", "clock"),
    [
        (0.0, "00:00:00,000"),
        (0.9996, "00:00:01,000"),  # rounds up into the next second
        (59.9999, "00:01:00,000"),
        (3600.0, "01:00:00,000"),
        (360_000.5, "100:00:00,500"),
    ],
)
def test_clock(seconds: float, clock: str) -> None:
    transcript = Transcript((Segment(seconds, seconds, "x", 1.0),), seconds, Receipt("m"))
    assert formats.srt("", transcript).splitlines()[1] == f"{clock} --> {clock}"


def test_json() -> None:
    line = formats.json_line("a.wav", TRANSCRIPT)
    assert "\n" not in line
    assert json.loads(line) == {
        "audio": "a.wav",
        "text": "hello there tom & <jerry> \u00e9",
        "duration": 3725.012,
        "confidence": round(TRANSCRIPT.confidence, 4),
        "segments": [
            {"start": 0.0, "end": 1.5, "text": "hello there", "confidence": 0.9},
            {"start": 1.5, "end": 2.0, "text": "", "confidence": 0.0},
            {"start": 3661.235, "end": 3725.0, "text": "tom & <jerry> \u00e9", "confidence": 0.5},
        ],
        "warnings": ["truncated"],
        "receipt": {
            "model_id": "tiny-1",
            "queue_seconds": 0.25,
            "encode_seconds": 0.0,
            "decode_seconds": 0.0,
            "batch_size": 2,
            "padding_ratio": 0.0,
            "tokens": 7,
            "guards": ["rate"],
        },
    }


def test_names_that_are_no_text_can_be_written_and_read_back() -> None:
    name = os.fsdecode(b"\xff.wav")
    line = formats.json_line(name, TRANSCRIPT)
    assert json.loads(line.encode("utf-8"))["audio"] == name
    assert formats.labelled_text(name, TRANSCRIPT).encode("utf-8").startswith(b"\xef\xbf\xbd.wav\t")


def test_the_language_stands_where_it_was_found() -> None:
    for language, told in (("de", {"language": "de"}), ("", {})):
        segment = Segment(0.0, 1.5, "gut", 0.9, language=language)
        line = formats.json_line("a.wav", Transcript((segment,), 1.5, Receipt("m")))
        (shown,) = json.loads(line)["segments"]
        assert {key: shown[key] for key in shown if key == "language"} == told


def test_words_stand_in_their_segment() -> None:
    words = (Word(0.0, 0.12345, "hello", 0.98765), Word(0.5, 1.5, "there", 0.5))
    segment = Segment(0.0, 1.5, "hello there", 0.9, words)
    line = formats.json_line("a.wav", Transcript((segment,), 1.5, Receipt("m")))
    (shown,) = json.loads(line)["segments"]
    assert shown["words"] == [
        {"start": 0.0, "end": 0.123, "text": "hello", "confidence": 0.9877},
        {"start": 0.5, "end": 1.5, "text": "there", "confidence": 0.5},
    ]


def test_tsv() -> None:
    transcript = Transcript((Segment(0.1234, 1.5, "a\tb", 0.9),), 1.5, Receipt("m"))
    assert formats.tsv("a.wav", transcript) == "start\tend\ttext\n123\t1500\ta b"
    assert formats.tsv("a.wav", SILENCE) == "start\tend\ttext"


def test_tsv_is_that_of_openai_whisper() -> None:
    from whisper.utils import WriteTSV  # late: it takes seconds

    spoken = [segment for segment in TRANSCRIPT.segments if segment.text]
    theirs = io.StringIO()
    WriteTSV(".").write_result({"segments": [asdict(segment) for segment in spoken]}, theirs)
    assert formats.tsv("a.wav", TRANSCRIPT) + "\n" == theirs.getvalue()


def test_speakers_stand_before_what_they_say() -> None:
    words = (Word(0.0, 1.0, "hello", 0.9, speaker="S1"),)
    segments = (
        Segment(0.0, 1.0, "hello", 0.9, words, speaker="S1"),
        Segment(1.0, 2.0, "there", 0.9, speaker="S1"),
        Segment(2.0, 3.0, "tom & jerry", 0.9, speaker="S2"),
    )
    spoken = Transcript(segments, 3.0, Receipt("m"))
    assert formats.text("", spoken) == "S1: hello there\nS2: tom & jerry"
    lines = "a.wav\tS1: hello there\na.wav\tS2: tom & jerry"
    assert formats.labelled_text("a.wav", spoken) == lines
    assert "\nS1: there\n" in formats.writer_of("srt")("", spoken)
    assert "\nS2: tom &amp; jerry" in formats.writer_of("vtt")("", spoken)
    first = json.loads(formats.json_line("", spoken))["segments"][0]
    assert first["speaker"] == first["words"][0]["speaker"] == "S1"
