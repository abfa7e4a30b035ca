"""Interpolated modified Kneser-Ney (Chen and Goodman 1998), over integer arrays.

Why our own: the package `kenlm` on PyPI brings queries alone, its estimator wants CMake and Boost;
IRSTLM is in Debian, not on PyPI; and both count all lines alike. Here a line has a weight, which
scales what its n-grams say but not how often they were seen: so the discounts, which the counts of
counts give, stay those of the text.

    p(w | h) = weight(hw) (1 - D(c(hw)) / c(hw)) / weight(h) + gamma(h) p(w | h')

where h' is h without its first token and gamma(h) is what the discounts, and the n-grams that are
not kept, leave. What is not kept has the probability gamma(h) p(w | h').
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from auricle.training.language_model.counts import (
    Doubles,
    Keys,
    Longs,
    NGrams,
    Packing,
    Text,
    count_highest,
    count_lower,
    group_starts,
)

Kept = Sequence[npt.NDArray[np.bool_]]  # of each order, from 1

MOST = 0.95  # of one count that a discount takes, where counts of counts say otherwise


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The probabilities of one order. Sorted by key."""

    keys: Keys  # (M,) of the n-grams that are kept
    probs: Doubles  # (M,) of each after its history
    histories: Keys  # (C,) all histories that were seen, of one token less
    backoffs: Doubles  # (C,) gamma: what is left to shorter histories


@dataclass(frozen=True, slots=True, eq=False)
class KneserNeyModel:
    """All orders, from 1."""

    levels: Sequence[Level]
    packing: Packing

    def probs(self, keys: Keys, order: int) -> Doubles:
        """Of n-grams of `order`, kept or not: each one's last token after the others."""
        level = self.levels[order - 1]
        probs = looked_up(level.keys, level.probs, keys, math.nan)
        unknown = np.isnan(probs)
        if unknown.any():
            rest = keys[unknown]
            probs[unknown] = self.left(rest, order) * self.shorter(rest, order)
        return probs

    def left(self, keys: Keys, order: int) -> Doubles:
        """Gamma of the n-grams' histories; 1 for those never seen."""
        level = self.levels[order - 1]
        return looked_up(level.histories, level.backoffs, self.packing.history(keys), 1.0)

    def shorter(self, keys: Keys, order: int) -> Doubles:
        """As `probs`, after histories without their first token."""
        return self.probs(self.packing.shortened(keys, order), order - 1)


def count(text: Text, order: int, packing: Packing) -> list[NGrams]:
    """The n-grams of all orders, from 1."""
    counted = [count_highest(text, order, packing)]
    for length in tqdm(range(order - 1, 0, -1), "counts", disable=None):
        counted.append(count_lower(text, length, packing, counted[-1]))
    return counted[::-1]


def discounts(counts: Longs) -> Doubles:
    """`D(0)` to `D(3)`, the last one for 3 and more, from the counts of counts."""
    n1, n2, n3, n4 = (float((counts == c).sum()) for c in (1, 2, 3, 4))
    if not n1 or not n2:
        return np.array([0.0, 0.5, 0.5, 0.5])
    y = n1 / (n1 + 2 * n2)
    taken = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3 if n3 else 1.5]
    return np.array([0.0, *(float(np.clip(d, 0.05, MOST * c)) for c, d in enumerate(taken, 1))])


def estimate(
    counted: Sequence[NGrams], packing: Packing, words: Longs, kept: Kept | None = None
) -> KneserNeyModel:
    """The probabilities of n-grams of all orders, from 1.

    Args:
        counted: the n-grams.
        packing: of their keys.
        words: the tokens that may come next, END included; the model keeps all of them.
        kept: the n-grams of each order that it keeps; all by default.
    """
    levels = [_single(counted[0], words)]
    for order, ngrams in enumerate(counted[1:], 2):
        mask = np.ones(len(ngrams.keys), np.bool_) if kept is None else kept[order - 1]
        levels.append(_level(ngrams, mask, KneserNeyModel(levels, packing)))
    return KneserNeyModel(levels, packing)


def _single(ngrams: NGrams, words: Longs) -> Level:
    """Single tokens, over the uniform distribution of `words`."""
    wanted = np.sort(words).astype(np.uint64)
    counts = looked_up(ngrams.keys, ngrams.counts, wanted, 0)
    weights = looked_up(ngrams.keys, ngrams.weights, wanted, 0.0)
    shares = _discounted(counts, weights, discounts(counts)) / weights.sum()
    return Level(
        wanted,
        shares + (1 - shares.sum()) / len(words),
        histories=np.zeros(1, np.uint64),
        backoffs=np.array([1 - shares.sum()]),
    )


def _level(ngrams: NGrams, kept: npt.NDArray[np.bool_], below: KneserNeyModel) -> Level:
    histories = below.packing.history(ngrams.keys)
    starts = group_starts(histories)
    sizes = np.diff(np.append(starts, len(histories)))
    totals = np.add.reduceat(ngrams.weights, starts)
    left = _discounted(ngrams.counts, ngrams.weights, discounts(ngrams.counts))
    shares = left / np.repeat(totals, sizes) * kept
    backoffs = 1 - np.add.reduceat(shares, starts)
    keys, order = ngrams.keys[kept], len(below.levels)
    lower = below.probs(below.packing.shortened(keys, order + 1), order)
    return Level(
        keys,
        shares[kept] + np.repeat(backoffs, sizes)[kept] * lower,
        histories[starts],
        backoffs,
    )


def _discounted(counts: Longs, weights: Doubles, taken: Doubles) -> Doubles:
    rates = taken[np.minimum(counts, 3)]
    return weights * (1 - rates / np.maximum(counts, 1))


def looked_up(
    keys: Keys, values: npt.NDArray[Any], wanted: Keys, otherwise: float
) -> npt.NDArray[Any]:
    """The values of `wanted` ones among sorted `keys`; those that are not there have another."""
    places = np.searchsorted(keys, wanted)
    known = places < len(keys)
    known[known] = keys[places[known]] == wanted[known]
    filled = np.full(len(wanted), otherwise, values.dtype)
    filled[known] = values[places[known]]
    return filled
