"""Error rates of many utterances with the intervals in which they lie."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.stats import bootstrap

from auricle.evaluation import ErrorCounts, char_errors, normalize, normalizer, word_errors

RESAMPLES = 2_000
Normalize = Callable[[str], str]


@cache
def english() -> Normalize:
    """Whisper's normaliser. Raises InvalidOptionError where its package is not installed."""
    return normalizer("whisper")


@dataclass(frozen=True, slots=True)
class Counts:
    """One utterance's errors, by words and by characters."""

    words: ErrorCounts
    chars: ErrorCounts

    @classmethod
    def of(cls, reference: str, hypothesis: str, normalize: Normalize = normalize) -> "Counts":
        """Of what was said and what was recognised, both after `normalize`."""
        pair = normalize(reference), normalize(hypothesis)
        return cls(word_errors(*pair), char_errors(*pair))


@dataclass(frozen=True, slots=True)
class Rate:
    """Errors a word, or a character, and the 95 % interval of that."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Score:
    """What one way of hearing a set of utterances made of it."""

    utterances: int
    words: int
    wer: Rate
    cer: Rate
    deleted: float  # shares of the words that were said
    inserted: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON wants it."""
        return asdict(self)


def score(
    references: Sequence[str], hypotheses: Iterable[str], normalize: Normalize = normalize
) -> Score:
    """Of what was said and what was recognised, both after `normalize`."""
    pairs = zip(references, hypotheses, strict=True)
    return score_of([Counts.of(*pair, normalize) for pair in pairs])


def score_of(counts: Sequence[Counts]) -> Score:
    """Of utterances whose errors are counted already."""
    words = sum((each.words for each in counts), ErrorCounts())
    said = max(words.reference_length, 1)
    return Score(
        len(counts),
        words.reference_length,
        rate([each.words for each in counts]),
        rate([each.chars for each in counts]),
        round(words.deletions / said, 4),
        round(words.insertions / said, 4),
    )


def rate(counts: Sequence[ErrorCounts]) -> Rate:
    """Of all utterances together."""
    low, high = interval([c.errors for c in counts], [c.reference_length for c in counts])
    value = sum(counts, ErrorCounts()).rate
    return Rate(*(round(figure, 4) for figure in (value, low, high)))


def interval(errors: Sequence[int], lengths: Sequence[int]) -> tuple[float, float]:
    """The 95 % interval of the errors' sum over the lengths' sum, over utterances as drawn."""
    if len(errors) < 2:
        return 0.0, 1.0
    found = bootstrap(
        (errors, lengths),
        lambda e, n, axis: e.sum(axis=axis) / np.maximum(n.sum(axis=axis), 1),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(0),
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)
