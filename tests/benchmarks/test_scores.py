import json

import pytest

from benchmarks.scores import Counts, interval, score, score_of


def test_a_score_counts_words_after_normalisation() -> None:
    found = score(["a b c d", "e"], ["A, b x", "e f"])
    assert (found.utterances, found.words, found.wer.value) == (2, 5, 0.6)
    assert found.wer.low <= found.wer.value <= found.wer.high
    assert (found.deleted, found.inserted) == (0.2, 0.2)
    assert found.cer.value == pytest.approx(5 / 8)


def test_counts_say_what_texts_say() -> None:
    pairs = [("a b c d", "a b x"), ("", "e f")]
    assert score_of([Counts.of(*pair) for pair in pairs]) == score(
        [said for said, _ in pairs], [found for _, found in pairs]
    )


def test_both_sides_are_normalised() -> None:
    assert score(["A b, C"], ["a B c"]).wer.value == 0.0
    assert score(["a b"], ["c d"], lambda text: "same").wer.value == 0.0


def test_a_score_is_json() -> None:
    found = score(["a b"], ["a"]).to_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["wer"]["value"] == 0.5


def test_the_interval_is_narrow_where_all_utterances_are_alike() -> None:
    low, high = interval([1] * 50, [10] * 50)
    assert low == high == pytest.approx(0.1)
    low, high = interval([0] * 25 + [10] * 25, [10] * 50)
    assert low < 0.4
    assert high > 0.6


def test_one_utterance_says_nothing_of_others() -> None:
    assert interval([1], [2]) == (0.0, 1.0)
