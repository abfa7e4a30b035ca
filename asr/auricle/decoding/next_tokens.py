"""Each row's distribution over the next token, and the ways to choose from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from auricle.decoding.ctc_prefix import Floats
from auricle.decoding.largest import largest
from auricle.decoding.logits_processors import RowProcessors, token_log_probs
from auricle.decoding.search import Candidate
from auricle.model import Decoder

COLDEST = 1e-6  # a lower temperature would draw the same
SPARE = 6  # more than are asked for: coarse logits may misplace neighbours, not many


@dataclass(frozen=True, slots=True)
class CtcScores:
    """CTC's scores for some rows of a step."""

    rows: Sequence[int]
    weight: float  # its share of a score
    log_probs: Floats  # (len(rows), V) of the next token


@dataclass(frozen=True, slots=True)
class LmScores:
    """A language model's scores for some rows of a step."""

    rows: Sequence[int]
    bonuses: Floats  # (len(rows), V) of the next token


@dataclass(frozen=True, slots=True)
class HotwordScores:
    """What hotwords add to a row's scores, but for a number that is the same for all tokens."""

    row: int
    tokens: npt.NDArray[np.int64]  # (K,) those that go on with a phrase
    gains: npt.NDArray[np.float32]  # (K,)
    pending: float  # what is lost where the next token continues the last word
    continues_word: npt.NDArray[np.bool_]  # (V,) the tokens that do that


class NextTokens:
    """The distributions after one decoder step.

    Where CTC has scores, a token's log-probability is the weighted mean of both heads' (Watanabe et
    al. 2017). Where a language model or hotwords have scores, tokens are chosen by that and these.
    Candidates have the language model's bonus only.

    Logits of half precision and of integers are coarse: near 16, neighbours in bfloat16 stand 0.06
    apart, and ties abound. So they only choose a short list, and its logits are computed again in
    float32.
    """

    def __init__(
        self,
        decoder: Decoder,
        decoder_out: Tensor,
        ctc: Sequence[CtcScores] = (),
        lm: Sequence[LmScores] = (),
        hotwords: Sequence[HotwordScores] = (),
        *,
        suppressed: Sequence[int],
        processors: Sequence[RowProcessors] = (),
    ) -> None:
        """Compute them from `decoder_out (B, D)` and the scores of all others.

        The `suppressed` tokens are never chosen; `processors` forbid more in some rows.
        """
        self._decoder = decoder
        self._out = decoder_out
        self._logits = decoder.logits(decoder_out)
        self._shares = torch.ones(len(decoder_out), 1, device=decoder_out.device)  # attention's
        self.log_probs = token_log_probs(self._logits, suppressed, processors)  # (B, V)
        if ctc:
            self._mix(ctc)
        self.scores = self.log_probs  # (B, V), what tokens are chosen by
        self.bonuses = torch.zeros((), device=decoder_out.device).expand_as(self.log_probs)
        if lm:
            self._add(lm)
        if hotwords:
            self._boost(hotwords)

    def _mix(self, scores: Sequence[CtcScores]) -> None:
        """Mix in CTC, by products and sums of single numbers: a row's bits are its own."""
        weights = np.zeros((len(self.log_probs), 1), np.float32)
        ctc = np.zeros(self.log_probs.shape, np.float32)
        for each in scores:
            weights[each.rows], ctc[each.rows] = each.weight, each.weight * each.log_probs
        forbidden = self.log_probs.isneginf()
        self._shares = 1 - torch.from_numpy(weights).to(self.log_probs.device)
        mixed = self._shares * self.log_probs + torch.from_numpy(ctc).to(self.log_probs.device)
        self.log_probs = mixed.masked_fill(forbidden, -math.inf)

    def _add(self, scores: Sequence[LmScores]) -> None:
        """Add the language model's bonuses, but none to tokens that are forbidden."""
        bonuses = np.zeros(self.log_probs.shape, np.float32)
        for each in scores:
            bonuses[each.rows] = each.bonuses
        forbidden = self.log_probs.isneginf()
        self.bonuses = torch.from_numpy(bonuses).to(forbidden.device).masked_fill(forbidden, 0.0)
        self.scores = self.log_probs + self.bonuses

    def _boost(self, scores: Sequence[HotwordScores]) -> None:
        """Add what hotwords say to the few tokens concerned; other rows keep their bits."""
        device = self.scores.device
        rows = np.repeat([each.row for each in scores], [len(each.tokens) for each in scores])
        tokens = np.concatenate([each.tokens for each in scores])
        gains = np.concatenate([each.gains for each in scores])
        places = tuple(torch.from_numpy(each).to(device) for each in (rows, tokens))
        self.scores = self.scores.clone()
        self.scores.index_put_(places, torch.from_numpy(gains).to(device), accumulate=True)
        for each in scores:
            if each.pending:
                losses = torch.from_numpy(each.continues_word).to(device) * each.pending
                self.scores[each.row] -= losses

    def logits(self, row: int) -> Tensor:
        """Return a row's logits `(V,)` in float32, without any processing."""
        return self._logits[row].float()

    def likeliest(self, count: int) -> list[list[Candidate]]:
        """Return at least the `count` tokens of each row that score highest, the best first."""
        if not self._decoder.is_coarse:
            tokens = largest(self.scores, count)
            return self._candidates(self.log_probs.gather(1, tokens), tokens)
        tokens = largest(self.scores, count + SPARE)
        found = self._decoder.logits_of(self._out, tokens)
        coarse = self._logits.gather(1, tokens).float()
        exact = self.log_probs.gather(1, tokens) + self._shares * (found - coarse)
        exact_scores = self.scores.gather(1, tokens) + self._shares * (found - coarse)
        order = exact_scores.argsort(dim=-1, descending=True, stable=True)
        return self._candidates(exact.gather(1, order), tokens.gather(1, order))

    def sample(self, row: int, temperature: float, generator: torch.Generator) -> Candidate:
        """Draw one token of a row, with its probability raised to `1 / temperature`."""
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
    """Put the best at 0 and the others below: however low the temperature, one stays finite."""
    return (scores - scores.max()) / max(temperature, COLDEST)
