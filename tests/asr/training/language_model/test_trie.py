import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.language_model import NGramModel
from auricle.language_model.ngram import LEVELS
from auricle.training.language_model.counts import Packing, Text
from auricle.training.language_model.kneser_ney import KneserNeyModel, count, estimate
from auricle.training.language_model.pruning import chosen
from auricle.training.language_model.trie import as_trie, in_levels
from tests.asr.training.language_model.naive import (
    START,
    VOCAB,
    WORDS,
    histories,
    prob,
    random_lines,
    random_weights,
)


def pruned(order: int, most: int) -> KneserNeyModel:
    packing = Packing.of(VOCAB, order)
    counted = count(Text.of(random_lines(5), random_weights(5)), order, packing)
    kept = chosen(counted, estimate(counted, packing, np.array(WORDS)), most)
    return estimate(counted, packing, np.array(WORDS), kept)


def row_after(model: NGramModel, said: tuple[int, ...]) -> list[float]:
    contexts = model.beginning()
    for token in said:
        contexts = model.extended(contexts, [0], [token])
    row: list[float] = np.exp(model.following(contexts))[0].tolist()
    return row


@pytest.mark.parametrize(("order", "most"), [(2, 9), (3, 40), (4, 60), (4, 10**6)])
def test_the_arrays_say_what_the_model_says(order: int, most: int) -> None:
    model = pruned(order, most)
    trie = as_trie(model, VOCAB)
    assert len(trie) == VOCAB + sum(len(level.keys) for level in model.levels[1:])
    for history in histories(order, lambda _: True):
        if history[:1] == (START,):
            row = row_after(trie, history[1:])
            expected = [prob(model, (*history, word)) for word in WORDS]
            assert [row[word] for word in WORDS] == pytest.approx(expected, rel=1e-4)
            assert sum(row) == pytest.approx(1.0, rel=1e-4)


def test_an_order_that_nothing_is_kept_of() -> None:
    model = pruned(4, 4)
    assert not len(model.levels[3].keys)
    assert sum(row_after(as_trie(model, VOCAB), (4, 5, 4))) == pytest.approx(1.0, rel=1e-4)


@given(st.lists(st.floats(-20, 0), max_size=200))
def test_few_values_are_kept_as_they_are(values: list[float]) -> None:
    codes, book = in_levels(np.array(values))
    assert book[codes] == pytest.approx(values, rel=1e-6, abs=1e-30)
    assert book.shape == (LEVELS,)


def test_many_values_share_levels_that_are_near() -> None:
    values = np.random.default_rng(0).normal(-4, 2, 20_000)
    codes, book = in_levels(values)
    assert len(np.unique(codes)) == LEVELS
    assert np.abs(book[codes] - values).mean() < 0.02
    assert book[codes].mean() == pytest.approx(values.mean(), abs=1e-4)
    order = np.argsort(values)
    assert (np.diff(codes[order].astype(int)) >= 0).all()


def test_a_value_that_is_everywhere_is_exact() -> None:
    values = np.concatenate([np.full(5_000, -1.5), np.random.default_rng(1).uniform(-9, 0, 3_000)])
    codes, book = in_levels(values)
    assert book[codes[0]] == pytest.approx(-1.5, abs=0.05)
    assert np.abs(book[codes] - values).max() < 0.3
