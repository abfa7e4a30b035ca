"""Small n-gram models whose every number is known: a helper for tests, no tests."""

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from auricle.language_model import NGramModel
from auricle.language_model.ngram import LEVELS
from auricle.tokenizer import Tokenizer

NGram = tuple[int, ...]
SILENT = (Tokenizer.blank_id, Tokenizer.start_id, Tokenizer.unknown_id)


@dataclass(frozen=True)
class Table:
    """What a model says, as anybody would write it down: no trie."""

    log_probs: Mapping[NGram, float]
    backoffs: Mapping[NGram, float]
    order: int

    def log_prob(self, history: NGram, token: int) -> float:
        """By the recursion that backoff models are defined by."""
        history = history[-(self.order - 1) :]
        if (*history, token) in self.log_probs or not history:
            return self.log_probs[*history, token]
        return self.backoffs.get(history, 0.0) + self.log_prob(history[1:], token)

    def row(self, said: Sequence[int], vocab_size: int) -> list[float]:
        """Of each next token after what was said."""
        history = (Tokenizer.start_id, *said)
        return [
            -np.inf if token in SILENT else self.log_prob(history, token)
            for token in range(vocab_size)
        ]


@functools.cache
def random_model(
    seed: int = 0, *, vocab_size: int = 12, order: int = 4, share: float = 0.4
) -> tuple[NGramModel, Table]:
    """A model with a `share` of all n-grams whose beginnings it has; numbers are random."""
    random = np.random.default_rng(seed)
    books = random.uniform(-9, -0.5, (2, order, LEVELS)).astype(np.float32)
    levels: list[list[NGram]] = [[(token,) for token in range(vocab_size)]]
    while len(levels) < order:
        longer = [(*g, token) for g in levels[-1] for token in range(vocab_size)]
        levels.append([g for g in longer if random.random() < share])
    ngrams = list(itertools.chain(*levels))
    log_probs, backoffs = random.integers(0, LEVELS, (2, len(ngrams)), np.uint8)
    inner = sum(map(len, levels[:-1]))
    parents = [g[:-1] for g in ngrams[vocab_size:]]
    children = [parents.count(g) for g in ngrams[:inner]]
    model = NGramModel(
        order,
        vocab_size,
        np.array([g[-1] for g in ngrams], np.uint8),
        (vocab_size + np.cumsum([0, *children])).astype(np.int32),
        log_probs,
        np.where(np.array(children) > 0, backoffs[:inner], 0).astype(np.uint8),
        *books,
    )
    table = Table(
        {g: float(books[0, len(g) - 1, log_probs[i]]) for i, g in enumerate(ngrams)},
        {
            g: float(books[1, len(g) - 1, backoffs[i]])
            for i, g in enumerate(ngrams[:inner])
            if children[i]
        },
        order,
    )
    return model, table
