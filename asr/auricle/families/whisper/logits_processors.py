"""The rules for Whisper's tokens: how a transcript begins, and where timestamps may stand."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from auricle.decoding.logits_processors import Tokens


@dataclass(frozen=True, slots=True)
class SuppressBlank:
    """Forbids that a transcript begins with a space alone, or with END."""

    blanks: Tokens

    def applies_to(self, tokens: Tokens) -> bool:
        """It applies only before the first token."""
        return not tokens

    def apply(self, logits: Tensor, prefixes: Sequence[Tokens]) -> None:
        """Process the rows that have no tokens yet."""
        empty = [row for row, tokens in enumerate(prefixes) if not tokens]
        if empty:
            logits[torch.tensor(empty)[:, None], torch.tensor(self.blanks)] = -math.inf


@dataclass(frozen=True, slots=True)
class TimestampRules:
    """Timestamps come in pairs around each part of text and never go back (Radford et al. 2022).

    The transcript begins with a timestamp. Where all timestamps together are likelier than any
    other token, the next token is one of them.
    """

    no_timestamps: int
    timestamp_begin: int  # all tokens from here on are timestamps
    end: int  # all tokens below are text
    latest_first: int | None = None  # the highest timestamp to begin with

    def applies_to(self, tokens: Tokens) -> bool:
        """It applies to every prefix."""
        return True

    def apply(self, logits: Tensor, prefixes: Sequence[Tokens]) -> None:
        """Apply the rules to each row, then compare the sum of its timestamps with its text."""
        logits[:, self.no_timestamps] = -math.inf
        for row, tokens in zip(logits, prefixes, strict=True):
            for start, stop in self._forbidden(tokens):
                row[start:stop] = -math.inf
        log_probs = logits.log_softmax(dim=-1, dtype=torch.float32)
        text, timestamps = log_probs.tensor_split([self.timestamp_begin], dim=-1)
        likelier = timestamps.logsumexp(dim=-1) > text.amax(dim=-1)  # (B,)
        logits[:, : self.timestamp_begin].masked_fill_(likelier[:, None], -math.inf)

    def _forbidden(self, tokens: Tokens) -> list[tuple[int, int | None]]:
        """List the ranges of tokens that may not come next."""
        if not tokens:
            ranges: list[tuple[int, int | None]] = [(0, self.timestamp_begin)]
            return ranges if self.latest_first is None else [*ranges, (self.latest_first + 1, None)]
        earlier = next((token for token in reversed(tokens) if self._is_timestamp(token)), None)
        in_pair = self._is_timestamp(tokens[-1])
        completed = in_pair and (len(tokens) < 2 or self._is_timestamp(tokens[-2]))
        ranges = []
        if in_pair:
            ranges.append((self.timestamp_begin, None) if completed else (0, self.end))
        if earlier is not None:  # the next part may begin where the last one ends
            opens = in_pair and not completed
            ranges.append((self.timestamp_begin, earlier + (not opens)))
        return ranges

    def _is_timestamp(self, token: int) -> bool:
        return token >= self.timestamp_begin
