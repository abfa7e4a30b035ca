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
        for row, choice in self._ranked(before, candidates):
            hypothesis = self._extended(before[row], choice)
            if not hypothesis.ended:
                if self._keep(hypothesis):
                    parents.append(row)
            elif len(self.ended) < self.width:
                self.ended.append(hypothesis)
            if len(self.live) == self.width:
                break
        return parents

    @staticmethod
    def _ranked(
        live: Sequence[Hypothesis], candidates: Sequence[Sequence[Candidate]]
    ) -> list[tuple[int, Candidate]]:
        extensions = [
            (live[row].score + choice.log_prob + choice.bonus, row, choice)
            for row, choices in enumerate(candidates)
            for choice in choices
            if choice.log_prob > -math.inf
        ]
        ranked = sorted(extensions, key=lambda extension: extension[0], reverse=True)
        return [(row, choice) for _, row, choice in ranked]

    def best(self) -> Hypothesis:
        """Return the best that ended; where these are too few, the likeliest alive join them."""
        return max(self._finalists(), key=self._score)

    def ranked(self) -> list[Hypothesis]:
        """Return all of which `best` is the first."""
        return sorted(self._finalists(), key=self._score, reverse=True)

    def _finalists(self) -> list[Hypothesis]:
        alive = sorted(self.live, key=lambda hypothesis: hypothesis.score, reverse=True)
        return (self.ended + alive)[: self.width]

    def _score(self, hypothesis: Hypothesis) -> float:
        return hypothesis.score / math.pow(max(len(hypothesis.tokens), 1), self.length_penalty)
