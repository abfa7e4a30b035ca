"""What may come next: each row's distribution over tokens, and the ways to choose from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from auricle.decoding.ctc_prefix import Floats
from auricle.decoding.filters import SILENT, Ruled, token_log_probs
from auricle.decoding.largest import largest
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


@dataclass(frozen=True, slots=True)
class Read:
    """What a language model says of some rows of a step."""

    rows: Sequence[int]
    bonuses: Floats  # (len(rows), V) of the next token


class NextTokens:
    """The distributions after one decoder step.

    Where CTC was heard, a token's log-probability is the weighted mean of both heads' (Watanabe et
    al. 2017). Where a language model was asked, tokens are chosen by that and its bonus.

    Logits of half precision and of integers are coarse: near 16, neighbours in bfloat16 stand 0.06
    apart, and ties abound. So they only choose a short list, and its logits are computed again in
    float32.
    """

    def __init__(
        self,
        decoder: Decoder,
        decoder_out: Tensor,
        heard: Sequence[Heard] = (),
        read: Sequence[Read] = (),
        *,
        silent: Sequence[int] = SILENT,
        ruled: Sequence[Ruled] = (),
    ) -> None:
        """From `decoder_out (B, D)`, what CTC has `heard` and what was `read` for rows of it.

        The `silent` tokens are never said; some rows are `ruled` beyond that. Nothing is computed
        before it is asked for: while all rows are told a prompt, nobody asks.
        """
        self._decoder = decoder
        self._out = decoder_out
        self._heard, self._read = heard, read
        self._silent, self._ruled = silent, ruled

    @cached_property
    def log_probs(self) -> Tensor:
        """`(B, V)`; -inf for what is not said."""
        log_probs = token_log_probs(self._logits, self._silent, self._ruled)
        return self._mixed(log_probs) if self._heard else log_probs

    @cached_property
    def bonuses(self) -> Tensor:
        """The language model's, `(B, V)`: zeros where nothing was read, or is not said anyway."""
        if not self._read:
            return self.log_probs.new_zeros(()).expand_as(self.log_probs)
        bonuses = np.zeros(self.log_probs.shape, np.float32)
        for each in self._read:
            bonuses[each.rows] = each.bonuses
        on_device = torch.from_numpy(bonuses).to(self.log_probs.device)
        return on_device.masked_fill(self.log_probs.isneginf(), 0.0)

    @cached_property
    def scores(self) -> Tensor:
        """What tokens are chosen by: `(B, V)`."""
        return self.log_probs + self.bonuses if self._read else self.log_probs

    @cached_property
    def _logits(self) -> Tensor:
        return self._decoder.logits(self._out)

    @cached_property
    def _shares(self) -> Tensor:
        """Attention's share of each row's score, `(B, 1)`."""
        weights = np.zeros((len(self._out), 1), np.float32)
        for each in self._heard:
            weights[each.rows] = each.weight
        return 1 - torch.from_numpy(weights).to(self._out.device)

    def _mixed(self, log_probs: Tensor) -> Tensor:
        """Products and sums of single numbers: a row's bits are its own."""
        ctc = np.zeros(log_probs.shape, np.float32)
        for each in self._heard:
            ctc[each.rows] = each.weight * each.log_probs
        mixed = self._shares * log_probs + torch.from_numpy(ctc).to(log_probs.device)
        return mixed.masked_fill(log_probs.isneginf(), -math.inf)

    def logits(self, row: int) -> Tensor:
        """A row's logits `(V,)` in float32, none forbidden."""
        return self._logits[row].float()

    def likeliest(self, count: int) -> list[list[Candidate]]:
        """At least the `count` tokens of each row that score highest, the best first."""
        if not self._decoder.is_coarse:
            tokens = largest(self.scores, count)
            return self._candidates(self.log_probs.gather(1, tokens), tokens)
        tokens = largest(self.scores, count + SPARE)
        found = self._decoder.logits_of(self._out, tokens)
        coarse = self._logits.gather(1, tokens).float()
        exact = self.log_probs.gather(1, tokens) + self._shares * (found - coarse)
        exact_scores = exact + self.bonuses.gather(1, tokens)
        order = exact_scores.argsort(dim=-1, descending=True, stable=True)
        return self._candidates(exact.gather(1, order), tokens.gather(1, order))

    def sample(self, row: int, temperature: float, generator: torch.Generator) -> Candidate:
        """One token of a row, drawn with its probability raised to `1 / temperature`."""
        scores = self.scores[row]
        if not torch.isfinite(scores.max()):
            return Candidate(math.nan, 0)
        drawn = torch.multinomial(
            _tempered(scores, temperature).softmax(-1), 1, generator=generator
        )
        token = int(drawn)
        return Candidate(float(self.log_probs[row, token]), token, float(self.bonuses[row, token]))

    def _candidates(self, log_probs: Tensor, tokens: Tensor) -> list[list[Candidate]]:
        bonuses = self.bonuses.gather(1, tokens)
        rows = zip(log_probs.tolist(), tokens.tolist(), bonuses.tolist(), strict=True)
        return [list(map(Candidate, *row)) for row in rows]


def _tempered(scores: Tensor, temperature: float) -> Tensor:
    """The best at 0 and the others below: however low the temperature, one stays finite."""
    return (scores - scores.max()) / max(temperature, COLDEST)
