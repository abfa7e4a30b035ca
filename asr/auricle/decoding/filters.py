"""What the decoder may not say, applied to logits before a search sees them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from auricle.tokenizer import Tokenizer

Tokens = tuple[int, ...]
SILENT = Tokenizer.special.silent


class LogitFilter(Protocol):
    """Forbids tokens. Filters of one kind and the same values are equal."""

    def binds(self, said: Tokens) -> bool:
        """Whether it forbids anything to who has said so much; where not, it need not be asked."""
        ...

    def apply(self, logits: Tensor, said: Sequence[Tokens]) -> None:
        """Put -inf in place at what rows `(B, V)` may not say next, each having `said` so much."""
        ...


@dataclass(frozen=True, slots=True)
class SuppressBlank:
    """A transcript begins with a word: neither with a space alone, nor with END."""

    blanks: Tokens

    def binds(self, said: Tokens) -> bool:
        """Who has said nothing."""
        return not said

    def apply(self, logits: Tensor, said: Sequence[Tokens]) -> None:
        """In rows that have said nothing."""
        empty = [row for row, tokens in enumerate(said) if not tokens]
        if empty:
            logits[torch.tensor(empty)[:, None], torch.tensor(self.blanks)] = -math.inf


@dataclass(frozen=True, slots=True)
class TimestampRules:
    """Times stand in pairs, around each stretch of text, and never go back (Radford et al. 2022).

    The transcript begins with one. Where all times together are likelier than any other token, one
    of them it is.
    """

    no_timestamps: int
    timestamp_begin: int  # all tokens from here on are times
    end: int  # all tokens below are text
    latest_first: int | None = None  # the highest token of a time to begin with

    def binds(self, said: Tokens) -> bool:
        """Always."""
        return True

    def apply(self, logits: Tensor, said: Sequence[Tokens]) -> None:
        """By the rules for each row, then by the sum of its times."""
        logits[:, self.no_timestamps] = -math.inf
        for row, tokens in zip(logits, said, strict=True):
            for start, stop in self._forbidden(tokens):
                row[start:stop] = -math.inf
        log_probs = logits.log_softmax(dim=-1, dtype=torch.float32)
        text, times = log_probs.tensor_split([self.timestamp_begin], dim=-1)
        likelier = times.logsumexp(dim=-1) > text.amax(dim=-1)  # (B,)
        logits[:, : self.timestamp_begin].masked_fill_(likelier[:, None], -math.inf)

    def _forbidden(self, said: Tokens) -> list[tuple[int, int | None]]:
        """Ranges of tokens."""
        if not said:
            ranges: list[tuple[int, int | None]] = [(0, self.timestamp_begin)]
            return ranges if self.latest_first is None else [*ranges, (self.latest_first + 1, None)]
        earlier = next((token for token in reversed(said) if self._is_time(token)), None)
        in_pair = self._is_time(said[-1])
        completed = in_pair and (len(said) < 2 or self._is_time(said[-2]))
        ranges = []
        if in_pair:
            ranges.append((self.timestamp_begin, None) if completed else (0, self.end))
        if earlier is not None:  # the next stretch may begin where the last one ends
            opens = in_pair and not completed
            ranges.append((self.timestamp_begin, earlier + (not opens)))
        return ranges

    def _is_time(self, token: int) -> bool:
        return token >= self.timestamp_begin


@dataclass(frozen=True, slots=True)
class Ruled:
    """Some rows of a step, and what they may not say."""

    rows: Sequence[int]
    said: Sequence[Tokens]  # by each row
    filters: Sequence[LogitFilter]

    def apply(self, logits: Tensor) -> None:
        """To these rows of `logits (B, V)`, in place."""
        first, count = self.rows[0], len(self.rows)
        if list(self.rows) == list(range(first, first + count)):
            self._forbid(logits[first : first + count])
            return
        rows = torch.tensor(self.rows, device=logits.device)
        chosen = logits[rows]  # a copy
        self._forbid(chosen)
        logits[rows] = chosen

    def _forbid(self, logits: Tensor) -> None:
        for each in self.filters:
            each.apply(logits, self.said)


def token_log_probs(
    logits: Tensor, silent: Sequence[int] = SILENT, ruled: Sequence[Ruled] = ()
) -> Tensor:
    """Log-probabilities `(B, V)` in float32 of what may be said: all but the `silent` tokens.

    Of logits that carry no gradient.
    """
    allowed = logits.to(torch.float32, copy=True)
    allowed[:, list(silent)] = -math.inf
    for each in ruled:
        each.apply(allowed)
    return torch.log_softmax(allowed, dim=-1, out=allowed)  # new memory would take its time
