"""What the CTC head of a model says of an utterance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from auricle.decoding.alignment import Span, aligned_spans, greedy_spans


@dataclass(frozen=True, slots=True, eq=False)
class CtcOutput:
    """Posteriors, and two paths through them."""

    posteriors: Tensor  # (N, V)
    greedy: tuple[Span, ...]  # the best token of each frame
    aligned: tuple[Span, ...]  # the hypothesis' U tokens; () if they do not fit

    @classmethod
    def of(cls, log_probs: Tensor, tokens: Sequence[int]) -> Self:
        """Of the head's log-probabilities `(N, V)` and a hypothesis' tokens."""
        return cls(log_probs.exp(), greedy_spans(log_probs), aligned_spans(log_probs, tokens))
