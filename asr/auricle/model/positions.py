"""Where in the sequence a vector stands: rotary or sinusoidal positions."""

import math

import torch
from torch import Tensor

BASE = 10_000.0


def _angles(positions: Tensor, width: int) -> Tensor:
    """`positions (...) -> (..., width // 2)` angles, from one radian a step down to 1 / BASE."""
    half = width // 2
    exponents = torch.arange(half, device=positions.device, dtype=torch.float32) / half
    return positions[..., None].float() * torch.exp(-math.log(BASE) * exponents)


def sinusoids(positions: Tensor, d_model: int) -> Tensor:
    """Additive positions (Vaswani et al. 2017): `positions (...) -> (..., D)`."""
    angles = _angles(positions, d_model)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def rotary(positions: Tensor, head_dim: int) -> Tensor:
    """The rotation of each position (Su et al. 2021): `(...) -> (2, ..., head_dim // 2)`."""
    angles = _angles(positions, head_dim)
    return torch.stack([angles.cos(), angles.sin()])


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Turn each head by its position: `x (B, H, T, head_dim)`, unchanged in shape.

    `rotation` is `(2, T, head_dim // 2)`, or `(2, B, 1, T, head_dim // 2)` where each row has
    positions of its own.
    """
    cos, sin = rotation.to(x.dtype)
    left, right = x.chunk(2, dim=-1)
    return torch.cat([left * cos - right * sin, right * cos + left * sin], dim=-1)
