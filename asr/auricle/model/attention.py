"""Who may see whom: the ways in which queries meet keys and values, `(B, H, T, D // H)` each."""

import math

from torch import Tensor
from torch.nn import functional as F


def causal_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Each position sees itself and those before it."""
    return F.scaled_dot_product_attention(query, key, value, is_causal=True)


def masked_attention(query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor) -> Tensor:
    """Every position sees the keys where `mask (B, 1, 1, T)` is true."""
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def exact_attention(query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor) -> Tensor:
    """The same in separate steps, softmax in float32.

    The fused kernel splits its work by the number of rows and threads, and rounds accordingly.
    This one gives a row the same bits however many rows and masked keys stand beside it.
    """
    scores = (query @ key.transpose(2, 3)).float() / math.sqrt(query.shape[-1])
    weights = scores.masked_fill(~mask, -math.inf).softmax(dim=-1)
    return weights.to(value.dtype) @ value
