"""Greedy CTC decoding (Graves et al. 2006): the best piece of each frame, repeats and blanks gone.

The recogniser decodes with attention; training watches this one too, since it leaves its plateau
first.
"""

import torch
from torch import Tensor

from auricle.config import CTC_BLANK


def ctc_greedy(ctc_logits: Tensor) -> list[int]:
    """Turn `ctc_logits (N, V)` of one utterance into its tokens."""
    pieces = torch.unique_consecutive(ctc_logits.argmax(dim=-1))
    return [int(piece) for piece in pieces if piece != CTC_BLANK]
