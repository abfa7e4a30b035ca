"""Words with their signs, against openai-whisper's `merge_punctuations`."""

import pytest

pytest.importorskip("whisper")

from hypothesis import given, settings
from hypothesis import strategies as st
from whisper import timing
from whisper.timing import WordTiming

from auricle.families.whisper.word_times import BESIDE_TEXT, compile_now, punctuated
from auricle_types.transcript import Word

PREPENDED, APPENDED = "\"'\u201c\u00bf([{-", "\"'.\u3002,\uff0c!\uff01?\uff1f:\uff1a\u201d)]}\u3001"
PARTS = (" so", " it", "'s", " (", " -", ",", ".", "?", ")", ' "', '"', " a", "\u3002", " [")


def words(texts: list[str]) -> list[Word]:
    return [Word(float(at), at + 1.0, text, 0.5) for at, text in enumerate(texts)]


def theirs(texts: list[str]) -> list[Word]:
    alignment = [WordTiming(each.text, [], each.start, each.end, 0.5) for each in words(texts)]
    timing.merge_punctuations(alignment, PREPENDED, APPENDED)
    return [Word(each.start, each.end, each.word, 0.5) for each in alignment if each.word]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PARTS), max_size=8))
def test_signs_become_part_of_their_word(texts: list[str]) -> None:
    assert punctuated(words(texts)) == theirs(texts)


def test_a_sign_takes_no_time() -> None:
    assert punctuated(words([" well", ",", " (", " yes", ")"])) == [
        Word(0.0, 1.0, " well,", 0.5),
        Word(3.0, 4.0, " ( yes)", 0.5),
    ]
    assert punctuated([]) == []


def test_compiling_is_no_error() -> None:
    compile_now()
    assert len(("START", "the language", "the task", "no times", "END")) == BESIDE_TEXT
