"""Scores of a language model for the growing hypotheses of one utterance."""

from collections.abc import Sequence

import numpy as np

from auricle.language_model import NGramModel
from auricle.language_model.ngram import Floats


class LmScorer:
    """Scores the hypotheses of one search by shallow fusion.

    See Gulcehre et al. 2015 and Hori et al. 2017. A token's bonus is
    `weight * (log p_LM(token | history) + token_reward)`, END's is without the reward. A language
    model's log-probabilities are below 0, so each token costs some: the reward makes up for that
    cost on average, so that longer results are not the worse ones.
    """

    def __init__(self, model: NGramModel, weight: float, token_reward: float, *, end: int) -> None:
        """`token_reward` is in nats of the language model; `end` is the token of END."""
        self._model = model
        self._weight = np.float32(weight)
        self._rewards = np.full(model.vocab_size, token_reward, np.float32)
        self._rewards[end] = 0.0
        self._contexts = model.beginning()

    @property
    def bonuses(self) -> Floats:
        """The bonuses of what follows each live hypothesis `(B, V)`, END included."""
        return self._weight * (self._model.following(self._contexts) + self._rewards)

    def advance(self, parents: Sequence[int], tokens: Sequence[int]) -> None:
        """Follow the search: its new live hypotheses extend those at `parents`, by one token."""
        if parents:
            self._contexts = self._model.extended(self._contexts, parents, tokens)
