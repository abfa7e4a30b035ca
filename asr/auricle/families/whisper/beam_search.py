"""Whisper's beam search, as openai-whisper does it."""

import math
from collections.abc import Sequence

from auricle.decoding.search import BeamSearch, Candidate
from auricle.hypothesis import Hypothesis


class FixedWidthBeamSearch(BeamSearch):
    """A beam search that is always `width` wide, until as many hypotheses have ended.

    Where one ends, the next likely hypothesis takes its place, unlike in `BeamSearch`. In the end
    scores are compared by their length, END not counted.
    """

    def extend(self, candidates: Sequence[Sequence[Candidate]]) -> list[int]:
        """Take the likeliest extensions until the beam is full; those with END have ended."""
        before, parents = self.live, []
        self.live = []
        for log_prob, row, token in self._ranked(before, candidates):
            tokens = before[row].tokens
            if token != self.end:
                if self._keep(Hypothesis((*tokens, token), log_prob, ended=False)):
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
        """Return the best that ended; where these are too few, the likeliest alive join them."""
        alive = sorted(self.live, key=lambda hypothesis: hypothesis.log_prob, reverse=True)
        return max((self.ended + alive)[: self.width], key=self._score)

    def _score(self, hypothesis: Hypothesis) -> float:
        return hypothesis.log_prob / math.pow(max(len(hypothesis.tokens), 1), self.length_penalty)
