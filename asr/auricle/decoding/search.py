"""The searches, in pure Python: they choose among candidates and never touch the device.

A search owns one row of the decoder for each hypothesis that it keeps alive. At every step it gets
each row's likeliest next tokens and returns which rows are extended, and by which token.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from auricle.decoding.guards import Guard
from auricle.hypothesis import Hypothesis
from auricle_types.options import DecodingOptions


class Candidate(NamedTuple):
    """A token that may come next."""

    log_prob: float
    token: int
    bonus: float = 0.0  # of a language model, beside the log-probability


class Sampling(NamedTuple):
    """How tokens are drawn instead of chosen."""

    temperature: float = 0.0  # 0: they are not drawn, the likeliest is chosen
    seed: int | None = None  # of the random numbers; None: another one each time


_NO_SAMPLING = Sampling()


class Search(Protocol):
    """Decides about one utterance's tokens."""

    width: int  # rows that it may need at once
    live: list[Hypothesis]  # one for each row
    sampling: Sampling

    @property
    def done(self) -> bool:
        """Whether nothing is left to extend."""
        ...

    def extend(self, candidates: Sequence[Sequence[Candidate]]) -> list[int]:
        """Extend the live rows by their candidates, of which the best come first.

        Returns:
            For each new live hypothesis, the index of the live row that it extends.
        """
        ...

    def best(self) -> Hypothesis:
        """Return the best hypothesis."""
        ...

    def ranked(self) -> list[Hypothesis]:
        """Return the hypotheses that were found, the best first."""
        ...


class BeamSearch:
    """Keeps the `width` best hypotheses, compared with length normalisation (Wu et al. 2016).

    A width of 1 is greedy search, or sampling where its candidates were drawn.
    """

    def __init__(
        self,
        width: int,
        limit: int,
        length_penalty: float = 1.0,
        *,
        end: int,
        guards: Sequence[Guard] = (),
        sampling: Sampling = _NO_SAMPLING,
        prefix: Hypothesis | None = None,
    ) -> None:
        """Begin with `prefix`; `guards` may end hypotheses, even the empty one, before `end`."""
        self.width = width
        self.limit = limit
        self.length_penalty = length_penalty
        self.sampling = sampling
        self.guards = guards
        self.end = end
        self.live: list[Hypothesis] = []
        self.ended: list[Hypothesis] = []
        self._prefix = prefix or Hypothesis((), 0.0, ended=False)
        if self._prefix.tokens:
            self.live.append(self._prefix)  # which no guard may cut
        else:
            self._keep(self._prefix)

    @property
    def done(self) -> bool:
        """Whether enough have ended for the beam, none is alive, or the limit is reached."""
        if not self.live or len(self.ended) >= self.width:
            return True
        return len(self.live[0].tokens) >= self.limit

    def extend(self, candidates: Sequence[Sequence[Candidate]]) -> list[int]:
        """Keep the best extensions; those with END or that a guard stops have ended."""
        extensions = [
            (self.live[row].score + choice.log_prob + choice.bonus, row, choice)
            for row, choices in enumerate(candidates)
            for choice in choices
            if choice.log_prob > -math.inf
        ]
        before, parents = self.live, []
        self.live = []
        for _, row, choice in heapq.nlargest(self.width, extensions):
            hypothesis = self._extended(before[row], choice)
            if hypothesis.ended:
                self.ended.append(hypothesis)
            elif self._keep(hypothesis):
                parents.append(row)
        return parents

    def _extended(self, hypothesis: Hypothesis, choice: Candidate) -> Hypothesis:
        log_prob, bonus = hypothesis.log_prob + choice.log_prob, hypothesis.bonus + choice.bonus
        if choice.token == self.end:
            return Hypothesis(hypothesis.tokens, log_prob, bonus=bonus)
        return Hypothesis((*hypothesis.tokens, choice.token), log_prob, ended=False, bonus=bonus)

    def _keep(self, hypothesis: Hypothesis) -> bool:
        """Keep it alive, and return True, unless a guard cuts it: then it ends with its score."""
        for guard in self.guards:
            tokens = guard.cut(hypothesis.tokens)
            if tokens is not None:
                tokens = max(tokens, self._prefix.tokens, key=len)
                self.ended.append(replace(hypothesis, tokens=tokens, guards=(guard.name,)))
                return False
        self.live.append(hypothesis)
        return True

    def best(self) -> Hypothesis:
        """Return the best that ended, and a live one only where none did."""
        return max(self.ended or self.live, key=self._score)

    def ranked(self) -> list[Hypothesis]:
        """Return those that ended, and live ones only where none did; the best first."""
        return sorted(self.ended or self.live, key=self._score, reverse=True)

    def _score(self, hypothesis: Hypothesis) -> float:
        return hypothesis.score / math.pow(max(hypothesis.steps, 1), self.length_penalty)


def new_search(
    options: DecodingOptions,
    most: int,
    guards: Sequence[Guard] = (),
    *,
    end: int,
    prefix: Hypothesis | None = None,
) -> BeamSearch:
    """Make the search that `options` ask for, of at most `most` tokens, which begins with `prefix`.

    With a CTC head these are as many as the encoder has frames: CTC's own bound.
    """
    limit = min(most, options.max_tokens or most)
    return BeamSearch(
        options.beam_size,
        limit,
        options.length_penalty,
        end=end,
        guards=guards,
        sampling=Sampling(options.temperature, options.seed),
        prefix=prefix,
    )
