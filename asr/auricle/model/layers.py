"""The blocks that both the encoder and the decoder are made of.

All are pre-norm: the caller normalises the input and adds the output to the residual.
"""

from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from auricle.config import TransformerConfig
from auricle.model.linear import Linear
from auricle.model.positions import rotate


def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """`(B, T, D) -> (B, H, T, D // H)`."""
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """`(B, H, T, D // H) -> (B, T, D)`."""
    return x.transpose(1, 2).flatten(2)


class Attend(Protocol):
    """How queries meet keys and values, `(B, H, T, D // H)` each, and who may see whom."""

    def __call__(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """The attended values `(B, H, T, D // H)`."""
        ...


class CrossAttend(Protocol):
    """How queries meet what is remembered of the encoder's output, `(B, H, T, D // H)`."""

    def __call__(self, query: Tensor) -> Tensor:
        """The attended values `(B, H, T, D // H)`."""
        ...


class SelfAttention(nn.Module):
    """Multi-head self-attention with fused projections."""

    def __init__(self, d_model: int, n_heads: int, *, bias: bool = True) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.qkv = Linear(d_model, 3 * d_model, bias=bias)
        self.out = Linear(d_model, d_model, bias=bias)

    def forward(self, x: Tensor, attend: Attend, rotation: Tensor | None) -> Tensor:
        """`x (B, T, D) -> (B, T, D)`, queries and keys rotated by position."""
        heads = split_heads(self.qkv(x), 3 * self.n_heads)
        if rotation is None:
            query, key, value = heads.chunk(3, dim=1)
        else:
            query_key, value = heads.split([2 * self.n_heads, self.n_heads], dim=1)
            query, key = rotate(query_key, rotation).chunk(2, dim=1)
        return self.out(merge_heads(attend(query, key, value)))


class CrossAttention(nn.Module):
    """Queries from the decoder; keys and values from the encoder, computed once an utterance."""

    def __init__(self, d_model: int, n_heads: int, *, bias: bool = True) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query = Linear(d_model, d_model, bias=bias)
        self.key_value = Linear(d_model, 2 * d_model, bias=bias)
        self.out = Linear(d_model, d_model, bias=bias)

    def keys_values(self, encoder_out: Tensor) -> tuple[Tensor, Tensor]:
        """`encoder_out (B, N, D)` -> keys and values `(B, H, N, D // H)`."""
        keys, values = split_heads(self.key_value(encoder_out), 2 * self.n_heads).chunk(2, dim=1)
        return keys, values

    def forward(self, x: Tensor, cross_attend: CrossAttend) -> Tensor:
        """`x (B, U, D) -> (B, U, D)`."""
        query = split_heads(self.query(x), self.n_heads)
        return self.out(merge_heads(cross_attend(query)))


class FeedForward(nn.Sequential):
    """Two linear layers with GELU between: `(B, T, D) -> (B, T, D)`."""

    def __init__(self, d_model: int, ffn_dim: int) -> None:
        super().__init__(Linear(d_model, ffn_dim), nn.GELU(), Linear(ffn_dim, d_model))


class GatedFeedForward(nn.Sequential):
    """SwiGLU (Shazeer 2020): half of the wide vector gates the other, `(B, T, D) -> (B, T, D)`."""

    def __init__(self, d_model: int, ffn_dim: int) -> None:
        super().__init__(Linear(d_model, 2 * ffn_dim), SwiGlu(), Linear(ffn_dim, d_model))


class SwiGlu(nn.Module):
    """`(..., 2 * F) -> (..., F)`: the first half times the swish of the second."""

    def forward(self, x: Tensor) -> Tensor:
        """Gate one half of `x` by the other."""
        x, gate = x.chunk(2, dim=-1)
        return x * (gate * _sigmoid(gate))


def layer_norm(config: TransformerConfig) -> nn.LayerNorm:
    """Of vectors as wide as the model."""
    return nn.LayerNorm(config.d_model, bias=config.norm_bias)


class ConvModule(nn.Module):
    """The convolution module of the Conformer (Gulati et al. 2020), masked.

    LayerNorm takes the place of BatchNorm, whose statistics would tie an utterance to its batch.
    """

    def __init__(self, d_model: int, kernel: int) -> None:
        super().__init__()
        self.pointwise_in = Linear(d_model, 2 * d_model)
        self.depthwise = nn.Conv1d(d_model, d_model, kernel, padding=kernel // 2, groups=d_model)
        self.norm = nn.LayerNorm(d_model)
        self.pointwise_out = Linear(d_model, d_model)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`x (B, N, D)`, `mask (B, N)` true at real frames -> `(B, N, D)`."""
        x, gate = self.pointwise_in(x).chunk(2, dim=-1)
        x = (x * _sigmoid(gate)).masked_fill(~mask[..., None], 0.0)
        x = self.norm(self._convolved(x))
        return self.pointwise_out(x * _sigmoid(x))

    def _convolved(self, x: Tensor) -> Tensor:
        """`depthwise` on `x (B, N, D)`, on a CPU in float32 as on an image one pixel high.

        In a tenth of the time: oneDNN takes the channels of an image side by side, as they are
        here. In half precision its kernels may depend on the number of frames, and so on company.
        """
        in_training = torch.is_grad_enabled() and self.depthwise.weight.requires_grad
        if x.device.type != "cpu" or (x.dtype != torch.float32 and in_training):
            return self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        image = x.float().transpose(1, 2)[:, :, None]  # (B, D, 1, N)
        weight, bias = (
            self.depthwise.weight[:, :, None].float(),
            cast(Tensor, self.depthwise.bias).float(),
        )
        padding, groups = (0, *self.depthwise.padding), self.depthwise.groups
        convolved = F.conv2d(image, weight, bias, padding=padding, groups=groups)
        return convolved[:, :, 0].transpose(1, 2).to(x.dtype)


def _sigmoid(x: Tensor) -> Tensor:
    """By way of tanh: torch's own rounds the last values of each thread's share in another way."""
    return 0.5 * (1 + (0.5 * x).tanh())
