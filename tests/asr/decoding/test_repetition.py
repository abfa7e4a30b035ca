"""Loops end; what was truly said many times stays."""

import numpy as np
import pytest

from auricle.decoding.ctc_prefix import Posteriors
from auricle.decoding.guards import new_guards
from auricle.decoding.repetition import RepeatedPhrase, RepetitionGuard, loops
from auricle.tokenizer import Tokenizer

ZERO, SEVEN = 5, 6


def first_cut(guard: RepetitionGuard, tokens: tuple[int, ...]) -> int | None:
    """How many tokens have been said when the guard fires."""
    grown = (end for end in range(len(tokens) + 1) if guard.cut(tokens[:end]) is not None)
    return next(grown, None)


@pytest.mark.parametrize(
    ("said", "found"),
    [("xaaa", [(1, 3)]), ("xabab", [(2, 2)]), ("aaaa", [(1, 4), (2, 2)]), ("aab", []), ("", [])],
)
def test_loops_at_the_end(said: str, found: list[tuple[int, int]]) -> None:
    assert list(loops(tuple(map(ord, said)), times=1, longest=3)) == [
        RepeatedPhrase(*each) for each in found
    ]


@pytest.mark.parametrize("possible", [0, 6, 20])
def test_as_often_as_is_possible_it_may_be_said(possible: int) -> None:
    guard = RepetitionGuard(lambda _: possible, times=4)
    assert first_cut(guard, (SEVEN,) + (ZERO,) * 40) == 1 + max(possible, 4) + 1
    assert guard.cut((SEVEN,) + (ZERO,) * 40) == (SEVEN, ZERO)


def posteriors(*best: int) -> Posteriors:
    """CTC that is sure of one token in each frame."""
    log_probs = np.full((len(best), 8), -9.0, np.float32)
    log_probs[np.arange(len(best)), best] = -0.01
    return Posteriors.of(log_probs, end=Tokenizer.end_id)


def test_ctc_counts_what_was_said() -> None:
    blank = Tokenizer.blank_id
    heard = posteriors(SEVEN, *[blank, ZERO, ZERO, blank] * 6, SEVEN)
    said = (SEVEN, *(ZERO,) * 6, SEVEN)
    repetition = new_guards(3.0, 13.0, False, heard.possible)[1]
    assert isinstance(repetition, RepetitionGuard)
    assert first_cut(repetition, said) is None
    assert first_cut(repetition, (SEVEN, *(ZERO,) * 30)) == 1 + 6 + 1 + 1  # one it may have missed


def test_without_ctc_time_decides() -> None:
    short, long = (new_guards(seconds, 25.0, False)[1] for seconds in (1.0, 3.0))
    assert isinstance(short, RepetitionGuard)
    assert isinstance(long, RepetitionGuard)
    assert first_cut(short, (ZERO,) * 40) == 9
    assert first_cut(long, (ZERO,) * 40) == 25
    assert first_cut(short, (ZERO, SEVEN) * 20) == 10
