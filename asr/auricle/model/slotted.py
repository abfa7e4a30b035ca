"""The decoder's cache on an accelerator: every slot as wide as the longest, and masks.

All shapes come from a short list, so that a step can be recorded once for each of them and replayed
(`auricle.model.graphs`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from auricle.config import TransformerConfig
from auricle.model.attention import masked_attention
from auricle.model.decoder_cache import whole
from auricle.model.masks import key_padding_mask

BLOCK = 128  # keys


class SlottedCache:
    """`DecoderCache` for accelerators.

    Attributes:
        slots: how many there are.
        max_frames: encoder frames that one may remember.
        lens, cross_lens: tokens and encoder frames of each slot, on the host.
        kept: `(layers, slots, 2, H, U, D // H)`, each slot's own keys and values up to its length.
        memories: `(layers, slots, 2, H, N, D // H)`, the encoder's.
    """

    def __init__(
        self,
        config: TransformerConfig,
        *,
        slots: int,
        max_frames: int,
        group: int,
        like: Tensor,
        block: int = BLOCK,
        max_tokens: int | None = None,
    ) -> None:
        """Room for `slots` hypotheses of `max_frames` encoder frames and `max_tokens` tokens each.

        There are as many tokens as frames by default. A step computes whole groups of slots, and
        keys in one of a few sizes from a block to all the room. Device and dtype are those of
        `like`.
        """
        self.slots, self.max_frames = slots, max_frames
        slots = whole(slots, group)
        room = (config.decoder_layers, slots, 2, config.n_heads)
        self.kept = like.new_zeros(*room, whole(max_tokens or max_frames, block), config.head_dim)
        self.memories = like.new_zeros(*room, whole(max_frames, block), config.head_dim)
        self.lens = [0] * slots
        self.cross_lens = [1] * slots  # an empty slot sees one frame of zeros, never none
        self.group, self.block = group, block

    def open(self, slots: Sequence[int], memory: Tensor) -> None:
        """Begin hypotheses, each with a copy of the memory `(layers, 2, H, N, D // H)`."""
        frames = memory.shape[3]
        for slot in slots:
            self.memories[:, slot, :, :, :frames] = memory
            self.lens[slot], self.cross_lens[slot] = 0, frames

    def close(self, slots: Sequence[int]) -> None:
        """Forget what the slots held: a masked key weighs nothing, but nothing times NaN is NaN."""
        for slot in slots:
            self.kept[:, slot] = 0.0
            self.memories[:, slot] = 0.0
            self.lens[slot], self.cross_lens[slot] = 0, 1

    def copy(self, source: int, target: int) -> None:
        """Let the hypothesis in `target` go on from the tokens of `source`."""
        used = self.lens[source]
        self.kept[:, target, :, :, :used] = self.kept[:, source, :, :, :used]
        self.lens[target] = used

    @property
    def device(self) -> torch.device:
        """The device on which the cache lies."""
        return self.kept.device

    def rewind(self, slots: Sequence[int]) -> None:
        """Begin the slots' hypotheses anew."""
        for slot in slots:
            self.lens[slot] = 0

    def memory(self, slot: int) -> Tensor:
        """What an open slot remembers of the encoder: `(layers, 2, H, N, D // H)`."""
        return self.memories[:, slot, :, :, : self.cross_lens[slot]]

    def fill(self, slot: int, kept: Tensor) -> None:
        """Let a slot hold the keys and values of its first tokens."""
        self.lens[slot] = kept.shape[3]
        self.kept[:, slot, :, :, : self.lens[slot]] = kept

    def rows(self, slots: Sequence[int]) -> list[int]:
        """All slots up to the last open one, in whole groups."""
        return list(range(whole(max(slots) + 1, self.group)))

    def view(self, rows: Sequence[int]) -> "SlottedView":
        """What a step of these rows sees: the first `len(rows)` slots."""
        lens, cross_lens = (each[: len(rows)] for each in (self.lens, self.cross_lens))
        device = self.kept.device
        return SlottedView(
            self,
            torch.tensor(lens, device=device),
            torch.tensor(cross_lens, device=device),
            self._size(max(lens) + 1, self.kept),
            self._size(max(cross_lens), self.memories),
        )

    def bytes_of(self, frames: int) -> int:
        """Return 0: the slots reserve all that they will need."""
        return 0

    def _size(self, keys: int, room: Tensor) -> int:
        """The least of a short list that suffices: a block, doubled and doubled, all the room."""
        size = self.block
        while size < keys:
            size *= 2
        return min(size, room.shape[4])

    def advance(self, slots: Sequence[int]) -> None:
        """Count the token that a step has kept in each slot."""
        for slot in slots:
            self.lens[slot] += 1


@dataclass(frozen=True, slots=True)
class SlottedView:
    """`StepView` of a `SlottedCache`: two tensors and two sizes."""

    cache: SlottedCache
    positions: Tensor  # (B,) where each row's token goes
    cross_lens: Tensor  # (B,) frames that each row may see
    tokens: int  # keys of tokens that are computed, masked ones included
    frames: int  # keys of frames

    @property
    def shape(self) -> tuple[int, int, int]:
        """Rows, tokens, frames: equal for views that the same recording serves."""
        return len(self.positions), self.tokens, self.frames

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Keep one token's keys and values; attend to all of the row's: `(B, H, 1, D // H)`."""
        kept = self.cache.kept[layer, : len(self.positions)]
        rows = torch.arange(len(self.positions), device=query.device)
        kept[rows, :, :, self.positions] = torch.cat([key, value], dim=2).transpose(1, 2)
        mask = key_padding_mask(self.positions + 1, self.tokens)
        keys, values = kept[:, :, :, : self.tokens].unbind(dim=1)
        return masked_attention(query, keys, values, mask=mask)

    def cross_attend(self, layer: int, query: Tensor) -> Tensor:
        """Attend to what the row's slot remembers of the encoder: `(B, H, 1, D // H)`."""
        memory = self.cache.memories[layer, : len(self.positions), :, :, : self.frames]
        keys, values = memory.unbind(dim=1)
        return masked_attention(
            query, keys, values, mask=key_padding_mask(self.cross_lens, self.frames)
        )
