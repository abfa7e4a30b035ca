"""Cases counted by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.evaluation import ErrorCounts, align, char_errors, word_errors

WORDS = st.lists(st.sampled_from(["a", "b", "the", "cat"]), max_size=8).map(" ".join)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "counts", "rate"),
    [
        ("the cat sat", "the cat sat", ErrorCounts(3, 0, 0, 0), 0.0),
        ("the cat sat", "the bat sat", ErrorCounts(2, 1, 0, 0), 1 / 3),
        ("the cat sat", "cat sat", ErrorCounts(2, 0, 1, 0), 1 / 3),
        ("the cat sat", "the fat cat sat", ErrorCounts(3, 0, 0, 1), 1 / 3),
        ("a b c d e", "x b d e f", ErrorCounts(3, 1, 1, 1), 3 / 5),
        ("the cat sat", "", ErrorCounts(0, 0, 3, 0), 1.0),
        ("a", "a", ErrorCounts(1, 0, 0, 0), 0.0),  # one letter counts
        ("a", "b", ErrorCounts(0, 1, 0, 0), 1.0),
        ("a", "", ErrorCounts(0, 0, 1, 0), 1.0),
        ("a", "a b c", ErrorCounts(1, 0, 0, 2), 2.0),  # more invented than said
        ("", "", ErrorCounts(0, 0, 0, 0), 0.0),
        ("", "thank you", ErrorCounts(0, 0, 0, 2), 2.0),  # no reference: the words invented
    ],
)
def test_words(reference: str, hypothesis: str, counts: ErrorCounts, rate: float) -> None:
    found = word_errors(reference, hypothesis)
    assert found == counts
    assert found.rate == pytest.approx(rate)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "counts"),
    [
        ("cat", "cut", ErrorCounts(2, 1, 0, 0)),
        ("it is", "itis", ErrorCounts(4, 0, 1, 0)),  # the space is a character
        ("", "ab", ErrorCounts(0, 0, 0, 2)),
        ("a", "", ErrorCounts(0, 0, 1, 0)),
    ],
)
def test_characters(reference: str, hypothesis: str, counts: ErrorCounts) -> None:
    assert char_errors(reference, hypothesis) == counts


def test_corpus_rate_is_no_mean_of_rates() -> None:
    total = word_errors("a b c d", "a b c d") + word_errors("a", "b") + word_errors("", "x")
    assert total == ErrorCounts(4, 1, 0, 1)
    assert total.rate == pytest.approx(2 / 5)


@given(WORDS, WORDS)
def test_counts_add_up(reference: str, hypothesis: str) -> None:
    counts = word_errors(reference, hypothesis)
    assert counts.reference_length == len(reference.split())
    assert counts.hits + counts.substitutions + counts.insertions == len(hypothesis.split())
    assert counts.errors <= max(len(reference.split()), len(hypothesis.split()))


@given(WORDS)
def test_itself_has_no_errors(text: str) -> None:
    assert word_errors(text, text).errors == 0


def test_alignment_is_drawn() -> None:
    assert align("a b c", "x b c d") == "REF: a b c *\nHYP: x b c d\n     S     I"
    assert align("a", "") == "REF: a\nHYP: *\n     D"
