"""Kneser and Ney's model by its definition, with dictionaries: a helper for tests, no tests."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from auricle.training.language_model.counts import Packing, Text
from auricle.training.language_model.kneser_ney import KneserNeyModel, count, discounts, estimate

NGram = tuple[int, ...]
START, END = 1, 2
A, B, C, D = 4, 5, 6, 7
WORDS = [END, A, B, C, D]
VOCAB = 8


def line(*words: int) -> list[int]:
    return [START, *words, END]


def random_lines(seed: int, count: int = 30) -> list[list[int]]:
    """Such that some n-grams come once, some often, and some histories never."""
    random = np.random.default_rng(seed)
    shares = [0.5, 0.3, 0.15, 0.05]
    return [line(*random.choice(WORDS[1:], random.integers(0, 7), p=shares)) for _ in range(count)]


def random_weights(seed: int, count: int = 30) -> list[float]:
    weights: list[float] = np.random.default_rng(seed).choice([0.25, 1.0, 6.0], count).tolist()
    return weights


def model_of(
    lines: Sequence[Sequence[int]], weights: Sequence[float], order: int
) -> KneserNeyModel:
    packing = Packing.of(VOCAB, order)
    counted = count(Text.of(lines, weights), order, packing)
    return estimate(counted, packing, np.array(WORDS))


def prob(model: KneserNeyModel, ngram: NGram) -> float:
    keys = model.packing.pack([np.array([token]) for token in ngram])
    return float(model.probs(keys, len(ngram))[0])


class Naive:
    """Counts and weights of all n-grams of up to `order` tokens."""

    def __init__(
        self, lines: Sequence[Sequence[int]], weights: Sequence[float], order: int
    ) -> None:
        self.order = order
        self.occurrences: dict[NGram, float] = defaultdict(float)
        self.counts: Counter[NGram] = Counter()
        self.weights: dict[NGram, float] = defaultdict(float)
        for each, weight in zip(lines, weights, strict=True):
            for length in range(1, order + 1):
                for start in range(len(each) - length + 1):
                    ngram = tuple(each[start : start + length])
                    self.occurrences[ngram] += weight
                    if length == order or ngram[0] == START:
                        self.counts[ngram] += 1
                        self.weights[ngram] += weight
        for ngram in sorted(self.occurrences, key=len, reverse=True):
            if len(ngram) > 1 and ngram[1] != START:
                self.counts[ngram[1:]] += 1
                self.weights[ngram[1:]] += self.weights[ngram] / self.counts[ngram]

    def of_order(self, order: int) -> list[NGram]:
        return sorted(ngram for ngram in self.counts if len(ngram) == order)

    def prob(self, ngram: NGram) -> float:
        history, lower = ngram[:-1], 1 / len(WORDS)
        if history:
            lower = self.prob(ngram[1:])
        seen = [(*history, word) for word in WORDS if (*history, word) in self.counts]
        total = sum(self.weights[each] for each in seen)
        if not total:
            return lower
        left = 1 - sum(map(self._discounted, seen)) / total
        return (self._discounted(ngram) if ngram in seen else 0.0) / total + left * lower

    def _discounted(self, ngram: NGram) -> float:
        said = self.of_order(len(ngram)) if len(ngram) > 1 else [(word,) for word in WORDS]
        taken = discounts(np.array([self.counts[each] for each in said]))
        count = self.counts[ngram]
        return self.weights[ngram] * (1 - float(taken[min(count, 3)]) / count) if count else 0.0


def histories(order: int, seen: Callable[[NGram], bool]) -> list[NGram]:
    """All histories of up to `order - 1` tokens that are `seen`."""
    found: list[NGram] = [()]
    for each in found:
        if len(each) < order - 1:
            found.extend(h for token in (START, *WORDS[1:]) if seen(h := (*each, token)))
    return found
