"""Which n-grams are worth their bytes: those that change what the text is worth most.

An n-gram gains its occurrences times how much likelier it makes its last token than the shorter
history alone does (Seymore and Rosenfeld 1996). It stays as long as something longer stays that
begins with it.
"""

from collections.abc import Sequence

import numpy as np

from auricle.training.language_model.counts import Doubles, NGrams, Packing, group_starts
from auricle.training.language_model.kneser_ney import Kept, KneserNeyModel


def chosen(counted: Sequence[NGrams], full: KneserNeyModel, most: int) -> Kept:
    """The n-grams of each order, from 1, that a model of at most `most` n-grams keeps.

    Args:
        counted: all n-grams.
        full: their probabilities, when all are kept.
        most: beside the single tokens, which are always kept.
    """
    gains = closed([gain(*each, full) for each in enumerate(counted, 1)], counted, full.packing)
    everything = np.concatenate(gains[1:])
    least = 0.0
    if len(everything) > most:
        least = float(np.partition(everything, len(everything) - most - 1)[-most - 1])
    return [np.ones(len(gains[0]), np.bool_), *(each > least for each in gains[1:])]


def gain(order: int, ngrams: NGrams, full: KneserNeyModel) -> Doubles:
    """What each n-gram of `order` adds to the text's log-probability."""
    if order == 1:
        return np.zeros(len(ngrams.keys))
    without = full.left(ngrams.keys, order) * full.shorter(ngrams.keys, order)
    gained: Doubles = ngrams.occurrences * np.log(full.levels[order - 1].probs / without)
    return gained


def closed(gains: Sequence[Doubles], counted: Sequence[NGrams], packing: Packing) -> list[Doubles]:
    """Each n-gram's gain or, if it is higher, that of one that begins with it."""
    highest = [each.copy() for each in gains]
    for above in range(len(gains) - 1, 0, -1):
        histories = packing.history(counted[above].keys)
        starts = group_starts(histories)
        places = np.searchsorted(counted[above - 1].keys, histories[starts])  # all are there
        longer = np.maximum.reduceat(highest[above], starts)
        highest[above - 1][places] = np.maximum(highest[above - 1][places], longer)
    return highest
