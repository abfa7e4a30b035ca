"""Whisper's beam search, and one that only listens."""

import math
from collections.abc import Sequence

from auricle.decoding.search import BeamSearch, Candidate
from auricle.hypothesis import Hypothesis


class Listening:
    """Chooses nothing: one step, for what probes learn from it."""

    temperature: float = 0.0
    seed: int | None = None

    def __init__(self, width: int = 1) -> None:
        """`width`: of the searches to come."""
        self.width = width
        self.live = [Hypothesis((), 0.0, ended=False)]

    @property
    def done(self) -> bool:
        """After a step."""
        return not self.live

    def extend(self, candidates: Sequence[Sequence[Candidate]]) -> list[int]:
        """Whatever they are."""
        self.live = []
        return []

    def best(self) -> Hypothesis:
        """Nothing was said."""
        return Hypothesis((), 0.0, ended=False)


class FullBeam(BeamSearch):
    """A beam search that is always `width` wide, until as many hypotheses have ended.

    One that ends frees no place as in `BeamSearch`, the next likely takes it: openai-whisper's
    way. In the end scores are compared by their length, END not counted.
    """

    def extend(self, candidates: Sequence[Sequence[Candidate]]) -> list[int]:
        """Down the list of extensions until the beam is full; END on the way ends."""
        before, parents = self.live, []
        self.live = []
        for log_prob, row, token in self._ranked(before, candidates):
            tokens = before[row].tokens
            if token != self.end:
                if self._goes_on(Hypothesis((*tokens, token), log_prob, ended=False)):
                    parents.append(row)
            elif len(self.ended) < self.width:
                self.ended.append(Hypothesis(tokens, log_prob))
            if len(self.live) == self.width:
                break
        return parents

    @staticmethod
    def _ranked(
        live: Sequence[Hypothesis], candidates: Sequence[Sequence[Candidate]]
    ) -> list[tuple[float, int, int]]:
        extensions = [
            (live[row].log_prob + choice.log_prob, row, choice.token)
            for row, choices in enumerate(candidates)
            for choice in choices
            if choice.log_prob > -math.inf
        ]
        return sorted(extensions, key=lambda extension: extension[0], reverse=True)

    def best(self) -> Hypothesis:
        """Of those that ended, and, where these are fewer than `width`, the likeliest alive."""
        alive = sorted(self.live, key=lambda hypothesis: hypothesis.log_prob, reverse=True)
        return max((self.ended + alive)[: self.width], key=self._score)

    def _score(self, hypothesis: Hypothesis) -> float:
        return hypothesis.log_prob / math.pow(max(len(hypothesis.tokens), 1), self.length_penalty)
