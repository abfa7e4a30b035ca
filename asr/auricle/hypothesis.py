"""A hypothesis of decoding, and its scores."""

import math
from dataclasses import dataclass

from auricle_types.transcript import Word


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A candidate transcript as tokens, without START and END."""

    tokens: tuple[int, ...]
    log_prob: float  # of both heads, summed over the tokens, END included when it was reached
    ended: bool = True  # false: stopped by the length limit or by a guard
    guards: tuple[str, ...] = ()  # names of those that ended it
    bonus: float = 0.0  # what a language model adds; confidences leave it out
    temperature: float = 0.0  # at which it was drawn
    language: str | None = None  # code of what was spoken, where the model knows more than one
    no_speech: float | None = None  # probability that nobody speaks, where the model says so
    words: tuple[Word, ...] = ()  # in seconds from the start, where their times were asked for
    others: tuple["Hypothesis", ...] = ()  # the next best ones, where alternatives were asked for

    @property
    def steps(self) -> int:
        """How many decoder steps it took."""
        return len(self.tokens) + self.ended

    @property
    def score(self) -> float:
        """The score that searches compare."""
        return self.log_prob + self.bonus

    @property
    def confidence(self) -> float:
        """The geometric mean of the tokens' probabilities, 0 to 1, not calibrated."""
        return math.exp(self.log_prob / max(self.steps, 1))
