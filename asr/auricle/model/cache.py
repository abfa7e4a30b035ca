"""What the decoder remembers: fixed slots, each with one hypothesis' keys and values."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from auricle.config import TransformerConfig
from auricle.model.attention import exact_attention
from auricle.model.masks import key_padding_mask

BLOCK = 32  # keys; the last columns of a narrower product round differently (AVX-512, float32)


def _whole_blocks(keys: int) -> int:
    return -(-keys // BLOCK) * BLOCK


class DecoderCache:
    """Keys and values of `slots` hypotheses, allocated once.

    Attributes:
        self_keys, self_values: `(layers, slots, H, U, D // H)`, filled up to `lens`.
        cross_keys, cross_values: `(layers, slots, H, N, D // H)`, filled up to `cross_lens`.
        lens, cross_lens: tokens and encoder frames of each slot, on the host.
        is_open: whether a hypothesis lives in the slot; the others compute along unheard.
    """

    def __init__(
        self,
        config: TransformerConfig,
        *,
        slots: int,
        max_tokens: int,
        max_frames: int,
        like: Tensor,
    ) -> None:
        """Room for `slots` hypotheses; device and dtype as those of `like`."""
        room = (config.decoder_layers, slots, config.n_heads)
        self.self_keys = like.new_zeros(*room, _whole_blocks(max_tokens), config.head_dim)
        self.self_values = torch.zeros_like(self.self_keys)
        self.cross_keys = like.new_zeros(*room, _whole_blocks(max_frames), config.head_dim)
        self.cross_values = torch.zeros_like(self.cross_keys)
        self.lens = [0] * slots
        self.cross_lens = [1] * slots  # an empty slot sees one frame of zeros, never none
        self.is_open = [False] * slots

    def open(self, slot: int, keys: Tensor, values: Tensor) -> None:
        """Begin a hypothesis of an utterance: keys and values `(layers, H, N, D // H)`."""
        frames = keys.shape[2]
        self.cross_keys[:, slot, :, :frames] = keys
        self.cross_values[:, slot, :, :frames] = values
        self.lens[slot], self.cross_lens[slot], self.is_open[slot] = 0, frames, True

    def close(self, slot: int) -> None:
        """Free a slot. Its values go: a masked key weighs nothing, but nothing times NaN is NaN."""
        self.self_values[:, slot] = 0.0
        self.cross_values[:, slot] = 0.0
        self.lens[slot], self.cross_lens[slot], self.is_open[slot] = 0, 1, False

    def reorder(self, slots: Sequence[int], sources: Sequence[int]) -> None:
        """Let each of `slots` go on from what one of `sources` holds: beams of one utterance."""
        moves = [(to, source) for to, source in zip(slots, sources, strict=True) if to != source]
        if not moves:
            return
        targets, origins = ([pair[i] for pair in moves] for i in (0, 1))
        used = max(self.lens[source] for source in origins)
        for kept in (self.self_keys, self.self_values):
            kept[:, targets, :, :used] = kept[:, origins, :, :used]
        lens = [self.lens[source] for source in origins]
        for to, length in zip(targets, lens, strict=True):
            self.lens[to] = length

    def advance(self, rows: int) -> None:
        """Count the token that a step wrote to each open one of the first `rows` slots."""
        for slot in range(rows):
            self.lens[slot] += self.is_open[slot]

    def view(self, rows: int) -> "CacheView":
        """The first `rows` slots as a step sees them."""
        return CacheView.of(self, rows)


@dataclass(frozen=True, slots=True)
class CacheView:
    """The first slots of a cache, cut to the longest of them and rounded up to whole blocks."""

    cache: DecoderCache
    positions: Tensor  # (B,) where the next token goes
    self_mask: Tensor  # (B, 1, 1, U)
    cross_mask: Tensor  # (B, 1, 1, N)

    @classmethod
    def of(cls, cache: DecoderCache, rows: int) -> "CacheView":
        """Masks and positions of the first `rows` slots."""
        device = cache.self_keys.device
        positions = torch.tensor(cache.lens[:rows], device=device)
        cross_lens = torch.tensor(cache.cross_lens[:rows], device=device)
        return cls(
            cache,
            positions,
            key_padding_mask(positions + 1, _whole_blocks(max(cache.lens[:rows]) + 1)),
            key_padding_mask(cross_lens, _whole_blocks(max(cache.cross_lens[:rows]))),
        )

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Write one token's keys and values, then attend to all of each slot's."""
        rows, size = len(self.positions), self.self_mask.shape[-1]
        slots = torch.arange(rows, device=query.device)
        keys = self.cache.self_keys[layer, :rows]
        values = self.cache.self_values[layer, :rows]
        keys[slots, :, self.positions] = key[:, :, 0]
        values[slots, :, self.positions] = value[:, :, 0]
        return exact_attention(query, keys[:, :, :size], values[:, :, :size], mask=self.self_mask)

    def memory(self, layer: int) -> tuple[Tensor, Tensor]:
        """The encoder's keys and values `(B, H, N, D // H)` of a layer."""
        rows, frames = self.cross_mask.shape[0], self.cross_mask.shape[-1]
        keys = self.cache.cross_keys[layer, :rows, :, :frames]
        return keys, self.cache.cross_values[layer, :rows, :, :frames]
