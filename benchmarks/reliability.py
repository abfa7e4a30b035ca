"""How far a confidence can be believed, and the calibration that lets it be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit, logit

from auricle.config import Calibration

BINS = 10
TINY = 1e-6  # probabilities are kept this far from 0 and 1
STEEPEST = 20.0  # slope, either way: where no answer is wrong, it has no best value

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer: its confidence, its words, and how many of them are right."""

    confidence: float
    words: int
    right: int


@dataclass(frozen=True, slots=True)
class Bin:
    """The words of all answers whose confidence is about the same."""

    words: int
    confidence: float  # the mean
    right: float  # the share


def fitted(answers: Sequence[Judged]) -> Calibration:
    """The calibration under which the right and the wrong words are likeliest (Platt 1999).

    Raises ValueError without any word.
    """
    confidences, words, right = _columns(answers)
    if not words.sum():
        raise ValueError("no words to calibrate with")
    xs = logit(confidences.clip(TINY, 1 - TINY))

    def loss(parameters: Doubles) -> float:
        shares = expit(parameters[0] * xs + parameters[1]).clip(TINY, 1 - TINY)
        likelihood = right * np.log(shares) + (words - right) * np.log(1 - shares)
        return float(-likelihood.sum() / words.sum())

    bounds = [(1 / STEEPEST, STEEPEST), (-STEEPEST, STEEPEST)]
    found = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B", bounds=bounds).x
    slope, offset = (round(float(value), 4) for value in found)
    return Calibration(slope, offset)


def calibrated(answers: Sequence[Judged], calibration: Calibration) -> list[Judged]:
    """The same answers with other confidences."""
    return [
        Judged(calibration.confidence(each.confidence), each.words, each.right) for each in answers
    ]


def bins(answers: Sequence[Judged]) -> Iterator[Bin]:
    """Those that are not empty, of `BINS` of equal width."""
    confidences, words, right = _columns(answers)
    places = np.minimum((confidences * BINS).astype(int), BINS - 1)
    for place in range(BINS):
        inside = places == place
        count = int(words[inside].sum())
        if count:
            mean = float((confidences * words)[inside].sum() / count)
            yield Bin(count, round(mean, 4), round(float(right[inside].sum() / count), 4))


def expected_error(answers: Sequence[Judged]) -> float:
    """ECE: how far confidence and truth are apart, over the words of all bins (Guo et al. 2017)."""
    found = list(bins(answers))
    apart = sum(each.words * abs(each.confidence - each.right) for each in found)
    return round(apart / max(sum(each.words for each in found), 1), 4)


def _columns(answers: Sequence[Judged]) -> tuple[Doubles, Doubles, Doubles]:
    rows = np.array([(a.confidence, a.words, a.right) for a in answers], np.float64).reshape(-1, 3)
    return rows[:, 0], rows[:, 1], rows[:, 2]
