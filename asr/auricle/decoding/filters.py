"""What the decoder may not say, applied to logits before a search sees them."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from auricle.tokenizer import Tokenizer

SILENT = (Tokenizer.blank_id, Tokenizer.start_id, Tokenizer.unknown_id)


def token_log_probs(logits: Tensor, silent: Sequence[int] = SILENT) -> Tensor:
    """Log-probabilities `(B, V)` in float32 of the tokens that are not `silent`."""
    never = torch.zeros(logits.shape[1], dtype=torch.bool, device=logits.device)
    never[list(silent)] = True
    return logits.masked_fill(never, -math.inf).log_softmax(dim=-1, dtype=torch.float32)
