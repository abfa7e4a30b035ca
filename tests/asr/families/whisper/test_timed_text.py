"""What stands between two times: of windows that move by them, and of pieces that do not."""

from itertools import chain

import pytest

pytest.importorskip("whisper")

from auricle.decoding import TimedText
from auricle.families.whisper.timed_text import TimestampReader, texts_of_piece
from auricle.hypothesis import Hypothesis
from auricle_types.transcript import Word
from tests.asr.tokenizer.unicode_lines import vocabulary

BEGIN = 100


@pytest.mark.parametrize(
    ("tokens", "stretches", "moved"),
    [
        ((100, 5, 6, 200), [(0.0, 2.0)], 1000),  # its last time ends it, and nothing follows
        ((100, 5), [(0.0, 10.0)], 1000),  # no other time: the whole window
        ((100, 5, 200, 200, 7), [(0.0, 2.0)], 200),  # the rest is for the next window
        ((100, 5, 200, 200, 7, 300), [(0.0, 2.0), (2.0, 4.0)], 1000),
        ((100, 5, 200, 250, 7, 300, 300), [(0.0, 2.0), (3.0, 4.0)], 400),
    ],
)
def test_stretches(
    tokens: tuple[int, ...], stretches: list[tuple[float, float]], moved: int
) -> None:
    found, by = TimestampReader(BEGIN).in_window(tokens, 1000)
    assert [each.start for each in found] == pytest.approx([start for start, _ in stretches])
    assert [each.end for each in found] == pytest.approx([end for _, end in stretches])
    assert by == moved


@pytest.mark.parametrize(
    ("tokens", "stretches"),
    [
        ((), [(0.0, 10.0)]),
        ((5, 6), [(0.0, 10.0)]),  # no times
        ((100, 5, 6), [(0.0, 10.0)]),  # no end
        ((150, 5, 6, 200), [(1.0, 2.0)]),
        ((100, 5, 200, 250, 7), [(0.0, 2.0), (3.0, 10.0)]),  # the last words count, too
        ((100, 5, 200, 250, 7, 900), [(0.0, 2.0), (3.0, 10.0)]),  # not beyond the piece
    ],
)
def test_a_piece_is_all_of_it(
    tokens: tuple[int, ...], stretches: list[tuple[float, float]]
) -> None:
    found = TimestampReader(BEGIN).in_piece(tokens, 10.0)
    assert [each.start for each in found] == pytest.approx([start for start, _ in stretches])
    assert [each.end for each in found] == pytest.approx([end for _, end in stretches])
    assert tuple(chain.from_iterable(each.tokens for each in found)) == tokens


def said(*parts: str | float) -> tuple[int, ...]:
    begin = vocabulary().timestamp_begin
    return tuple(
        token
        for part in parts
        for token in (
            vocabulary().encode(part) if isinstance(part, str) else [begin + round(part / 0.02)]
        )
    )


def test_each_stretch_has_its_words() -> None:
    words = tuple(Word(at, at + 1.0, text, 0.5) for at, text in enumerate(("one", "two", "three")))
    tokens = said(0.0, " one two", 2.0, 2.0, " three", 3.0)
    found = texts_of_piece(vocabulary(), Hypothesis(tokens, -1.0, words=words), 4.0)
    assert found == [
        TimedText(0.0, 2.0, "one two", words[:2]),
        TimedText(2.0, 3.0, "three", words[2:]),
    ]


@pytest.mark.parametrize(
    "tokens",
    [
        said(0.0, " one", 0.0, 0.0, " two", 1.0),  # takes no time
        said(0.0, " one", 5.0, 6.0, " two", 7.0),  # is said behind the piece's end
        said(" one two"),
        said(0.0, " one two"),
    ],
)
def test_times_that_go_nowhere_lose_no_words(tokens: tuple[int, ...]) -> None:
    found = texts_of_piece(vocabulary(), Hypothesis(tokens, -1.0), 4.0)
    assert found == [TimedText(0.0, 4.0, "one two")]


def test_silence_is_one_stretch_without_words() -> None:
    assert texts_of_piece(vocabulary(), Hypothesis((), -1.0), 4.0) == [TimedText(0.0, 4.0, "")]
    only_times = Hypothesis(said(0.0, 1.0), -1.0)
    assert texts_of_piece(vocabulary(), only_times, 4.0) == [TimedText(0.0, 4.0, "")]
