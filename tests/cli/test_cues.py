"""Cues: every word once and in order, within the limits, one after the other."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle_cli.cues import CueLimits, cues
from auricle_cli.formats import srt, vtt, writer_of
from auricle_types.transcript import Receipt, Segment, Transcript, Word, joined

TIMES = st.floats(0, 100, allow_nan=False)
LIMITS = st.builds(
    CueLimits, st.integers(1, 40), st.none() | st.integers(1, 3), st.none() | st.floats(0.5, 10)
)


def spoken(text: str, each: float = 0.5, start: float = 0.0) -> Segment:
    """A segment with a word every `each` seconds."""
    texts = text.split()
    words = [Word(start + i * each, start + (i + 1) * each, w, 0.5) for i, w in enumerate(texts)]
    return Segment(start, start + len(texts) * each, text, 0.5, tuple(words))


def shown(segments: list[Segment], limits: CueLimits) -> list[tuple[float, float, str]]:
    return [(cue.start, cue.end, cue.text) for cue in cues(segments, limits)]


@st.composite
def segments(draw: st.DrawFn) -> list[Segment]:
    """Segments as models give them, and worse: words out of order, overlapping, without times."""
    made = []
    for _ in range(draw(st.integers(0, 4))):
        texts = draw(st.lists(st.text("abcé犬,", min_size=1, max_size=12), max_size=12))
        words = tuple(Word(draw(TIMES), draw(TIMES), text, 0.5) for text in texts)
        start, end = sorted((draw(TIMES), draw(TIMES)))
        kept = words if draw(st.booleans()) else ()
        made.append(Segment(start, end, " ".join(texts), 0.5, kept))
    return made


@given(segments(), LIMITS)
def test_cues_keep_all_words_within_the_limits(
    spoken_segments: list[Segment], limits: CueLimits
) -> None:
    found = list(cues(spoken_segments, limits))
    before = [word for each in spoken_segments for word in each.text.split()]
    assert [word for cue in found for word in cue.text.split()] == before
    assert limits.max_line_width is not None
    for cue in found:
        lines = cue.text.split("\n")
        wide = [line for line in lines if len(line) > limits.max_line_width]
        assert all(len(line.split()) == 1 for line in wide)
        assert len(lines) <= (limits.max_line_count or len(lines))
        assert 0 <= cue.start <= cue.end
        assert cue.end - cue.start <= (limits.max_cue_seconds or 1000) + 1e-9
    assert all(left.end <= right.start for left, right in pairwise(found))


def test_lines_and_cues_are_filled() -> None:
    limits = CueLimits(max_line_width=9, max_line_count=2)
    assert shown([spoken("one two three four five six")], limits) == [
        (0.0, 1.5, "one two\nthree"),
        (1.5, 3.0, "four five\nsix"),
    ]


def test_a_width_alone_breaks_lines_within_segments() -> None:
    found = shown([spoken("one two three four"), spoken("five", start=2.0)], CueLimits(7))
    assert found == [(0.0, 2.0, "one two\nthree\nfour"), (2.0, 2.5, "five")]


def test_cues_are_as_short_as_asked_for() -> None:
    found = shown([spoken("a b c d e")], CueLimits(max_cue_seconds=1.0))
    assert found == [(0.0, 1.0, "a b"), (1.0, 2.0, "c d"), (2.0, 2.5, "e")]
    long = spoken("drawn", each=4.0)
    assert shown([long], CueLimits(max_cue_seconds=1.0)) == [(0.0, 1.0, "drawn")]


def test_words_keep_the_spaces_of_their_text() -> None:
    words = tuple(Word(i, i + 1.0, text, 0.5) for i, text in enumerate(["犬", "と", "cat"]))
    segment = Segment(0.0, 3.0, "犬と cat", 0.5, words)
    assert [text for *_, text in shown([segment], CueLimits(2))] == ["犬と\ncat"]


def test_a_segment_without_words_is_divided_by_its_letters() -> None:
    segment = Segment(10.0, 20.0, "abc defg hij", 0.5)
    found = shown([segment], CueLimits(max_cue_seconds=4.0))
    assert found == [(10.0, 13.0, "abc"), (13.0, 17.0, "defg"), (17.0, 20.0, "hij")]


def test_subtitles_alone_have_cues() -> None:
    transcript = Transcript((spoken("one two three"),), 1.5, Receipt("m"))
    limits = CueLimits(7)
    assert writer_of("srt", limits)("", transcript) == (
        "1\n00:00:00,000 --> 00:00:01,500\none two\nthree"
    )
    assert writer_of("vtt", limits)("", transcript).endswith("one two\nthree")
    for name in ("txt", "json", "tsv"):
        assert writer_of(name, limits)("", transcript) == writer_of(name)("", transcript)
    assert writer_of("srt")("", transcript) == srt("", transcript)
    assert writer_of("vtt")("", transcript) == vtt("", transcript)
    assert joined(list(cues(transcript.segments, limits))) == "one two\nthree"


def test_lines_are_counted_by_their_width_alone() -> None:
    with pytest.raises(ValueError, match="--max-line-width"):
        CueLimits(max_line_count=2)
