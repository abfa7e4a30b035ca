"""Probabilities by hand, by the definition, and as a distribution."""

import numpy as np
import pytest

from auricle.training.language_model.counts import Packing, Text
from auricle.training.language_model.kneser_ney import count, discounts, estimate
from tests.asr.training.language_model.naive import (
    END,
    START,
    VOCAB,
    WORDS,
    A,
    B,
    C,
    D,
    Naive,
    histories,
    line,
    model_of,
    prob,
    random_lines,
    random_weights,
)

ORDERS = [2, 3, 4]


def test_discounts_by_hand() -> None:
    counts = np.array([1] * 6 + [2] * 3 + [3] * 2 + [4] * 1 + [9])
    y = 6 / (6 + 2 * 3)
    expected = [0, 1 - 2 * y * 3 / 6, 2 - 3 * y * 2 / 3, 3 - 4 * y * 1 / 2]
    assert discounts(counts) == pytest.approx(expected)


@pytest.mark.parametrize("counts", [[], [1, 1], [2, 3], [1, 2, 2, 2, 2, 3, 3, 3, 3, 3], [5, 6]])
def test_discounts_of_few_counts_leave_something_of_each(counts: list[int]) -> None:
    taken = discounts(np.array(counts, np.int64))
    assert all(0 < taken[c] < c for c in (1, 2, 3))


def test_probabilities_by_hand() -> None:
    """Of "a b" and "a a". Of pairs, 4 come once and 1 twice: D1 = 2/3, D2 = 1.9 (of at most 2)."""
    model = model_of([line(A, B), line(A, A)], [1.0, 1.0], order=2)
    # Of single tokens a and END follow two others each, b one: D1 = 0.2, D2 = 1.9.
    rest = 1 - (0.1 + 0.1 + 0.8) / 5
    p_a, p_b = 0.1 / 5 + rest / 5, 0.8 / 5 + rest / 5
    assert prob(model, (A,)) == prob(model, (END,)) == pytest.approx(p_a)
    assert prob(model, (B,)) == pytest.approx(p_b)
    assert prob(model, (C,)) == prob(model, (D,)) == pytest.approx(rest / 5)
    assert prob(model, (START, A)) == pytest.approx(0.1 / 2 + 1.9 / 2 * p_a)
    assert prob(model, (A, B)) == pytest.approx(1 / 9 + 2 / 3 * p_b)
    assert prob(model, (A, D)) == pytest.approx(2 / 3 * rest / 5)
    assert prob(model, (B, END)) == pytest.approx(1 / 3 + 2 / 3 * p_a)
    assert prob(model, (D, B)) == pytest.approx(p_b)  # nothing was seen after d


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("weighted", [False, True])
def test_probabilities_by_the_definition(order: int, weighted: bool) -> None:
    lines = random_lines(order)
    weights = random_weights(order) if weighted else [1.0] * len(lines)
    model, naive = model_of(lines, weights, order), Naive(lines, weights, order)
    for history in histories(order, lambda _: True):
        for word in WORDS:
            ngram = (*history, word)
            assert prob(model, ngram) == pytest.approx(naive.prob(ngram)), ngram


@pytest.mark.parametrize("order", ORDERS)
def test_counts_by_the_definition(order: int) -> None:
    lines, weights = random_lines(7), random_weights(7)
    packing, naive = Packing.of(VOCAB, order), Naive(lines, weights, order)
    for length, found in enumerate(count(Text.of(lines, weights), order, packing), 1):
        ngrams = naive.of_order(length)
        assert packing.pack(list(np.array(ngrams).T)).tolist() == found.keys.tolist()
        assert found.counts.tolist() == [naive.counts[each] for each in ngrams]
        assert found.weights == pytest.approx([naive.weights[each] for each in ngrams])
        assert found.occurrences == pytest.approx([naive.occurrences[each] for each in ngrams])


@pytest.mark.parametrize("order", ORDERS)
def test_after_every_history_the_words_sum_to_1(order: int) -> None:
    model = model_of(random_lines(1), random_weights(1), order)
    for history in histories(order, lambda _: True):
        assert sum(prob(model, (*history, word)) for word in WORDS) == pytest.approx(1.0)


def test_weights_of_lines_are_relative() -> None:
    lines, weights = random_lines(2), random_weights(2)
    model = model_of(lines, weights, 3)
    tenfold = model_of(lines, [10 * weight for weight in weights], 3)
    for history in histories(3, lambda _: True):
        for word in WORDS:
            ngram = (*history, word)
            assert prob(model, ngram) == pytest.approx(prob(tenfold, ngram))


def test_a_heavier_line_is_likelier() -> None:
    lines = [line(A, B, A), line(C, D, C), line(A, D, D)]
    light, heavy = model_of(lines, [1, 1, 1], 3), model_of(lines, [1, 5, 1], 3)
    assert prob(heavy, (START, C)) > prob(light, (START, C))
    assert prob(heavy, (START, A)) < prob(light, (START, A))


def test_lines_may_be_shorter_than_the_order() -> None:
    model = model_of([line(A), line(B), line()], [1.0, 1.0, 1.0], order=5)
    assert sum(prob(model, (START, word)) for word in WORDS) == pytest.approx(1.0)
    assert prob(model, (START, A, END)) > 0.3
    unseen = [(START, A, B, C, word) for word in WORDS]
    assert sum(prob(model, each) for each in unseen) == pytest.approx(1.0)


def test_what_is_not_kept_is_left_to_shorter_histories() -> None:
    lines, packing = random_lines(3), Packing.of(VOCAB, 3)
    counted = count(Text.of(lines, [1.0] * len(lines)), 3, packing)
    random = np.random.default_rng(0)
    kept = [np.ones(len(counted[0].keys), bool), np.ones(len(counted[1].keys), bool)]
    kept.append(random.random(len(counted[2].keys)) < 0.5)
    model = estimate(counted, packing, np.array(WORDS), kept)
    assert len(model.levels[2].keys) == kept[2].sum()
    full = estimate(counted, packing, np.array(WORDS))
    changed = 0
    for history in histories(3, lambda _: True):
        probs = [prob(model, (*history, word)) for word in WORDS]
        assert sum(probs) == pytest.approx(1.0)
        changed += probs != [prob(full, (*history, word)) for word in WORDS]
    assert changed > 5
