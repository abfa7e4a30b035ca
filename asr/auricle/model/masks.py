"""Masks from lengths. True means: this position is real."""

import torch
from torch import Tensor


def length_mask(lens: Tensor, size: int) -> Tensor:
    """`lens (B,) -> (B, size)`, true before each row's end."""
    return torch.arange(size, device=lens.device) < lens[:, None]


def key_padding_mask(lens: Tensor, size: int) -> Tensor:
    """`lens (B,) -> (B, 1, 1, size)`: for every head and query, the keys that may be attended."""
    return length_mask(lens, size)[:, None, None, :]
