"""Pieces of a long audio, back together, by hand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.segmentation.joining import Joiner, join, leading, merge_receipts
from auricle.transcript import Recognition
from auricle_types.transcript import Receipt, Segment, Transcript, Word


def heard(text: str, start: float = 0.0, end: float = 5.0, overlap: float = 0.0) -> Recognition:
    return Recognition((Segment(start, end, text, 0.5),), Receipt("m"), overlap)


def joined(earlier: str, later: str, overlap: float = 1.0) -> str:
    pieces = [heard(earlier), heard(later, 5.0 - overlap, 10.0, overlap)]
    return join(pieces, duration=10.0).text


def test_pieces_without_overlap_stand_as_they_are() -> None:
    pieces = [heard("a b"), heard("b c", 5.0, 9.0)]
    transcript = join(pieces, duration=9.5, warnings=("w",), model_id="m")
    assert transcript == Transcript(
        (Segment(0.0, 5.0, "a b", 0.5), Segment(5.0, 9.0, "b c", 0.5)), 9.5, Receipt("m"), ("w",)
    )


def test_warnings_of_pieces_follow_those_of_the_audio() -> None:
    pieces = [replace(heard("a"), warnings=("b",)), replace(heard("c"), warnings=("d",))]
    assert join(pieces, duration=9.5, warnings=("w",)).warnings == ("w", "b", "d")


def test_no_pieces_are_an_empty_transcript() -> None:
    assert join([], duration=3.0, model_id="m") == Transcript((), 3.0, Receipt("m"))


def test_pieces_without_words_leave_no_segment() -> None:
    transcript = join([heard("a"), heard("", 5.0, 9.0), heard("b", 9.0, 12.0)], duration=12.0)
    assert [segment.text for segment in transcript.segments] == ["a", "b"]


@pytest.mark.parametrize(
    ("earlier", "later", "text"),
    [
        ("a b c d", "c d e f", "a b c d e f"),  # two words that both heard
        ("a b c d", "d e f", "a b c d e f"),
        ("a b c", "a b c", "a b c"),  # nothing new
        ("a b c dee", "c deer ran", "a b c dee deer ran"),  # the cut went through the last word
        ("a b c", "ee c d", "a b c d"),  # and through the first
        ("a b c", "x y z", "a b c x y z"),  # nothing in common: nothing is lost
        ("the cat sat", "sat on the mat", "the cat sat on the mat"),  # a common word further in
        ("i saw the cat", "run to the door", "i saw the cat run to the door"),
        ("no no", "no no yes", "no no yes"),
        ("", "a b", "a b"),
        ("a b", "", "a b"),
    ],
)
def test_words_of_an_overlap_are_said_once(earlier: str, later: str, text: str) -> None:
    assert joined(earlier, later) == text


def test_only_as_many_words_as_an_overlap_can_hold_are_compared() -> None:
    words = "one two three four five six seven eight"
    assert joined(words, words, overlap=2.0) == words
    assert joined(words, words, overlap=0.2) == f"{words} {words}"


def test_the_earlier_segment_stays_and_the_later_begins_behind_it() -> None:
    pieces = [heard("a b c", 0.0, 5.0), heard("c d", 4.0, 8.0, overlap=1.0)]
    first, second = join(pieces, duration=8.0).segments
    assert (first,) == pieces[0].segments
    assert second == Segment(5.0, 8.0, "d", 0.5)


def test_the_receipt_is_the_slowest_pieces() -> None:
    receipts = [
        Receipt("m", 0.1, 0.5, 0.2, 4, 0.3, 10, ("rate", "silence")),
        Receipt("m", 0.4, 0.1, 0.3, 2, 0.1, 5, ("silence",)),
    ]
    expected = Receipt("m", 0.4, 0.5, 0.3, 4, 0.3, 15, ("rate", "silence"))
    assert merge_receipts(receipts, "m") == expected
    assert merge_receipts([], "m") == Receipt("m")


def test_confidence_is_weighted_by_duration() -> None:
    segments = (Segment(0.0, 3.0, "a", 1.0), Segment(3.0, 4.0, "b", 0.2))
    assert Transcript(segments, 4.0, Receipt("m")).confidence == pytest.approx(0.8)
    assert Transcript((), 4.0, Receipt("m")).confidence == 0.0
    assert Transcript((Segment(1.0, 1.0, "a", 0.9),), 4.0, Receipt("m")).confidence == 0.0


# --- as they come ------------------------------------------------------------------------------

RECOGNITIONS = st.lists(
    st.builds(
        heard,
        st.lists(st.sampled_from("abc"), max_size=5).map(" ".join),
        overlap=st.sampled_from([0.0, 1.0]),
    ),
    max_size=6,
)


@given(RECOGNITIONS)
def test_segments_given_one_by_one_are_those_of_the_whole(pieces: list[Recognition]) -> None:
    joiner = Joiner("m")
    found = [segment for piece in pieces for segment in joiner.add(piece)]
    whole = join(pieces, duration=9.0, warnings=("w",), model_id="m")
    assert tuple(found) == whole.segments
    assert joiner.transcript(9.0, ("w",)) == whole


@given(RECOGNITIONS, RECOGNITIONS)
def test_what_was_given_never_changes(earlier: list[Recognition], later: list[Recognition]) -> None:
    first = join(earlier, duration=9.0).segments
    assert join([*earlier, *later], duration=9.0).segments[: len(first)] == first


def test_a_repetition_is_no_segment() -> None:
    joiner = Joiner()
    assert joiner.add(heard("a b")) == list(heard("a b").segments)
    assert joiner.add(heard("a b", 4.0, 6.0, overlap=1.0)) == []
    assert joiner.add(heard("")) == []
    assert joiner.transcript(6.0).text == "a b"


def test_a_piece_may_have_several_segments() -> None:
    several = Recognition(
        (Segment(0.0, 2.0, "a b", 0.5), Segment(2.0, 3.0, "", 0.5), Segment(3.0, 5.0, "c", 0.5)),
        Receipt("m"),
    )
    joiner = Joiner()
    assert [segment.text for segment in joiner.add(several)] == ["a b", "c"]
    assert [segment.text for segment in joiner.add(heard("c d", 4.0, 8.0, overlap=1.0))] == ["d"]
    assert joiner.transcript(8.0).text == several.text + " d" == "a b c d"


def test_an_overlap_may_reach_over_several_segments() -> None:
    earlier = Recognition(
        (Segment(0.0, 3.0, "a b", 0.5), Segment(3.0, 4.0, "c", 0.5)), Receipt("m")
    )
    whole = join([earlier, heard("a b c d", 3.0, 8.0, overlap=1.0)], duration=8.0)
    assert whole.text == "a b c d"


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("犬。", "猫", "犬。猫"),
        ("イヌ", "ネコ", "イヌネコ"),
        ("犬", "and", "犬 and"),
        ("Hello.", "Today", "Hello. Today"),  # a translation, whatever was spoken
        ("개", "고양이", "개 고양이"),
    ],
)
def test_spaces_stand_where_the_script_has_them(first: str, second: str, text: str) -> None:
    segments = tuple(Segment(0.0, 1.0, each, 0.5, language="ja") for each in (first, second))
    assert Recognition(segments, Receipt("m")).text == text
    pieces = [Recognition((each,), Receipt("m")) for each in segments]
    assert join(pieces, duration=2.0).text == text


# --- words with times --------------------------------------------------------------------------


def timed(text: str, start: float) -> tuple[Word, ...]:
    """A word a second."""
    return tuple(
        Word(start + at, start + at + 1, word, 0.5) for at, word in enumerate(text.split())
    )


def test_repeated_words_lose_their_times_too() -> None:
    earlier = Recognition((Segment(0.0, 3.0, "a b c", 0.5, timed("a b c", 0.0)),), Receipt("m"))
    later = Segment(2.0, 5.0, "c d e", 0.5, timed("c d e", 2.0))
    transcript = join([earlier, Recognition((later,), Receipt("m"), 1.0)], duration=5.0)
    assert [segment.text for segment in transcript.segments] == ["a b c", "d e"]
    found = [word for segment in transcript.segments for word in segment.words]
    assert found == [*timed("a b c", 0.0), *timed("d e", 3.0)]


@pytest.mark.parametrize(
    ("words", "text", "count"),
    [
        ("a b c", "", 0),
        ("a b c", "a b", 2),
        ("a b c", "a b c", 3),
        ("a b c", "a b c d", 3),
        ("\u4eca\u65e5 \u306f \u6674\u308c", "\u4eca\u65e5\u306f", 2),  # written without spaces
        ("ab cd", "abc", 1),  # one that goes on belongs to what follows
        ("", "a", 0),
    ],
)
def test_leading_words_are_those_that_say_a_text(words: str, text: str, count: int) -> None:
    assert leading(timed(words, 0.0), text) == count
