"""From probabilities to the arrays that the decoder reads: a trie, its numbers in 256 levels."""

from itertools import pairwise

import numpy as np

from auricle.language_model import NGramModel
from auricle.language_model.ngram import LEVELS, Bytes, Floats, Ints
from auricle.training.language_model.counts import Doubles, Keys, Longs, Packing, group_starts
from auricle.training.language_model.kneser_ney import KneserNeyModel, Level, looked_up


def as_trie(model: KneserNeyModel, vocab_size: int) -> NGramModel:
    """The n-grams that `model` keeps, over tokens 0 to `vocab_size - 1`."""
    keys = [np.arange(vocab_size, dtype=np.uint64), *(level.keys for level in model.levels[1:])]
    logs = [_of_all(model.levels[0], vocab_size), *(np.log(lv.probs) for lv in model.levels[1:])]
    children = [_children(*pair, model.packing) for pair in pairwise(keys)]
    backoffs = [_backoffs(*pair) for pair in zip(keys, model.levels[1:], strict=False)]
    log_prob_codes, log_prob_books = zip(*map(in_levels, logs), strict=True)
    backoff_codes, backoff_books = zip(*map(in_levels, backoffs), strict=True)
    return NGramModel(
        order=len(keys),
        vocab_size=vocab_size,
        tokens=np.concatenate([model.packing.last(each) for each in keys]).astype(
            np.min_scalar_type(vocab_size)
        ),
        first=_first(np.concatenate(children), vocab_size),
        log_probs=np.concatenate(log_prob_codes),
        backoffs=np.where(np.concatenate(children) > 0, np.concatenate(backoff_codes), 0).astype(
            np.uint8
        ),
        log_prob_books=np.stack(log_prob_books),
        backoff_books=np.stack([*backoff_books, np.zeros(LEVELS, np.float32)]),
    )


def in_levels(values: Doubles) -> tuple[Bytes, Floats]:
    """Each value's place in a book of at most `LEVELS` values `(LEVELS,)`, and the book.

    As many values share each level; it is their mean.
    """
    ordered, counts = np.unique(values, return_counts=True)
    if len(ordered) > LEVELS:
        bins = (np.cumsum(counts) - counts) * LEVELS // len(values)
        _, bins = np.unique(bins, return_inverse=True)
    else:
        bins = np.arange(len(ordered))
    sums = np.bincount(bins, ordered * counts, LEVELS)
    sizes = np.bincount(bins, counts, LEVELS)
    book = (sums / np.maximum(sizes, 1)).astype(np.float32)
    return bins[np.searchsorted(ordered, values)].astype(np.uint8), book


def _of_all(single: Level, vocab_size: int) -> Doubles:
    """Log-probabilities `(V,)`; of tokens that are never next, as low as the lowest."""
    logs = np.log(single.probs)
    everything = np.full(vocab_size, logs.min())
    everything[single.keys.astype(np.int64)] = logs
    return everything


def _children(keys: Keys, longer: Keys, packing: Packing) -> Longs:
    """How many of the `longer` keys begin with each of `keys`."""
    histories = packing.history(longer)
    starts = group_starts(histories)
    counts = np.zeros(len(keys), np.int64)
    counts[np.searchsorted(keys, histories[starts])] = np.diff(np.append(starts, len(histories)))
    return counts


def _backoffs(keys: Keys, above: Level) -> Doubles:
    """The logarithm of what each of `keys` leaves to shorter histories."""
    left: Doubles = np.log(looked_up(above.histories, above.backoffs, keys, 1.0))
    return left


def _first(children: Longs, vocab_size: int) -> Ints:
    return (vocab_size + np.concatenate([[0], np.cumsum(children)])).astype(np.int32)
