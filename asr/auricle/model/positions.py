"""Where in the sequence a vector stands: rotary, sinusoidal or learned positions."""

import math

import torch
from torch import Tensor, nn

from auricle.config import TransformerConfig

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


def rotary(positions: Tensor, width: int) -> Tensor:
    """The rotation of each position (Su et al. 2021): `(...) -> (2, ..., width // 2)`."""
    angles = _angles(positions, width)
    return torch.stack([angles.cos(), angles.sin()])


class Vectors(nn.Embedding):
    """A table of learned vectors, drawn at random unless its weights are to follow."""

    def reset_parameters(self) -> None:
        """On `meta` nothing is drawn: torch would import a compiler for it, for a second or two."""
        if not self.weight.is_meta:
            super().reset_parameters()


class Placement(nn.Module):
    """Tells vectors where they stand: by addition, or by the rotation that attention applies."""

    def __init__(self, config: TransformerConfig, count: int) -> None:
        """`count`: positions that are learned, where they are."""
        super().__init__()
        self._positions = config.positions
        self._width = config.rotary_dim or config.head_dim
        if config.positions == "learned":
            self.table = Vectors(count, config.d_model)

    def forward(self, x: Tensor, positions: Tensor) -> tuple[Tensor, Tensor | None]:
        """`x (..., T, D)`, `positions (..., T)` -> `x (..., T, D)`, rotation `(2, ..., T, R)`."""
        if self._positions == "rotary":
            return x, rotary(positions, self._width)
        if self._positions == "learned":
            return x + self.table(positions), None
        return x + sinusoids(positions, x.shape[-1]).to(x.dtype), None


def rotate(x: Tensor, rotation: Tensor) -> Tensor:
    """Turn each head by its position: `x (B, H, T, head_dim)`, unchanged in shape.

    `rotation` is `(2, T, R // 2)`, or `(2, B, 1, T, R // 2)` where each row has positions of its
    own. The first `R` dimensions turn, those behind them, if any, stay.
    """
    cos, sin = rotation.to(x.dtype)
    half = cos.shape[-1]
    left, right, still = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
    return torch.cat([left * cos - right * sin, right * cos + left * sin, still], dim=-1)
