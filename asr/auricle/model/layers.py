"""The blocks that both the encoder and the decoder are made of.

All are pre-norm: the caller normalises the input and adds the output to the residual.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from auricle.model.positions import rotate


def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """`(B, T, D) -> (B, H, T, D // H)`."""
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """`(B, H, T, D // H) -> (B, T, D)`."""
    return x.transpose(1, 2).flatten(2)


class SelfAttention(nn.Module):
    """Multi-head self-attention with fused projections."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.qkv = nn.Linear(d_model, 3 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def project(self, x: Tensor, rotation: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """`x (B, T, D)` -> queries, keys, values `(B, H, T, D // H)`, rotated by position."""
        query, key, value = (split_heads(y, self.n_heads) for y in self.qkv(x).chunk(3, dim=-1))
        if rotation is not None:
            query, key = rotate(query, rotation), rotate(key, rotation)
        return query, key, value

    def attend(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, causal: bool = False
    ) -> Tensor:
        """Attention output `(B, T, D)`; `mask` is true where attention is allowed."""
        attended = F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=causal
        )
        return self.out(merge_heads(attended))

    def forward(
        self,
        x: Tensor,
        *,
        mask: Tensor | None = None,
        causal: bool = False,
        rotation: Tensor | None = None,
    ) -> Tensor:
        """`x (B, T, D) -> (B, T, D)`; either `mask (B, 1, 1, T)` or `causal`."""
        return self.attend(*self.project(x, rotation), mask, causal)


class CrossAttention(nn.Module):
    """Queries from the decoder; keys and values from the encoder, computed once an utterance."""

    def __init__(self, d_model: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.query = nn.Linear(d_model, d_model)
        self.key_value = nn.Linear(d_model, 2 * d_model)
        self.out = nn.Linear(d_model, d_model)

    def keys_values(self, encoder_out: Tensor) -> tuple[Tensor, Tensor]:
        """`encoder_out (B, N, D)` -> keys and values `(B, H, N, D // H)`."""
        key, value = self.key_value(encoder_out).chunk(2, dim=-1)
        return split_heads(key, self.n_heads), split_heads(value, self.n_heads)

    def forward(self, x: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        """`x (B, U, D)`, `mask (B, 1, 1, N)` -> `(B, U, D)`."""
        query = split_heads(self.query(x), self.n_heads)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.out(merge_heads(attended))


class FeedForward(nn.Sequential):
    """Two linear layers with `activation` between: `(B, T, D) -> (B, T, D)`."""

    def __init__(
        self, d_model: int, ffn_dim: int, activation: Callable[[], nn.Module] = nn.GELU
    ) -> None:
        super().__init__(nn.Linear(d_model, ffn_dim), activation(), nn.Linear(ffn_dim, d_model))


class ConvModule(nn.Module):
    """The convolution module of the Conformer (Gulati et al. 2020), masked.

    LayerNorm takes the place of BatchNorm, whose statistics would tie an utterance to its batch.
    """

    def __init__(self, d_model: int, kernel: int) -> None:
        super().__init__()
        self.pointwise_in = nn.Linear(d_model, 2 * d_model)
        self.depthwise = nn.Conv1d(d_model, d_model, kernel, padding=kernel // 2, groups=d_model)
        self.norm = nn.LayerNorm(d_model)
        self.pointwise_out = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`x (B, N, D)`, `mask (B, N)` true at real frames -> `(B, N, D)`."""
        x = F.glu(self.pointwise_in(x), dim=-1).masked_fill(~mask[..., None], 0.0)
        x = self.depthwise(x.transpose(1, 2)).transpose(1, 2)  # (B, D, N) inside
        return self.pointwise_out(F.silu(self.norm(x)))


class Subsampling(nn.Module):
    """Strided convolutions over time: `x (B, T, n_mels) -> (B, N, D)`, as in Whisper's stem.

    Every convolution sees zeros behind each row's end, as it would if the row were alone.
    """

    def __init__(self, n_mels: int, d_model: int, strides: tuple[int, ...]) -> None:
        super().__init__()
        widths = [n_mels] + [d_model] * len(strides)
        self.convs = nn.ModuleList(
            nn.Conv1d(widths[i], d_model, kernel_size=3, stride=stride, padding=1)
            for i, stride in enumerate(strides)
        )
        self.strides = strides

    def forward(self, x: Tensor, x_lens: Tensor) -> tuple[Tensor, Tensor]:
        """`x (B, T, n_mels)`, `x_lens (B,)` -> `(B, N, D)`, lengths `(B,)`."""
        x = x.transpose(1, 2)  # (B, n_mels, T)
        for conv, stride in zip(self.convs, self.strides, strict=True):
            frames = torch.arange(x.shape[2], device=x.device)
            x = x.masked_fill((frames >= x_lens[:, None])[:, None], 0.0)
            x = F.gelu(conv(x))
            x_lens = -(-x_lens // stride)
        return x.transpose(1, 2), x_lens
