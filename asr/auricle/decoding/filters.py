"""What the decoder may not say, applied to logits before a search sees them."""

import math

from torch import Tensor

from auricle.tokenizer import Tokenizer

SILENT = (Tokenizer.blank_id, Tokenizer.start_id, Tokenizer.unknown_id)


def token_log_probs(logits: Tensor) -> Tensor:
    """Log-probabilities `(B, V)` in float32 of the tokens that text is made of, and END."""
    logits = logits.float().clone()  # the caller's stay as they are
    logits[:, SILENT] = -math.inf
    return logits.log_softmax(dim=-1)
