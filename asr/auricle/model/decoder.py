"""The autoregressive decoder: tokens and `encoder_out` -> logits over the next token.

`forward` runs all positions at once (teacher forcing); `step` adds one token to each of the first
slots of an explicit `DecoderCache`. Both give the same logits.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn

from auricle.config import TransformerConfig
from auricle.model.attention import causal_attention, exact_attention, masked_attention
from auricle.model.cache import DecoderCache
from auricle.model.layers import Attend, CrossAttention, FeedForward, SelfAttention
from auricle.model.masks import key_padding_mask
from auricle.model.positions import rotary, sinusoids
from auricle.model.strip import MIN_ROWS


class DecoderLayer(nn.Module):
    """Pre-norm causal self-attention, cross-attention, feed-forward; each added to x."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        d_model = config.d_model
        self.attention_norm = nn.LayerNorm(d_model)
        self.attention = SelfAttention(d_model, config.n_heads)
        self.cross_norm = nn.LayerNorm(d_model)
        self.cross_attention = CrossAttention(d_model, config.n_heads)
        self.ffn_norm = nn.LayerNorm(d_model)
        self.ffn = FeedForward(d_model, config.ffn_dim)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        attend: Attend,
        rotation: Tensor | None,
        memory: tuple[Tensor, Tensor],
        cross_attend: Attend,
    ) -> Tensor:
        """`x (B, U, D) -> (B, U, D)`; `memory` is the encoder's keys and values."""
        x = x + self.dropout(self.attention(self.attention_norm(x), attend, rotation))
        x = x + self.dropout(self.cross_attention(self.cross_norm(x), *memory, cross_attend))
        return x + self.dropout(self.ffn(self.ffn_norm(x)))


class Decoder(nn.Module):
    """Token embedding (tied to the output), Transformer decoder layers, logits."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        nn.init.normal_(self.embedding.weight, std=config.d_model**-0.5)
        layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.decoder_layers))
        self.layers = cast(Sequence[DecoderLayer], layers)
        self.norm = nn.LayerNorm(config.d_model)

    def forward(self, tokens: Tensor, encoder_out: Tensor, encoder_out_lens: Tensor) -> Tensor:
        """Logits of the token after each position.

        Args:
            tokens: `(B, U)`, the first one START.
            encoder_out: `(B, N, D)`.
            encoder_out_lens: `(B,)` valid encoder frames.

        Returns:
            `(B, U, V)`.
        """
        x, rotation = self._embed(tokens, torch.arange(tokens.shape[1], device=tokens.device))
        mask = key_padding_mask(encoder_out_lens, encoder_out.shape[1])
        cross_attend = partial(masked_attention, mask=mask)
        for layer in self.layers:
            memory = layer.cross_attention.keys_values(encoder_out)
            x = layer(x, causal_attention, rotation, memory, cross_attend)
        return self._logits(x)

    def memorise(self, encoder_out: Tensor) -> tuple[Tensor, Tensor]:
        """The cross-attention's keys and values of one utterance, all layers.

        Args:
            encoder_out: `(N, D)`.

        Returns:
            Two tensors `(layers, H, N, D // H)`.
        """
        rows = nn.functional.pad(encoder_out, (0, 0, 0, max(0, MIN_ROWS - len(encoder_out))))
        pairs = [layer.cross_attention.keys_values(rows[None]) for layer in self.layers]
        keys, values = (torch.cat(parts) for parts in zip(*pairs, strict=True))
        return keys[:, :, : len(encoder_out)], values[:, :, : len(encoder_out)]

    def step(self, tokens: Tensor, cache: DecoderCache) -> Tensor:
        """Feed one token to each of the first `B` slots; return the next one's logits.

        Args:
            tokens: `(B,)`.
            cache: with at least `B` slots; their keys, values and lengths grow by one.

        Returns:
            `(B, V)`.
        """
        view = cache.view(len(tokens))
        x, rotation = self._embed(tokens[:, None], view.positions[:, None])
        if rotation is not None:
            rotation = rotation[:, :, None]  # (2, B, 1, 1, head_dim // 2)
        cross_attend = partial(exact_attention, mask=view.cross_mask)
        for index, layer in enumerate(self.layers):
            attend = partial(view.attend, index)
            x = layer(x, attend, rotation, view.memory(index), cross_attend)
        cache.advance(len(tokens))
        return self._logits(x)[:, 0]

    def _embed(self, tokens: Tensor, positions: Tensor) -> tuple[Tensor, Tensor | None]:
        """`tokens (B, U)`, `positions (U,) or (B, U)` -> `x (B, U, D)` and the rotation."""
        x = self.embedding(tokens) * math.sqrt(self.config.d_model)
        if self.config.positions == "rotary":
            return x, rotary(positions, self.config.head_dim)
        return x + sinusoids(positions, self.config.d_model).to(x.dtype), None

    def _logits(self, x: Tensor) -> Tensor:
        return nn.functional.linear(self.norm(x), self.embedding.weight)  # (B, U, V)
