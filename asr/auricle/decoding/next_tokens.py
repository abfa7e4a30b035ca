"""What may come next: each row's distribution over tokens, and the ways to choose from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from auricle.decoding.ctc_prefix import Floats
from auricle.decoding.filters import token_log_probs
from auricle.decoding.search import Candidate
from auricle.model import Decoder

COLDEST = 1e-6  # a lower temperature would draw the same
SPARE = 6  # more than are asked for: coarse logits may misplace neighbours, not many


@dataclass(frozen=True, slots=True)
class Heard:
    """What CTC says of some rows of a step."""

    rows: Sequence[int]
    weight: float  # its share of a score
    log_probs: Floats  # (len(rows), V) of the next token


class NextTokens:
    """The distributions after one decoder step.

    Where CTC was heard, a token's log-probability is the weighted mean of both heads' (Watanabe et
    al. 2017).

    Logits of half precision and of integers are coarse: near 16, neighbours in bfloat16 stand 0.06
    apart, and ties abound. So they only choose a short list, and its logits are computed again in
    float32.
    """

    def __init__(self, decoder: Decoder, decoder_out: Tensor, heard: Sequence[Heard] = ()) -> None:
        """From `decoder_out (B, D)` and what CTC has `heard` for rows of it."""
        self._decoder = decoder
        self._out = decoder_out
        self._logits = decoder.logits(decoder_out)
        self._shares = torch.ones(len(decoder_out), 1, device=decoder_out.device)  # attention's
        self.log_probs = token_log_probs(self._logits)  # (B, V)
        if heard:
            self._mix(heard)

    def _mix(self, heard: Sequence[Heard]) -> None:
        """Products and sums of single numbers: a row's bits are its own."""
        weights = np.zeros((len(self.log_probs), 1), np.float32)
        ctc = np.zeros(self.log_probs.shape, np.float32)
        for each in heard:
            weights[each.rows], ctc[each.rows] = each.weight, each.weight * each.log_probs
        silent = self.log_probs.isneginf()
        self._shares = 1 - torch.from_numpy(weights).to(self.log_probs.device)
        mixed = self._shares * self.log_probs + torch.from_numpy(ctc).to(self.log_probs.device)
        self.log_probs = mixed.masked_fill(silent, -math.inf)

    def likeliest(self, count: int) -> list[list[Candidate]]:
        """At least the `count` likeliest tokens of each row, the likeliest first."""
        if not self._decoder.is_coarse:
            top = self.log_probs.topk(min(count, self.log_probs.shape[1]), dim=-1)
            return _candidates(top.values, top.indices)
        top = self.log_probs.topk(min(count + SPARE, self.log_probs.shape[1]), dim=-1)
        found = self._decoder.logits_of(self._out, top.indices)
        coarse = self._logits.gather(1, top.indices).float()
        exact = top.values + self._shares * (found - coarse)
        order = exact.argsort(dim=-1, descending=True, stable=True)
        return _candidates(exact.gather(1, order), top.indices.gather(1, order))

    def sample(self, row: int, temperature: float, generator: torch.Generator) -> Candidate:
        """One token of a row, drawn with its probability raised to `1 / temperature`."""
        log_probs = self.log_probs[row]
        if not torch.isfinite(log_probs.max()):
            return float("nan"), 0
        token = torch.multinomial(
            _tempered(log_probs, temperature).softmax(-1), 1, generator=generator
        )
        return float(log_probs[token]), int(token)


def _tempered(log_probs: Tensor, temperature: float) -> Tensor:
    """The likeliest at 0 and the others below: however low the temperature, one stays finite."""
    return (log_probs - log_probs.max()) / max(temperature, COLDEST)


def _candidates(log_probs: Tensor, tokens: Tensor) -> list[list[Candidate]]:
    pairs = zip(log_probs.tolist(), tokens.tolist(), strict=True)
    return [list(zip(*pair, strict=True)) for pair in pairs]
