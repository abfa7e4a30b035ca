"""Attention weights of a model that knows nothing of being watched.

Its layers are told how to attend by a callable that they are passed. Here they are passed one that
keeps what it is called with and then does the same.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from auricle.model.layers import CrossAttention, SelfAttention

Heads = tuple[Tensor, ...]  # query, key, value; or the query alone, of what is recalled


@contextmanager
def listening(attention: SelfAttention | CrossAttention) -> Iterator[list[Heads]]:
    """Keep what each call of `attention` attends with, `(B, H, T, D // H)` each, in order."""
    heard: list[Heads] = []

    def wrap(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        x, attend, *rest = args

        def listen(*heads: Tensor) -> Tensor:
            heard.append(heads)
            attended: Tensor = attend(*heads)
            return attended

        return (x, listen, *rest)

    hook = attention.register_forward_pre_hook(wrap)
    try:
        yield heard
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
