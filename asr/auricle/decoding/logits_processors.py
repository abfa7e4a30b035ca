"""Logits processors forbid tokens: they change logits before a search gets candidates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Tokens = tuple[int, ...]


class LogitsProcessor(Protocol):
    """Forbids tokens. Processors of one kind with the same values are equal."""

    def applies_to(self, tokens: Tokens) -> bool:
        """Whether it forbids anything after `tokens`; if not, it need not be applied."""
        ...

    def apply(self, logits: Tensor, prefixes: Sequence[Tokens]) -> None:
        """Put -inf in place where rows `(B, V)` forbid the next token, each after its prefix."""
        ...


@dataclass(frozen=True, slots=True)
class RowProcessors:
    """Some rows of a step, and the processors that apply to them."""

    rows: Sequence[int]
    prefixes: Sequence[Tokens]  # the tokens of each row so far
    processors: Sequence[LogitsProcessor]

    def apply(self, logits: Tensor) -> None:
        """Process these rows of `logits (B, V)` in place."""
        first, count = self.rows[0], len(self.rows)
        if list(self.rows) == list(range(first, first + count)):
            self._process(logits[first : first + count])
            return
        rows = torch.tensor(self.rows, device=logits.device)
        chosen = logits[rows]  # a copy
        self._process(chosen)
        logits[rows] = chosen

    def _process(self, logits: Tensor) -> None:
        for each in self.processors:
            each.apply(logits, self.prefixes)


def token_log_probs(
    logits: Tensor, suppressed: Sequence[int], processors: Sequence[RowProcessors] = ()
) -> Tensor:
    """Turn logits into log-probabilities `(B, V)` in float32, without the `suppressed` tokens.

    The logits carry no gradient.
    """
    allowed = logits.to(torch.float32, copy=True)
    allowed[:, list(suppressed)] = -math.inf
    for each in processors:
        each.apply(allowed)
    return torch.log_softmax(allowed, dim=-1, out=allowed)  # new memory would take its time
