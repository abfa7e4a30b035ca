"""What CTC says of the hypotheses of one utterance while they grow."""

from collections.abc import Sequence

from auricle.decoding.ctc_prefix import Floats, Posteriors, extended, following, nothing_said


class CtcScorer:
    """Goes along with one search."""

    def __init__(self, posteriors: Posteriors, weight: float) -> None:
        """`weight`: CTC's share of a score, 0 to 1."""
        self.weight = weight
        self._posteriors = posteriors
        self._prefixes = nothing_said(posteriors)
        self._following = following(posteriors, self._prefixes)

    @property
    def next_tokens(self) -> Floats:
        """Log-probabilities of what follows each live hypothesis `(B, V)`, END included."""
        return self._following

    def go_on(self, parents: Sequence[int], tokens: Sequence[int]) -> None:
        """The new live hypotheses, if any, extend those at `parents`, each by its token."""
        if not parents:
            return
        log_probs = self._following[list(parents), list(tokens)].tolist()
        self._prefixes = extended(self._posteriors, self._prefixes, parents, tokens, log_probs)
        self._following = following(self._posteriors, self._prefixes)
