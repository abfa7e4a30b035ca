"""The searches, in pure Python: they see candidates and choose; the device is somebody else's.

A search owns one row of the decoder for each hypothesis that it keeps alive. At every step it is
shown each row's likeliest next tokens and answers which rows go on, and with what.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from auricle.decoding.guards import Guard
from auricle.hypothesis import Hypothesis
from auricle.tokenizer import Tokenizer
from auricle_types.options import DecodingOptions


class Candidate(NamedTuple):
    """A token that may come next."""

    log_prob: float
    token: int
    bonus: float = 0.0  # of a language model, beside the log-probability


class Search(Protocol):
    """What decides about one utterance's tokens."""

    width: int  # rows that it may need at once
    live: list[Hypothesis]  # one a row
    temperature: float  # above 0 its tokens are drawn instead of chosen
    seed: int | None  # of what is drawn; None: another one each time

    @property
    def done(self) -> bool:
        """Nothing is left to extend."""
        ...

    def extend(self, candidates: Sequence[Sequence[Candidate]]) -> list[int]:
        """Take the next tokens' candidates of each live row, the best first.

        Returns:
            For each new live hypothesis, the index of the live row that it extends.
        """
        ...

    def best(self) -> Hypothesis:
        """The answer."""
        ...


class BeamSearch:
    """The `width` best hypotheses, compared with length normalisation (Wu et al. 2016).

    A width of 1 is greedy search, or sampling where it is shown tokens that were drawn.
    """

    def __init__(
        self,
        width: int,
        limit: int,
        length_penalty: float = 1.0,
        *,
        temperature: float = 0.0,
        seed: int | None = None,
        guards: Sequence[Guard] = (),
        end: int = Tokenizer.end_id,
    ) -> None:
        """`guards` may end hypotheses, even the empty one, before they say `end`."""
        self.width = width
        self.limit = limit
        self.length_penalty = length_penalty
        self.temperature = temperature
        self.seed = seed
        self.guards = guards
        self.end = end
        self.live: list[Hypothesis] = []
        self.ended: list[Hypothesis] = []
        self._goes_on(Hypothesis((), 0.0, ended=False))

    @property
    def done(self) -> bool:
        """As many have ended as the beam is wide, none is alive, or the limit is reached."""
        if not self.live or len(self.ended) >= self.width:
            return True
        return len(self.live[0].tokens) >= self.limit

    def extend(self, candidates: Sequence[Sequence[Candidate]]) -> list[int]:
        """Keep the best extensions; those that say END or that a guard stops have ended."""
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
            elif self._goes_on(hypothesis):
                parents.append(row)
        return parents

    def _extended(self, hypothesis: Hypothesis, choice: Candidate) -> Hypothesis:
        log_prob, bonus = hypothesis.log_prob + choice.log_prob, hypothesis.bonus + choice.bonus
        if choice.token == self.end:
            return Hypothesis(hypothesis.tokens, log_prob, bonus=bonus)
        return Hypothesis((*hypothesis.tokens, choice.token), log_prob, ended=False, bonus=bonus)

    def _goes_on(self, hypothesis: Hypothesis) -> bool:
        """Put it where it belongs. One that a guard cuts answers for all that it has said."""
        for guard in self.guards:
            tokens = guard.cut(hypothesis.tokens)
            if tokens is not None:
                self.ended.append(replace(hypothesis, tokens=tokens, guards=(guard.name,)))
                return False
        self.live.append(hypothesis)
        return True

    def best(self) -> Hypothesis:
        """The best that ended; a live one only where none did."""
        return max(self.ended or self.live, key=self._score)

    def _score(self, hypothesis: Hypothesis) -> float:
        return hypothesis.score / math.pow(max(hypothesis.steps, 1), self.length_penalty)


def new_search(
    options: DecodingOptions,
    most: int,
    guards: Sequence[Guard] = (),
    *,
    end: int = Tokenizer.end_id,
) -> BeamSearch:
    """The search that `options` ask for, of an utterance of `most` tokens.

    With a CTC head that is as many as the encoder has frames: nobody says more (CTC's bound).
    """
    limit = min(most, options.max_tokens or most)
    return BeamSearch(
        options.beam_size,
        limit,
        options.length_penalty,
        temperature=options.temperature,
        seed=options.seed,
        guards=guards,
        end=end,
    )
