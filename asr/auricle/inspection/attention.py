"""Attention weights of an encoder layer, which itself keeps none.

A layer calls a function that it is passed to attend. Here it is passed one that keeps its arguments
and then does the same.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from auricle.model.layers import Attend, SelfAttention

Heads = tuple[Tensor, Tensor, Tensor]  # query, key, value: (B, H, T, D // H) each


@contextmanager
def recorded(attention: SelfAttention) -> Iterator[list[Heads]]:
    """Keep what each call of `attention` attends with, in order."""
    calls: list[Heads] = []

    def wrap(_: nn.Module, args: tuple[Tensor, Attend, Any]) -> tuple[Any, ...]:
        x, attend, rotation = args

        def record(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
            calls.append((query, key, value))
            return attend(query, key, value)

        return x, record, rotation

    hook = attention.register_forward_pre_hook(wrap)
    try:
        yield calls
    finally:
        hook.remove()


def attention_weights(query: Tensor, key: Tensor) -> Tensor:
    """Of scaled dot-product attention (Vaswani et al. 2017), where every query sees all keys.

    Args:
        query: `(..., U, D // H)`.
        key: `(..., N, D // H)`.

    Returns:
        `(..., U, N)`; each row sums to 1.
    """
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    return torch.softmax(scores, dim=-1)
