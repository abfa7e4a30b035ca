"""All tokens of a history at once: what the backoff recursion says of each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auricle.language_model import NGramModel, compile_now
from auricle.language_model.ngram import LEVELS, Floats, Ints
from auricle.tokenizer import Tokenizer
from tests.asr.language_models import random_model

VOCAB = 12
said_tokens = st.lists(st.sampled_from([2, *range(4, VOCAB)]), max_size=9)


def contexts_after(model: NGramModel, said: list[int]) -> Ints:
    contexts = model.beginning()
    for token in said:
        contexts = model.extended(contexts, [0], [token])
    return contexts


def by_hand() -> NGramModel:
    """p(4) = 0.5, p(5) = 0.25, p(END) = 0.25; p(5 | START) = 0.75, p(4 5 | START) is unknown."""
    log_prob_books, backoff_books = np.zeros((2, 2, LEVELS), np.float32)
    log_prob_books[0, :3] = np.log([1e-9, 0.5, 0.25])
    log_prob_books[1, :2] = np.log([0.75, 0.125])
    backoff_books[0, :2] = np.log([0.5, 0.8])
    children = [0, 1, 0, 0, 1, 0]  # START 5 and 4 4
    return NGramModel(
        order=2,
        vocab_size=6,
        tokens=np.array([0, 1, 2, 3, 4, 5, 5, 4], np.uint8),
        first=np.cumsum([6, *children]).astype(np.int32),
        log_probs=np.array([0, 0, 2, 0, 1, 2, 0, 1], np.uint8),
        backoffs=np.array([0, 0, 0, 0, 1, 0], np.uint8),
        log_prob_books=log_prob_books,
        backoff_books=backoff_books,
    )


def test_by_hand() -> None:
    model = by_hand()
    begin = np.exp(model.following(model.beginning()))[0]
    assert begin == pytest.approx([0, 0, 0.5 * 0.25, 0, 0.5 * 0.5, 0.75])
    after_4 = np.exp(model.following(contexts_after(model, [4])))[0]
    assert after_4 == pytest.approx([0, 0, 0.8 * 0.25, 0, 0.125, 0.8 * 0.25])
    after_5 = np.exp(model.following(contexts_after(model, [4, 5])))[0]
    assert after_5 == pytest.approx([0, 0, 0.25, 0, 0.5, 0.25])


@settings(max_examples=60)
@given(st.integers(0, 3), st.integers(2, 5), st.sampled_from([0.1, 0.5]), said_tokens)
def test_what_the_recursion_says(seed: int, order: int, share: float, said: list[int]) -> None:
    share = share if order < 5 else 0.1
    model, table = random_model(seed, vocab_size=VOCAB, order=order, share=share)
    found = model.following(contexts_after(model, said))[0]
    assert found == pytest.approx(table.row(said, VOCAB), abs=1e-4)


def test_the_models_are_of_use() -> None:
    """Long n-grams are found, short ones too, and some have none that is longer."""
    model, table = random_model(share=0.15)
    longest = next(
        ngram
        for ngram in table.backoffs
        if len(ngram) == 3 and {ngram[1:], ngram[2:]} <= set(table.backoffs)
    )
    assert (contexts_after(model, list(longest)) >= 0).all()
    assert (contexts_after(model, [4, 4, 4, 4])[0, 1:] < 0).any()
    assert len(table.backoffs) < sum(len(ngram) < 4 for ngram in table.log_probs)


@settings(max_examples=40)
@given(st.lists(said_tokens, min_size=1, max_size=8), st.integers(0, 7))
def test_a_row_is_its_own_whoever_is_beside_it(histories: list[list[int]], mine: int) -> None:
    model, _ = random_model(1)
    rows = [contexts_after(model, said)[0] for said in histories]
    mine %= len(rows)
    together = model.following(np.stack(rows))
    assert together[mine].tobytes() == model.following(rows[mine][None]).tobytes()


def test_hypotheses_fork_and_end() -> None:
    model, table = random_model(2)
    contexts = contexts_after(model, [5, 6])
    forked = model.extended(contexts, [0, 0, 0], [7, 8, 7])
    again = model.extended(forked, [2, 1], [9, 4])
    expected = [table.row([5, 6, 7, 9], VOCAB), table.row([5, 6, 8, 4], VOCAB)]
    assert model.following(again) == pytest.approx(np.array(expected), abs=1e-4)


def test_nothing_is_changed_by_asking() -> None:
    model, _ = random_model(1)
    contexts = contexts_after(model, [4, 5])
    before: tuple[Ints, Floats] = contexts.copy(), model.following(contexts)
    model.extended(contexts, [0], [6])
    assert (before[0] == contexts).all()
    assert (before[1] == model.following(contexts)).all()


def test_what_is_never_said_is_impossible() -> None:
    model, _ = random_model(1)
    row = model.following(model.beginning())[0]
    silent = [Tokenizer.blank_id, Tokenizer.start_id, Tokenizer.unknown_id]
    assert np.isneginf(row[silent]).all()
    assert np.isfinite(np.delete(row, silent)).all()


def test_machine_code_is_made_ahead() -> None:
    compile_now(by_hand())


def test_its_size() -> None:
    assert len(by_hand()) == 8
