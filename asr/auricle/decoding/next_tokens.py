"""What may come next: each row's distribution over tokens, and the ways to choose from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

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

        The `silent` tokens are never said; some rows are `ruled` beyond that.
        """
        self._decoder = decoder
        self._out = decoder_out
        self._logits = decoder.logits(decoder_out)
        self._shares = torch.ones(len(decoder_out), 1, device=decoder_out.device)  # attention's
        self.log_probs = token_log_probs(self._logits, silent, ruled)  # (B, V)
        if heard:
            self._mix(heard)
        self.scores = self.log_probs  # (B, V), what tokens are chosen by
        self.bonuses = torch.zeros((), device=decoder_out.device).expand_as(self.log_probs)
        if read:
            self._add(read)

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

    def _add(self, read: Sequence[Read]) -> None:
        """Zeros where nothing was read; nothing for tokens that are not said anyway."""
        bonuses = np.zeros(self.log_probs.shape, np.float32)
        for each in read:
            bonuses[each.rows] = each.bonuses
        silent = self.log_probs.isneginf()
        self.bonuses = torch.from_numpy(bonuses).to(silent.device).masked_fill(silent, 0.0)
        self.scores = self.log_probs + self.bonuses

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
