"""The autoregressive decoder: tokens and `encoder_out` -> logits over the next token.

`forward` runs all positions at once (teacher forcing); `step` adds one token to each row of an
explicit `DecoderCache`. Both give the same logits.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from auricle.config import TransformerConfig
from auricle.model.layers import CrossAttention, FeedForward, SelfAttention
from auricle.model.masks import key_padding_mask
from auricle.model.positions import rotary, sinusoids


@dataclass(slots=True)
class DecoderCache:
    """What the decoder remembers of each row. Keys and values are per layer.

    Attributes:
        self_keys, self_values: `(layers, B, H, U, D // H)`, filled up to `lens`.
        cross_keys, cross_values: `(layers, B, H, N, D // H)`, written once an utterance.
        cross_mask: `(B, 1, 1, N)`, true at real encoder frames.
        lens: `(B,)` tokens seen so far by each row.
    """

    self_keys: Tensor
    self_values: Tensor
    cross_keys: Tensor
    cross_values: Tensor
    cross_mask: Tensor
    lens: Tensor

    def select(self, rows: Tensor) -> "DecoderCache":
        """The cache of `rows (B',)` in that order, repeats allowed: reorders beams, drops rows."""
        return DecoderCache(
            self.self_keys[:, rows],
            self.self_values[:, rows],
            self.cross_keys[:, rows],
            self.cross_values[:, rows],
            self.cross_mask[rows],
            self.lens[rows],
        )

    def append(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Write one token's `key, value (B, H, 1, D // H)`; return the layer's keys and values."""
        rows = torch.arange(key.shape[0], device=key.device)
        self.self_keys[layer, rows, :, self.lens] = key[:, :, 0]
        self.self_values[layer, rows, :, self.lens] = value[:, :, 0]
        return self.self_keys[layer], self.self_values[layer]


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
        self, x: Tensor, encoder_out: Tensor, cross_mask: Tensor, rotation: Tensor | None
    ) -> Tensor:
        """All positions at once: `x (B, U, D)`, `encoder_out (B, N, D)` -> `(B, U, D)`."""
        attended = self.attention(self.attention_norm(x), causal=True, rotation=rotation)
        x = x + self.dropout(attended)
        return self._cross_and_ffn(x, *self.cross_attention.keys_values(encoder_out), cross_mask)

    def step(
        self, x: Tensor, cache: DecoderCache, layer: int, mask: Tensor, rotation: Tensor | None
    ) -> Tensor:
        """One position: `x (B, 1, D) -> (B, 1, D)`, its keys and values added to the cache."""
        query, key, value = self.attention.project(self.attention_norm(x), rotation)
        keys, values = cache.append(layer, key, value)
        x = x + self.attention.attend(query, keys, values, mask)
        return self._cross_and_ffn(
            x, cache.cross_keys[layer], cache.cross_values[layer], cache.cross_mask
        )

    def _cross_and_ffn(self, x: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        x = x + self.dropout(self.cross_attention(self.cross_norm(x), key, value, mask))
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
        positions = torch.arange(tokens.shape[1], device=tokens.device)
        x, rotation = self._embed(tokens, positions)
        mask = key_padding_mask(encoder_out_lens, encoder_out.shape[1])
        for layer in self.layers:
            x = layer(x, encoder_out, mask, rotation)
        return self._logits(x)

    def start(self, encoder_out: Tensor, encoder_out_lens: Tensor, max_tokens: int) -> DecoderCache:
        """An empty cache for `encoder_out (B, N, D)` with room for `max_tokens` a row."""
        pairs = [layer.cross_attention.keys_values(encoder_out) for layer in self.layers]
        batch, heads, _, width = pairs[0][0].shape
        room = (len(self.layers), batch, heads, max_tokens, width)
        return DecoderCache(
            self_keys=encoder_out.new_zeros(room),
            self_values=encoder_out.new_zeros(room),
            cross_keys=torch.stack([key for key, _ in pairs]),
            cross_values=torch.stack([value for _, value in pairs]),
            cross_mask=key_padding_mask(encoder_out_lens, encoder_out.shape[1]),
            lens=torch.zeros(batch, dtype=torch.long, device=encoder_out.device),
        )

    def step(self, tokens: Tensor, cache: DecoderCache) -> Tensor:
        """Feed one token a row, `tokens (B,)`; return the next one's logits `(B, V)`."""
        x, rotation = self._embed(tokens[:, None], cache.lens[:, None])
        if rotation is not None:
            rotation = rotation[:, :, None]  # (2, B, 1, 1, head_dim // 2)
        mask = key_padding_mask(cache.lens + 1, cache.self_keys.shape[3])
        for index, layer in enumerate(self.layers):
            x = layer.step(x, cache, index, mask, rotation)
        cache.lens += 1
        return self._logits(x)[:, 0]

    def _embed(self, tokens: Tensor, positions: Tensor) -> tuple[Tensor, Tensor | None]:
        """`tokens (B, U)`, `positions (U,) or (B, U)` -> `x (B, U, D)` and the rotation."""
        x = self.embedding(tokens) * math.sqrt(self.config.d_model)
        if self.config.positions == "rotary":
            return x, rotary(positions, self.config.head_dim)
        return x + sinusoids(positions, self.config.d_model).to(x.dtype), None

    def _logits(self, x: Tensor) -> Tensor:
        return nn.functional.linear(self.norm(x), self.embedding.weight)  # (B, U, V)
