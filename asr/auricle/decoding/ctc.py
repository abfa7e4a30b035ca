"""Greedy CTC decoding (Graves et al. 2006): the best piece of each frame, repeats and blanks gone.

The recogniser decodes with attention; training watches this one too, since it leaves its plateau
first.
"""

import torch
from torch import Tensor

from auricle.tokenizer import Tokenizer


def ctc_greedy(ctc_logits: Tensor, encoder_out_lens: Tensor) -> list[list[int]]:
    """`ctc_logits (B, N, V)`, `encoder_out_lens (B,)` -> the tokens of each row."""
    best = ctc_logits.argmax(dim=-1)
    return [
        _collapse(row[:length]) for row, length in zip(best, encoder_out_lens.tolist(), strict=True)
    ]


def _collapse(frames: Tensor) -> list[int]:
    pieces = torch.unique_consecutive(frames)
    return [int(piece) for piece in pieces if piece != Tokenizer.blank_id]
