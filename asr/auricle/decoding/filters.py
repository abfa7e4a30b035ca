"""What the decoder may not say, applied to logits before a search sees them."""

import math

import torch
from torch import Tensor

from auricle.tokenizer import Tokenizer

SILENT = (Tokenizer.blank_id, Tokenizer.start_id, Tokenizer.unknown_id)


def token_log_probs(logits: Tensor) -> Tensor:
    """Log-probabilities `(B, V)` in float32 of the tokens that text is made of, and END."""
    silent = torch.zeros(logits.shape[1], dtype=torch.bool, device=logits.device)
    silent[list(SILENT)] = True
    return logits.masked_fill(silent, -math.inf).log_softmax(dim=-1, dtype=torch.float32)
