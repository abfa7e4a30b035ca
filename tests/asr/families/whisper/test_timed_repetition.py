"""Whisper's loops: by how long the words take to say."""

import pytest

pytest.importorskip("whisper")

from auricle.families.whisper.timed_repetition import TimedRepetition
from tests.asr.tokenizer.unicode_lines import vocabulary

BEGIN = vocabulary().timestamp_begin


def words(text: str) -> tuple[int, ...]:
    return tuple(vocabulary().encode(text))


def cut_at(seconds: float, tokens: tuple[int, ...]) -> tuple[int, str] | None:
    """How many tokens have been said when the guard fires, and the text that is left."""
    guard = TimedRepetition.of(vocabulary(), seconds)
    for end in range(len(tokens) + 1):
        if (left := guard.cut(tokens[:end])) is not None:
            return end, vocabulary().decode(left)
    return None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (" my number is" + " zero" * 6 + " seven three", 4.0),
        (" no" * 8, 2.0),
        (" ha" * 12, 2.0),
        (" again and again and again and again", 3.0),
        (" it was a" + " very" * 7 + " good day", 4.3),
    ],
)
def test_what_there_is_time_for_stays(text: str, seconds: float) -> None:
    assert cut_at(seconds, words(text)) is None


@pytest.mark.parametrize("phrase", [" you", " thank you", " Thank you for watching!"])
def test_what_there_is_no_time_for_is_said_once(phrase: str) -> None:
    found = cut_at(2.0, words(" well," + phrase * 60))
    assert found is not None
    end, left = found
    assert left == "well," + phrase
    assert end < 35


def test_the_longer_the_speech_the_later() -> None:
    ends = [cut_at(seconds, words(" you" * 90)) for seconds in (1.0, 4.0)]
    assert [end and end[0] for end in ends] == [7, 26]


def test_only_the_time_behind_the_words_before_counts() -> None:
    said = (BEGIN, *words(" well"), BEGIN + 1400, BEGIN + 1400, *words(" you" * 60))
    found = cut_at(29.0, said)
    assert found is not None
    assert found[1] == "well you"
    assert found[0] < 15


def test_times_between_do_not_tell_copies_apart() -> None:
    once = (BEGIN, *words(" Thank you for watching!"), BEGIN)
    assert cut_at(2.0, once * 20) is not None
    assert cut_at(60.0, once * 20) is None
