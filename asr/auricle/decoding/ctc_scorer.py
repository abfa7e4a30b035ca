"""Scores of the CTC head for the growing hypotheses of one utterance."""

from collections.abc import Sequence

from auricle.decoding.ctc_prefix import Floats, Posteriors, empty_prefix, extended, following


class CtcScorer:
    """Scores the hypotheses of one search by CTC."""

    def __init__(self, posteriors: Posteriors, weight: float) -> None:
        """`weight` is CTC's share of a score, 0 to 1."""
        self.weight = weight
        self._posteriors = posteriors
        self._prefixes = empty_prefix(posteriors)
        self._following = following(posteriors, self._prefixes)

    @property
    def next_tokens(self) -> Floats:
        """Log-probabilities of what follows each live hypothesis `(B, V)`, END included."""
        return self._following

    def advance(self, parents: Sequence[int], tokens: Sequence[int]) -> None:
        """Follow the search: its new live hypotheses extend those at `parents`, by one token."""
        if not parents:
            return
        log_probs = self._following[list(parents), list(tokens)].tolist()
        self._prefixes = extended(self._posteriors, self._prefixes, parents, tokens, log_probs)
        self._following = following(self._posteriors, self._prefixes)
