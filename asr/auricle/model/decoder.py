"""The autoregressive decoder: tokens and `encoder_out` -> logits over the next token.

`forward` runs all positions at once (teacher forcing); `step` adds one token to each row of an
explicit cache. Both give the same logits.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from auricle.config import TransformerConfig
from auricle.model.attention import causal_attention, masked_attention
from auricle.model.decoder_cache import StepView
from auricle.model.layers import (
    Attend,
    CrossAttend,
    CrossAttention,
    FeedForward,
    GatedFeedForward,
    SelfAttention,
    layer_norm,
)
from auricle.model.linear import kind_of, linear
from auricle.model.masks import key_padding_mask
from auricle.model.positions import Placement
from auricle.model.rows import Kind, Product, Rows


class DecoderLayer(nn.Module):
    """Pre-norm causal self-attention, cross-attention, feed-forward; each added to x."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        d_model = config.d_model
        self.attention_norm = layer_norm(config)
        self.attention = SelfAttention(d_model, config.n_heads, bias=config.attention_bias)
        self.cross_norm = layer_norm(config)
        self.cross_attention = CrossAttention(d_model, config.n_heads, bias=config.attention_bias)
        self.ffn_norm = layer_norm(config)
        gated = config.decoder_ffn == "swiglu"
        self.ffn = (GatedFeedForward if gated else FeedForward)(d_model, config.ffn_dim)
        self.dropout = nn.Dropout(config.dropout)

    @property
    def onto_residual(self) -> list[nn.Linear]:
        """The projections whose outputs are added to x."""
        return [self.attention.out, self.cross_attention.out, cast(nn.Linear, self.ffn[-1])]

    def forward(
        self, x: Tensor, attend: Attend, rotation: Tensor | None, cross_attend: CrossAttend
    ) -> Tensor:
        """`x (B, U, D) -> (B, U, D)`."""
        x = x + self.dropout(self.attention(self.attention_norm(x), attend, rotation))
        x = x + self.dropout(self.cross_attention(self.cross_norm(x), cross_attend))
        return x + self.dropout(self.ffn(self.ffn_norm(x)))


class KeyValueRecorder:
    """An `Attend` by causal attention that keeps what one hypothesis' layers show it."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.layers: list[Tensor] = []  # keys and values `(2, H, U, D // H)` of each, as `dtype`
        self._dtype = dtype

    def __call__(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """`(1, H, U, D // H)`."""
        kept = torch.cat([key, value]).to(self._dtype)
        self.layers.append(kept)
        attended = causal_attention(query.to(self._dtype), *kept[:, None])
        return attended.to(query.dtype)


def _cross_attend(keys: Tensor, values: Tensor, query: Tensor) -> Tensor:
    """In the numbers of the memory, `(1, H, N, D // H)` each."""
    return F.scaled_dot_product_attention(query.to(keys.dtype), keys, values).to(query.dtype)


class Unembedding(nn.Module):
    """Logits by transposed vectors of the tokens: `(..., D) -> (..., V)`."""

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        self._embedding = (embedding,)  # in a tuple: its weight is the embedding's, not ours
        self._rows = Rows()

    @property
    def kind(self) -> Kind:
        """Equal for layers whose products are computed alike."""
        return kind_of("linear", self.like, None)

    @property
    def like(self) -> Tensor:
        """The tokens' vectors, which have the width, dtype and device of the input."""
        return self._embedding[0].weight

    @property
    def is_coarse(self) -> bool:
        """Whether the logits are rounded to fewer bits than float32 has."""
        return self.like.dtype != torch.float32

    def product(self, x: Tensor) -> Tensor:
        """The product of each vector with each token's."""
        return F.linear(x, self.like)

    def trial(self, weight: Tensor, bias: Tensor | None) -> Product:
        """The product of such a layer that has another weight."""
        return linear(weight, bias)

    def forward(self, x: Tensor) -> Tensor:
        """The product, in inference on a CPU with the same bits for a row in any company."""
        return self._rows.multiply(self, x)


class Decoder(nn.Module):
    """Token embedding, Transformer decoder layers, logits."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        nn.init.normal_(self.embedding.weight, std=config.d_model**-0.5)
        layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.decoder_layers))
        self.layers = cast(Sequence[DecoderLayer], layers)
        self.norm = layer_norm(config)
        self.placement = Placement(config, config.max_tokens)
        if not config.tied:
            self.unembedding = nn.Embedding(config.vocab_size, config.d_model)
        self.output: nn.Module = Unembedding(self.vectors)

    @property
    def vectors(self) -> nn.Embedding:
        """What the output is compared with: the embedding, where they are tied."""
        return self.embedding if self.config.tied else self.unembedding

    def forward(self, tokens: Tensor, encoder_out: Tensor, encoder_out_lens: Tensor) -> Tensor:
        """Logits of the token after each position.

        Args:
            tokens: `(B, U)`, the first one START.
            encoder_out: `(B, N, D)`.
            encoder_out_lens: `(B,)` valid encoder frames.

        Returns:
            `(B, U, V)`.
        """
        mask = key_padding_mask(encoder_out_lens, encoder_out.shape[1])
        remembered = [layer.cross_attention.keys_values(encoder_out) for layer in self.layers]
        cross_attends = [
            partial(masked_attention, key=keys, value=values, mask=mask)
            for keys, values in remembered
        ]
        return self.logits(self.read(tokens, cross_attends))

    def read(
        self,
        tokens: Tensor,
        cross_attends: Sequence[CrossAttend],
        attend: Attend = causal_attention,
    ) -> Tensor:
        """All positions at once, each layer with its own way to attend to the encoder's output.

        Args:
            tokens: `(B, U)`.
            cross_attends: of each layer.
            attend: of all layers, called by one after the other.

        Returns:
            `(B, U, D)`, of which `logits` are those of the token after each position.
        """
        x, rotation = self._embed(tokens, torch.arange(tokens.shape[1], device=tokens.device))
        for layer, cross_attend in zip(self.layers, cross_attends, strict=True):
            x = layer(x, attend, rotation, cross_attend)
        return cast(Tensor, self.norm(x))

    def prefill(self, tokens: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Feed the first tokens of one hypothesis at once, for a cache to go on from.

        Args:
            tokens: `(U,)`.
            memory: `(layers, 2, H, N, D // H)`, as `project_memory` gives it or a cache keeps it.

        Returns:
            `(U, D)`, of which `logits` are those of the token after each position, and the keys
            and values of all layers `(layers, 2, H, U, D // H)`, in the numbers of `memory`.
        """
        cross_attends = [partial(_cross_attend, *layer[:, None]) for layer in memory]
        recorder = KeyValueRecorder(memory.dtype)
        decoder_out = self.read(tokens[None], cross_attends, recorder)
        return decoder_out[0], torch.stack(recorder.layers)

    def project_memory(self, encoder_outs: Sequence[Tensor]) -> list[Tensor]:
        """What the cross-attention remembers of utterances: keys and values, all layers.

        Args:
            encoder_outs: `(N_i, D)` of each.

        Returns:
            `(layers, 2, H, N_i, D // H)` of each, in memory of its own.
        """
        lens = [len(encoder_out) for encoder_out in encoder_outs]
        rows = torch.cat(list(encoder_outs))
        layers = [layer.cross_attention.key_value(rows) for layer in self.layers]  # (N, 2 * D)
        heads = (2, self.config.n_heads, self.config.head_dim)
        split = [layer.unflatten(-1, heads).split(lens) for layer in layers]
        return [
            torch.stack([part.permute(1, 2, 0, 3) for part in parts])  # (N_i, 2, H, D // H) each
            for parts in zip(*split, strict=True)
        ]

    def step(self, tokens: Tensor, view: StepView) -> Tensor:
        """Feed one token to each row of a cache's view, which keeps its keys and values.

        Args:
            tokens: `(B,)`.
            view: of a cache; `positions (B,)`.

        Returns:
            `(B, D)`, of which `logits` are the next token's.
        """
        x, rotation = self._embed(tokens[:, None], view.positions[:, None])
        if rotation is not None:
            rotation = rotation[:, :, None]  # (2, B, 1, 1, R // 2)
        for index, layer in enumerate(self.layers):
            x = layer(x, partial(view.attend, index), rotation, partial(view.cross_attend, index))
        return self.norm(x)[:, 0]

    @property
    def is_coarse(self) -> bool:
        """Whether `logits` are less exact than `logits_of`."""
        return bool(getattr(self.output, "is_coarse", True))

    def logits(self, decoder_out: Tensor) -> Tensor:
        """`(..., D) -> (..., V)`, in the numbers of the model's products."""
        logits: Tensor = self.output(decoder_out)
        return logits

    def logits_of(self, decoder_out: Tensor, tokens: Tensor) -> Tensor:
        """The logits of a few tokens in float32: `(B, D)`, `(B, K) -> (B, K)`."""
        vectors = self.vectors(tokens).float()  # (B, K, D)
        return (vectors * decoder_out[:, None].float()).sum(dim=-1)

    def _embed(self, tokens: Tensor, positions: Tensor) -> tuple[Tensor, Tensor | None]:
        """`tokens (B, U)`, `positions (U,) or (B, U)` -> `x (B, U, D)` and the rotation."""
        x = self.embedding(tokens)
        if self.config.scale_embedding:
            x = x * math.sqrt(self.config.d_model)
        placed: tuple[Tensor, Tensor | None] = self.placement(x, positions)
        return placed
