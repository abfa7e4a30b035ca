"""CTC's prefix probabilities against the definition: every alignment, one by one."""

import functools
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.decoding.ctc_prefix import (
    FLOOR,
    Floats,
    Posteriors,
    Prefixes,
    empty_prefix,
    extended,
    following,
)
from auricle.tokenizer import Tokenizer

BLANK, END = Tokenizer.blank_id, Tokenizer.end_id
VOCAB = 6
WORDS = (4, 5)
Tokens = tuple[int, ...]


@functools.cache
def heard(frames: int, seed: int = 0, sharpness: float = 1.0, vocab: int = VOCAB) -> Floats:
    """Log-probabilities `(N, V)`."""
    logits = sharpness * np.random.default_rng(seed).standard_normal((frames, vocab))
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return np.asarray(log_probs, np.float32)


def said(alignment: Tokens) -> Tokens:
    """Repeats and blanks gone."""
    return tuple(token for token, _ in itertools.groupby(alignment) if token != BLANK)


@functools.cache
def texts(frames: int, seed: int, sharpness: float) -> dict[Tokens, float]:
    """The probability of every text: over all its alignments."""
    log_probs = heard(frames, seed, sharpness).astype(np.float64)
    found: dict[Tokens, float] = {}
    for alignment in itertools.product(range(VOCAB), repeat=frames):
        probability = math.exp(sum(log_probs[t, token] for t, token in enumerate(alignment)))
        found[said(alignment)] = found.get(said(alignment), 0.0) + probability
    return found


def begins(every: dict[Tokens, float], prefix: Tokens) -> float:
    return sum(p for tokens, p in every.items() if tokens[: len(prefix)] == prefix)


def prefixes_of(posteriors: Posteriors, tokens: Tokens) -> Prefixes:
    prefixes = empty_prefix(posteriors)
    for token in tokens:
        log_prob = float(following(posteriors, prefixes)[0, token])
        prefixes = extended(posteriors, prefixes, [0], [token], [log_prob])
    return prefixes


def log(probability: float) -> float:
    return math.log(probability) if probability > 0 else -math.inf


@pytest.mark.parametrize("sharpness", [0.3, 2.0, 6.0])
@pytest.mark.parametrize(("frames", "seed"), [(1, 0), (2, 1), (3, 2), (4, 3), (5, 4)])
def test_every_prefix_is_as_likely_as_all_its_alignments(
    frames: int, seed: int, sharpness: float
) -> None:
    every = texts(frames, seed, sharpness)
    posteriors = Posteriors.of(heard(frames, seed, sharpness), end=Tokenizer.end_id)
    for length in range(frames + 1):
        for prefix in itertools.product(WORDS, repeat=length):
            whole = begins(every, prefix)
            if whole == 0:  # no alignment has room for it
                continue
            prefixes = prefixes_of(posteriors, prefix)
            assert prefixes.log_probs[0] == pytest.approx(math.log(whole), abs=1e-4)
            (found,) = following(posteriors, prefixes).tolist()
            for token in (1, 3, *WORDS):
                expected = log(begins(every, (*prefix, token)) / whole)
                assert found[token] == pytest.approx(expected, abs=1e-4)
            assert found[END] == pytest.approx(math.log(every[prefix] / whole), abs=1e-4)


@given(
    frames=st.integers(1, 60),
    seed=st.integers(0, 99),
    sharpness=st.sampled_from([0.1, 1.0, 8.0]),
    text=st.lists(st.integers(3, 19), max_size=12),
)
def test_what_follows_sums_to_one(
    frames: int, seed: int, sharpness: float, text: list[int]
) -> None:
    """Of every prefix that fits: its tokens and the end share its probability."""
    log_probs = heard(frames, seed, sharpness, 20)
    log_probs = np.where(np.arange(20) == END, -60.0, log_probs)  # no piece of any text
    log_probs -= np.log(np.exp(log_probs).sum(axis=1, keepdims=True))
    posteriors = Posteriors.of(log_probs.astype(np.float32), end=Tokenizer.end_id)
    prefixes = empty_prefix(posteriors)
    for token in text:
        (found,) = following(posteriors, prefixes)
        if not math.isfinite(found[token]):
            return
        assert (found <= 0).all()
        rest = np.exp(found[[1, *range(2, 20)]].astype(np.float64)).sum()
        assert rest == pytest.approx(1.0, abs=1e-4)
        prefixes = extended(posteriors, prefixes, [0], [token], [found[token]])


def peaky(text: Tokens, vocab: int = 40, frames_each: int = 5, sure: float = 12.0) -> Posteriors:
    """Each token for one frame, blanks between."""
    logits = np.zeros((len(text) * frames_each, vocab))
    logits[:, BLANK] = sure
    logits[2::frames_each, BLANK] = 0.0
    logits[np.arange(len(text)) * frames_each + 2, text] = sure
    log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return Posteriors.of(log_probs.astype(np.float32), end=Tokenizer.end_id)


LONG = tuple(4 + (n * n) % 36 for n in range(200))


def test_a_long_text_stays_in_range() -> None:
    """A thousand frames, and probabilities far below what a float holds."""
    posteriors = peaky(LONG)
    prefixes = empty_prefix(posteriors)
    for token in LONG:
        (found,) = following(posteriors, prefixes)
        assert found[4:].argmax() + 4 == token
        assert found[token] > -0.1
        assert found[END] < -5
        prefixes = extended(posteriors, prefixes, [0], [token], [found[token]])
        assert np.isfinite(prefixes.forward).all()
    (found,) = following(posteriors, prefixes)
    assert found[END] > -0.1


@pytest.mark.parametrize("seed", range(3))
def test_a_text_that_nobody_says_can_always_end(seed: int) -> None:
    posteriors = peaky(LONG[:60], sure=40.0)
    random = np.random.default_rng(seed)
    prefixes = empty_prefix(posteriors)
    for token in random.integers(4, 40, 400).tolist():
        (found,) = following(posteriors, prefixes)
        assert not np.isnan(found).any()
        assert 0 >= found[END] >= FLOOR
        prefixes = extended(posteriors, prefixes, [0], [token], [float(found[token])])


def test_a_prefix_is_the_same_to_the_last_bit_whoever_is_beside_it() -> None:
    posteriors = Posteriors.of(heard(30, 5, 3.0, 20), end=Tokenizer.end_id)
    together = empty_prefix(posteriors)
    (first,) = following(posteriors, together)
    tokens = [4, 5, 6, 7, 8]
    together = extended(posteriors, together, [0] * 5, tokens, first[tokens].tolist())
    rows = following(posteriors, together)
    for row, token in enumerate(tokens):
        alone = prefixes_of(posteriors, (token,))
        assert np.array_equal(following(posteriors, alone)[0], rows[row])
    log_probs = rows[[3, 1, 3], [9, 9, 4]].tolist()
    forked = extended(posteriors, together, [3, 1, 3], [9, 9, 4], log_probs)
    for row, text in enumerate([(7, 9), (5, 9), (7, 4)]):
        alone = prefixes_of(posteriors, text)
        assert np.array_equal(alone.forward[0], forked.forward[row])
        assert alone.log_probs[0] == forked.log_probs[row]


def test_the_same_token_twice_wants_a_blank_between() -> None:
    """Two frames have no room for it."""
    posteriors = Posteriors.of(heard(2, 7), end=Tokenizer.end_id)
    (found,) = following(posteriors, prefixes_of(posteriors, (4,)))
    assert found[4] == -math.inf
    assert found[5] > -math.inf


@pytest.mark.parametrize(
    ("frame", "token", "probability", "silent"),
    [
        (3, 4, 0.30, True),  # likelier than a blank, by chance
        (3, 4, 0.36, False),
        (8, 4, 0.36, False),
        (0, 4, 0.99, True),  # the recording is switched on
        (3, BLANK, 0.99, True),
    ],
)
def test_silence_is_where_no_token_is_sure(
    frame: int, token: int, probability: float, silent: bool
) -> None:
    probabilities = np.full((9, VOCAB), 0.01, np.float32)
    probabilities[:, BLANK] = 0.95
    probabilities[frame] = (1 - probability) / (VOCAB - 1)
    probabilities[frame, token] = probability
    assert Posteriors.of(np.log(probabilities), end=Tokenizer.end_id).silent is silent


def test_who_hears_nothing_clearly_does_not_hear_silence() -> None:
    assert not Posteriors.of(heard(50, 0, 0.1, 40), end=Tokenizer.end_id).silent


def test_a_single_frame_may_be_a_word() -> None:
    assert not Posteriors.of(
        np.log(np.array([[0.1, 0.1, 0.1, 0.1, 0.6]], np.float32)), end=Tokenizer.end_id
    ).silent
