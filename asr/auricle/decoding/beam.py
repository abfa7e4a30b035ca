"""Beam search with length normalisation (Wu et al. 2016, without the coverage term)."""

import heapq
import math

import torch
from torch import Tensor

from auricle.decoding.filters import token_log_probs
from auricle.decoding.hypothesis import Hypothesis
from auricle.model import Decoder
from auricle.tokenizer import Tokenizer


class Beams:
    """The live and the ended hypotheses of one utterance."""

    def __init__(self, size: int, limit: int, length_penalty: float) -> None:
        self.size = size
        self.limit = limit
        self.length_penalty = length_penalty
        self.live: list[Hypothesis] = [Hypothesis((), 0.0, ended=False)]
        self.ended: list[Hypothesis] = []

    @property
    def done(self) -> bool:
        """As many hypotheses have ended as the beam is wide, or none is left to extend."""
        return len(self.ended) >= self.size or not self.live

    def score(self, hypothesis: Hypothesis) -> float:
        """Log-probability over length ** length_penalty."""
        return hypothesis.log_prob / math.pow(max(hypothesis.steps, 1), self.length_penalty)

    def best(self) -> Hypothesis:
        """The winner; a live hypothesis wins only where none ended."""
        return max(self.ended or self.live, key=self.score)

    def extend(self, log_probs: list[list[float]], tokens: list[list[int]]) -> list[int]:
        """Take the likeliest next tokens of each live row; return the rows that live on.

        Args:
            log_probs: for each live row its candidates' log-probabilities.
            tokens: the candidates.

        Returns:
            For each new live hypothesis, the index of the live row that it extends.
        """
        candidates = [
            (self.live[row].log_prob + log_prob, row, token)
            for row in range(len(self.live))
            for log_prob, token in zip(log_probs[row], tokens[row], strict=True)
            if log_prob > -math.inf
        ]
        live, parents = [], []
        for log_prob, row, token in heapq.nlargest(self.size, candidates):
            grown = self.live[row].tokens
            if token == Tokenizer.end_id:
                self.ended.append(Hypothesis(grown, log_prob))
            else:
                live.append(Hypothesis((*grown, token), log_prob, ended=False))
                parents.append(row)
        self.live = live
        return parents


def beam_search(
    decoder: Decoder,
    encoder_out: Tensor,
    encoder_out_lens: Tensor,
    limits: Tensor,
    *,
    beam_size: int,
    length_penalty: float = 1.0,
) -> list[Hypothesis]:
    """The best of `beam_size` hypotheses for each row.

    Each utterance has a row for each of its live hypotheses and leaves when it is done.

    Args:
        decoder: the model's decoder, in eval mode.
        encoder_out: `(B, N, D)`.
        encoder_out_lens: `(B,)` valid encoder frames.
        limits: `(B,)` most tokens of each row.
        beam_size: hypotheses kept of each utterance.
        length_penalty: scores are divided by length to this power.

    Returns:
        One hypothesis a row, in order.
    """
    utterances = [Beams(beam_size, limit, length_penalty) for limit in limits.tolist()]
    cache = decoder.start(encoder_out, encoder_out_lens, int(limits.max()))
    token = torch.full_like(encoder_out_lens, Tokenizer.start_id)
    running = utterances
    for step in range(int(limits.max())):
        log_probs = token_log_probs(decoder.step(token, cache))
        rows = _extend(running, log_probs, beam_size)
        running = [beams for beams in running if _goes_on(beams, step + 1)]
        if not running:
            break
        kept = [row for beams, parents in rows if beams in running for row in parents]
        cache = cache.select(torch.tensor(kept, device=token.device))
        last = [hypothesis.tokens[-1] for beams in running for hypothesis in beams.live]
        token = torch.tensor(last, device=token.device)
    return [beams.best() for beams in utterances]


def _goes_on(beams: Beams, steps: int) -> bool:
    return steps < beams.limit and not beams.done


def _extend(
    running: list[Beams], log_probs: Tensor, beam_size: int
) -> list[tuple[Beams, list[int]]]:
    """Extend every utterance; return with each one the rows of the step that live on."""
    top = log_probs.topk(min(beam_size + 1, log_probs.shape[1]), dim=-1)
    values, tokens = top.values.tolist(), top.indices.tolist()
    extended, first = [], 0
    for beams in running:
        rows = slice(first, first + len(beams.live))
        parents = beams.extend(values[rows], tokens[rows])
        extended.append((beams, [first + parent for parent in parents]))
        first = rows.stop
    return extended
