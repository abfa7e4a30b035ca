"""Greedy search: the most probable token at every step, until END or the row's limit."""

import torch
from torch import Tensor

from auricle.decoding.filters import token_log_probs
from auricle.decoding.hypothesis import Hypothesis
from auricle.model import Decoder
from auricle.tokenizer import Tokenizer


def greedy_search(
    decoder: Decoder, encoder_out: Tensor, encoder_out_lens: Tensor, limits: Tensor
) -> list[Hypothesis]:
    """The best token at each step for every row.

    Args:
        decoder: the model's decoder, in eval mode.
        encoder_out: `(B, N, D)`.
        encoder_out_lens: `(B,)` valid encoder frames.
        limits: `(B,)` most tokens of each row.

    Returns:
        One hypothesis a row, in order.
    """
    steps = int(limits.max())
    cache = decoder.start(encoder_out, encoder_out_lens, steps)
    token = torch.full_like(encoder_out_lens, Tokenizer.start_id)
    running = torch.ones_like(token, dtype=torch.bool)
    tokens, log_probs = [], []
    for step in range(steps):
        running = running & (step < limits)
        if not running.any():
            break
        best, token = token_log_probs(decoder.step(token, cache)).max(dim=-1)
        tokens.append(token.masked_fill(~running, Tokenizer.blank_id))
        log_probs.append(best.masked_fill(~running, 0.0))
        running = running & (token != Tokenizer.end_id)
    return _hypotheses(torch.stack(tokens, dim=1), torch.stack(log_probs, dim=1).sum(dim=1))


def _hypotheses(tokens: Tensor, log_probs: Tensor) -> list[Hypothesis]:
    """`tokens (B, U)`, BLANK behind each row's end, `log_probs (B,)`."""
    return [
        _hypothesis([token for token in row if token != Tokenizer.blank_id], log_prob)
        for row, log_prob in zip(tokens.tolist(), log_probs.tolist(), strict=True)
    ]


def _hypothesis(tokens: list[int], log_prob: float) -> Hypothesis:
    ended = tokens[-1] == Tokenizer.end_id
    return Hypothesis(tuple(tokens[:-1] if ended else tokens), log_prob, ended)
