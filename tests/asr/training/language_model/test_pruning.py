import math
from itertools import pairwise

import numpy as np
import pytest

from auricle.training.language_model.counts import NGrams, Packing, Text
from auricle.training.language_model.kneser_ney import Kept, KneserNeyModel, count, estimate
from auricle.training.language_model.pruning import chosen, gain
from tests.asr.training.language_model.naive import (
    START,
    VOCAB,
    WORDS,
    A,
    Naive,
    prob,
    random_lines,
    random_weights,
)

LINES, WEIGHTS, ORDER = random_lines(4), random_weights(4), 4


@pytest.fixture(scope="module")
def counted() -> list[NGrams]:
    return count(Text.of(LINES, WEIGHTS), ORDER, Packing.of(VOCAB, ORDER))


@pytest.fixture(scope="module")
def full(counted: list[NGrams]) -> KneserNeyModel:
    return estimate(counted, Packing.of(VOCAB, ORDER), np.array(WORDS))


def keys_of(counted: list[NGrams], kept: Kept) -> list[set[int]]:
    return [set(each.keys[mask].tolist()) for each, mask in zip(counted, kept, strict=True)]


def test_a_gain_by_the_definition(counted: list[NGrams], full: KneserNeyModel) -> None:
    naive = Naive(LINES, WEIGHTS, ORDER)
    gains = gain(3, counted[2], full)
    for ngram, found in zip(naive.of_order(3), gains.tolist(), strict=True):
        history = [(*ngram[:-1], word) for word in WORDS]
        other = next(each for each in history if each not in naive.counts)
        left = prob(full, other) / prob(full, other[1:])  # what is not seen shows the backoff
        without = left * prob(full, ngram[1:])
        expected = naive.occurrences[ngram] * math.log(prob(full, ngram) / without)
        assert found == pytest.approx(expected, abs=1e-9)
        assert found >= 0


@pytest.mark.parametrize("most", [1, 10, 50, 150])
def test_as_many_as_are_allowed_and_no_beginning_is_missing(
    counted: list[NGrams], full: KneserNeyModel, most: int
) -> None:
    kept = chosen(counted, full, most)
    keys = keys_of(counted, kept)
    assert keys[0] == set(counted[0].keys.tolist())
    assert most // 2 <= sum(map(len, keys[1:])) <= most
    for shorter, longer in pairwise(keys):
        assert {key >> full.packing.bits for key in longer} <= shorter


def test_with_more_room_nothing_is_lost(counted: list[NGrams], full: KneserNeyModel) -> None:
    few = keys_of(counted, chosen(counted, full, 40))
    many = keys_of(counted, chosen(counted, full, 90))
    assert all(one <= other for one, other in zip(few, many, strict=True))
    everything = chosen(counted, full, 10**6)
    assert sum(mask.sum() for mask in everything) > sum(map(len, many))


def test_what_the_text_says_most_stays(counted: list[NGrams], full: KneserNeyModel) -> None:
    kept = chosen(counted, full, 30)
    begins = full.packing.pack([np.array([START]), np.array([A])])[0]
    assert begins in keys_of(counted, kept)[1]
    gains, mask = gain(4, counted[3], full), kept[3]
    if mask.any():
        assert gains[mask].min() >= gains[~mask].max()
