"""What the live benchmark makes of events."""

import numpy as np
import pytest

from auricle_types.events import EndOfUtterance, FinalSegment, Interim
from auricle_types.transcript import Segment
from benchmarks.live import Tape, Timed, Utterance, final_latencies, first_interims, shown_words

pytest.importorskip("whisper_normalizer", reason="pip install 'auricle[bench]'")

TAPE = Tape(
    np.zeros(0, np.float32),
    (Utterance(1.0, 4.0, 1.5, "one two"), Utterance(5.0, 8.0, 5.4, "three")),
)
EVENTS: list[Timed] = [
    (2.0, Interim(0.8, "Red tow", "", 0.9)),
    (2.5, Interim(0.8, "Red cat", "Red", 0.9)),
    (4.9, FinalSegment(Segment(0.8, 4.1, "Red cat.", 0.5))),
    (5.0, EndOfUtterance(4.0)),
    (9.0, EndOfUtterance(8.0)),
]


def test_the_first_interim_counts_from_the_first_word() -> None:
    assert list(first_interims(TAPE, EVENTS)) == [0.5, None]


def test_the_final_counts_from_the_end_of_speech() -> None:
    assert list(final_latencies(EVENTS)) == [1.0, 1.0]


def test_words_that_the_final_text_does_not_have_were_taken_back() -> None:
    assert list(shown_words(EVENTS)) == [(2, 1, 0, 0), (2, 0, 1, 0)]
