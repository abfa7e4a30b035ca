"""The encoder: features to `encoder_out`, of a padded batch or of utterances in a strip."""

import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from auricle.config import TransformerConfig
from auricle.model.attention import masked_attention
from auricle.model.layers import Attend, ConvModule, FeedForward, SelfAttention, layer_norm
from auricle.model.masks import length_mask
from auricle.model.positions import Placement
from auricle.model.stem import Stem
from auricle.model.strip import Strip


class EncoderLayer(nn.Module):
    """Pre-norm self-attention, optional convolution module, feed-forward; each added to x."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        d_model = config.d_model
        self.attention_norm = layer_norm(config)
        self.attention = SelfAttention(d_model, config.n_heads, bias=config.attention_bias)
        self.conv_norm = layer_norm(config) if config.conv_kernel else None
        self.conv = ConvModule(d_model, config.conv_kernel) if config.conv_kernel else None
        self.ffn_norm = layer_norm(config)
        self.ffn = FeedForward(d_model, config.ffn_dim)
        self.dropout = nn.Dropout(config.dropout)

    @property
    def onto_residual(self) -> list[nn.Linear]:
        """The projections whose outputs are added to x."""
        conv = [] if self.conv is None else [self.conv.pointwise_out]
        return [self.attention.out, *conv, cast(nn.Linear, self.ffn[-1])]

    def forward(self, x: Tensor, mask: Tensor, attend: Attend, rotation: Tensor | None) -> Tensor:
        """`x (B, N, D)`, `mask (B, N)` true at real frames -> `(B, N, D)`."""
        x = x + self.dropout(self.attention(self.attention_norm(x), attend, rotation))
        if self.conv is not None and self.conv_norm is not None:
            x = x + self.conv(self.conv_norm(x), mask)
        return x + self.dropout(self.ffn(self.ffn_norm(x)))


class Encoder(nn.Module):
    """Convolutions that subsample, then Transformer layers, each utterance for itself."""

    def __init__(self, n_mels: int, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.subsampling = Stem(n_mels, config.d_model, config.stem)
        self.placement = Placement(config, config.max_frames)
        layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.encoder_layers))
        self.layers = cast(Sequence[EncoderLayer], layers)
        self.norm = layer_norm(config)

    def forward(self, x: Tensor, x_lens: Tensor) -> tuple[Tensor, Tensor]:
        """Encode a padded batch; what stands behind a row's end changes nothing before it.

        Args:
            x: features `(B, T, n_mels)`.
            x_lens: valid frames `(B,)`, each at least 1.

        Returns:
            `encoder_out (B, N, D)` and `encoder_out_lens (B,)`. Frames behind a row's end hold
            arbitrary values.
        """
        x, mask = self.subsampling(x, length_mask(x_lens, x.shape[1]))
        positions = torch.arange(x.shape[1], device=x.device)
        attend = partial(masked_attention, mask=mask[:, None, None, :])
        return self._transform(x, mask, positions, attend), mask.sum(dim=1)

    def with_middle(self, x: Tensor, x_lens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `forward`, between its two results the middle layer's output, normalised alike."""
        x, mask = self.subsampling(x, length_mask(x_lens, x.shape[1]))
        x, rotation = self._place(x, torch.arange(x.shape[1], device=x.device))
        attend = partial(masked_attention, mask=mask[:, None, None, :])
        half = max(1, len(self.layers) // 2)
        middle = _through(self.layers[:half], x, mask, attend, rotation)
        last = _through(self.layers[half:], middle, mask, attend, rotation)
        return self.norm(last), self.norm(middle), mask.sum(dim=1)

    def encode(self, xs: Sequence[Tensor]) -> list[Tensor]:
        """Encode utterances without padding: features `(T_i, n_mels)` -> `(N_i, D)` of each.

        On a CPU each comes out the same to the last bit in whatever company.
        """
        strip = Strip.of([len(x) for x in xs], self.config)
        x, mask = self.subsampling(*strip.lay(xs))
        positions = strip.positions(x.device)
        return strip.cut(self._transform(x, mask, positions, strip.attend))

    def _transform(self, x: Tensor, mask: Tensor, positions: Tensor, attend: Attend) -> Tensor:
        x, rotation = self._place(x, positions)
        return self.norm(_through(self.layers, x, mask, attend, rotation))

    def _place(self, x: Tensor, positions: Tensor) -> tuple[Tensor, Tensor | None]:
        """`x` knowing its positions, or the rotation that tells them to attention."""
        if self.config.positions == "sinusoidal":
            x = x * math.sqrt(self.config.d_model)
        placed: tuple[Tensor, Tensor | None] = self.placement(x, positions)
        return placed


def _through(
    layers: Iterable[EncoderLayer], x: Tensor, mask: Tensor, attend: Attend, rotation: Tensor | None
) -> Tensor:
    for layer in layers:
        x = layer(x, mask, attend, rotation)
    return x
