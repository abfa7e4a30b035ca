"""Counting: every n-gram of a text as one integer, so that arrays are all it takes.

An n-gram's tokens stand side by side in the bits of a key, the first one highest. Sorted keys are
therefore in the order of a trie: what follows a history lies together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from auricle_types.errors import InvalidOptionError

Keys = npt.NDArray[np.uint64]
Longs = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

Number = TypeVar("Number", np.int64, np.float64)

KEY_BITS = 64


@dataclass(frozen=True, slots=True, eq=False)
class NGrams:
    """All n-grams of one order, sorted by key. Their counts are as Kneser and Ney adjust them.

    An n-gram that begins a line has its occurrences; any other one has the number of different
    tokens before it (the highest order: its occurrences). Lines have weights, so n-grams have, too:
    `weights / counts` is what one count of it weighs on average. With weights of 1 they are equal.
    """

    keys: Keys  # (M,)
    counts: Longs  # (M,) adjusted
    weights: Doubles  # (M,) adjusted
    occurrences: Doubles  # (M,) of the lines' weights, not adjusted

    @classmethod
    def gathered(cls, keys: Keys, counts: Longs, weights: Doubles, occurrences: Doubles) -> Self:
        """One entry a key, with the sums of its rows."""
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        starts = group_starts(ordered)
        return cls(
            ordered[starts],
            _summed(counts[order], starts),
            _summed(weights[order], starts),
            _summed(occurrences[order], starts),
        )


@dataclass(frozen=True, slots=True)
class Packing:
    """How tokens lie in a key."""

    bits: int  # of a token

    @classmethod
    def of(cls, vocab_size: int, order: int) -> Self:
        """For so many tokens. Raises InvalidOptionError where `order` of them are too many."""
        bits = max(vocab_size - 1, 1).bit_length()
        if not 2 <= order <= KEY_BITS // bits:
            raise InvalidOptionError(
                f"order must be 2 to {KEY_BITS // bits} with {vocab_size} pieces, not {order}"
            )
        return cls(bits)

    def pack(self, windows: Sequence[npt.NDArray[np.integer]]) -> Keys:
        """The keys of n-grams whose first tokens are the first array, and so on."""
        keys = windows[0].astype(np.uint64)
        for tokens in windows[1:]:
            keys = keys << np.uint64(self.bits) | tokens.astype(np.uint64)
        return keys

    def history(self, keys: Keys) -> Keys:
        """Without the last token."""
        return keys >> np.uint64(self.bits)

    def last(self, keys: Keys) -> Longs:
        """The last token alone."""
        return (keys & np.uint64((1 << self.bits) - 1)).astype(np.int64)

    def shortened(self, keys: Keys, order: int) -> Keys:
        """N-grams of `order` without their first token."""
        return keys & np.uint64((1 << self.bits * (order - 1)) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """Lines of tokens, START before each and END behind, end to end."""

    tokens: Longs  # (U,)
    starts: Longs  # (L,) where each line's START stands
    lens: Longs  # (L,) START and END included
    weights: Doubles  # (L,)

    @classmethod
    def of(cls, lines: Sequence[Sequence[int]], weights: Sequence[float]) -> Self:
        """From lines that hold their START and END."""
        lens = np.array([len(line) for line in lines], np.int64)
        tokens = np.fromiter((token for line in lines for token in line), np.int64, lens.sum())
        return cls(tokens, np.cumsum(lens) - lens, lens, np.asarray(weights, np.float64))

    def windows(self, order: int, packing: Packing) -> tuple[Keys, Doubles]:
        """Every n-gram of `order`, and its line's weight."""
        inside = np.repeat(self.starts + self.lens, self.lens) - np.arange(len(self.tokens))
        places = np.flatnonzero(inside >= order)
        weights = np.repeat(self.weights, np.maximum(self.lens - order + 1, 0))
        return self._at(places, order, packing), weights

    def beginnings(self, order: int, packing: Packing) -> tuple[Keys, Doubles]:
        """The n-gram with which each line begins that is long enough, and its weight."""
        chosen = self.lens >= order
        return self._at(self.starts[chosen], order, packing), self.weights[chosen]

    def _at(self, places: Longs, order: int, packing: Packing) -> Keys:
        return packing.pack([self.tokens[places + shift] for shift in range(order)])


def count_highest(text: Text, order: int, packing: Packing) -> NGrams:
    """The n-grams of the highest order: how often each occurs."""
    keys, weights = text.windows(order, packing)
    return NGrams.gathered(keys, np.ones(len(keys), np.int64), weights, weights)


def count_lower(text: Text, order: int, packing: Packing, above: NGrams) -> NGrams:
    """The n-grams of `order`, from those of one order more and from what lines begin with."""
    begun, weights = text.beginnings(order, packing)
    ones = np.ones(len(begun), np.int64)
    return NGrams.gathered(
        np.concatenate([begun, packing.shortened(above.keys, order + 1)]),
        np.concatenate([ones, np.ones(len(above.keys), np.int64)]),
        np.concatenate([weights, above.weights / above.counts]),
        np.concatenate([weights, above.occurrences]),
    )


def group_starts(ordered: Keys) -> Longs:
    """Where each run of equal keys begins."""
    return np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)])


def _summed(values: npt.NDArray[Number], starts: Longs) -> npt.NDArray[Number]:
    sums: npt.NDArray[Number] = np.add.reduceat(values, starts) if len(starts) else values
    return sums
