"""Channels by themselves: whose words are whose, in the order of time."""

import json

from auricle_cli.channels import interleaved, named
from auricle_cli.cues import CueLimits
from auricle_cli.formats import labelled_text, writer_of
from auricle_types.transcript import Receipt, Segment, Transcript, Word


def channel(*spoken: tuple[float, str], duration: float = 9.0) -> Transcript:
    segments = tuple(Segment(start, start + 1, text, 0.5) for start, text in spoken)
    return Transcript(segments, duration, Receipt("m", tokens=len(spoken)), ("cut short",))


TALK = interleaved([channel((0.0, "hello"), (5.0, "bye")), channel((2.0, "hi"), duration=8.0)])


def test_segments_come_in_the_order_of_time_with_their_channel() -> None:
    assert [(s.start, s.channel, s.text) for s in TALK.segments] == [
        (0.0, 1, "hello"),
        (2.0, 2, "hi"),
        (5.0, 1, "bye"),
    ]
    assert (TALK.duration, TALK.receipt.tokens, TALK.warnings) == (9.0, 3, ("cut short",))
    assert TALK.text == "hello hi bye"


def test_every_format_says_the_channel() -> None:
    lines = ["Channel 1: hello", "Channel 2: hi", "Channel 1: bye"]
    assert writer_of("txt")("a", TALK).split("\n") == lines
    assert labelled_text("a", TALK).split("\n") == [f"a\t{line}" for line in lines]
    for name in ("srt", "vtt", "tsv"):
        written = writer_of(name)("a", TALK)
        assert [written.find(line) > 0 for line in lines] == [True] * 3
    segments = json.loads(writer_of("json")("a", TALK))["segments"]
    assert [(each["channel"], each["text"]) for each in segments] == [
        (1, "hello"),
        (2, "hi"),
        (1, "bye"),
    ]


def test_without_channels_nothing_is_said_of_them() -> None:
    plain = channel((0.0, "hello"), (5.0, ""))
    assert named(plain) == plain
    assert "channel" not in json.loads(writer_of("json")("a", plain))["segments"][0]
    assert writer_of("txt")("a", plain) == "hello"


def test_a_name_takes_its_place_in_the_line() -> None:
    words = (Word(0.0, 0.5, "one", 0.5), Word(0.5, 1.0, "two", 0.5))
    one = Transcript((Segment(0.0, 1.0, "one two", 0.5, words, channel=2),), 1.0, Receipt("m"))
    cues = CueLimits(max_line_width=15)
    assert writer_of("srt", cues)("a", one).endswith("01,000\nChannel 2: one\ntwo")
