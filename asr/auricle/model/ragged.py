"""The decoder's cache on a CPU: linear layers over all rows at once, attention each for itself.

Each row attends at its own length, so nothing is spent on padding, and its numbers cannot depend
on who else is there; neighbours of one length go through one call, each a product of its own. Keys
and values are float32, for which one query meets them at the speed of the memory; in bfloat16
torch's products of one row compute, and take longer.
"""

import logging
import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby, product

import numpy as np
import torch
from torch import Tensor

from auricle.config import TransformerConfig
from auricle.model.decoder_cache import whole

IDLE = -1  # a row without a slot
_ALIGNMENT = 64  # bytes
_CHECKED_TOKENS, _CHECKED_ROWS = (1, 2, 7, 16, 33, 100, 447), (2, 5, 16)
_Memory = list[tuple[Tensor, Tensor]]  # of each layer: (H, D // H, N), (H, N, D // H)

logger = logging.getLogger(__name__)


class RaggedCache:
    """`DecoderCache` for CPUs.

    Attributes:
        slots: how many there are.
        max_frames: encoder frames that one may remember.
        lens: tokens in each slot.
        kept: `(layers, 2, slots, H, U, D // H)`, each slot's own keys and values up to its length.
    """

    def __init__(
        self,
        config: TransformerConfig,
        *,
        slots: int,
        max_frames: int,
        max_tokens: int | None = None,
        group: int = 1,
        together: bool = True,
    ) -> None:
        """Room for `slots` hypotheses of `max_frames` encoder frames and `max_tokens` tokens each.

        There are as many tokens as frames by default. A step computes whole groups of rows.
        Neighbours attend `together`, or each in a call of its own.
        """
        heads = (config.n_heads, max_tokens or max_frames, config.head_dim)
        self.slots, self.max_frames = slots, max_frames
        self.kept = _unused(config.decoder_layers, 2, slots, *heads)
        self.lens = [0] * slots
        self.memories: list[_Memory] = [[] for _ in range(slots)]
        self.group, self.together = group, together

    def open(self, slots: Sequence[int], memory: Tensor) -> None:
        """Begin hypotheses of one utterance that share its memory `(layers, 2, H, N, D // H)`.

        Keys lie by dimension: few queries meet many of them in half the time.
        """
        layers = [(_own(keys.transpose(1, 2)), _own(values)) for keys, values in memory]
        for slot in slots:
            self.lens[slot], self.memories[slot] = 0, layers

    def close(self, slots: Sequence[int]) -> None:
        """Forget what the slots held."""
        for slot in slots:
            self.lens[slot], self.memories[slot] = 0, []

    def copy(self, source: int, target: int) -> None:
        """Let the hypothesis in `target` go on from the tokens of `source`."""
        used = self.lens[source]
        self.kept[:, :, target, :, :used] = self.kept[:, :, source, :, :used]
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
        layers = self.memories[slot]
        return torch.stack([torch.stack([keys.transpose(1, 2), values]) for keys, values in layers])

    def fill(self, slot: int, kept: Tensor) -> None:
        """Let a slot hold the keys and values of its first tokens."""
        self.lens[slot] = kept.shape[3]
        self.kept[:, :, slot, :, : self.lens[slot]] = kept

    def rows(self, slots: Sequence[int]) -> list[int]:
        """The open slots by utterance and in order, filled up with idle rows to whole groups.

        How many rows meet an utterance's memory at once decides about their last bits.
        """
        utterances: dict[int, list[int]] = {}
        for slot in slots:
            utterances.setdefault(id(self.memories[slot]), []).append(slot)
        rows = [slot for each in utterances.values() for slot in sorted(each)]
        return [*rows, *[IDLE] * (whole(len(rows), self.group) - len(rows))]

    def view(self, rows: Sequence[int]) -> "RaggedView":
        """What a step of these rows sees."""
        return RaggedView(self, rows)

    def bytes_of(self, frames: int) -> int:
        """What an utterance's memory of so many encoder frames takes."""
        layers, _, _, heads, _, width = self.kept.shape
        return layers * 2 * heads * frames * width * self.kept.element_size()

    def advance(self, slots: Sequence[int]) -> None:
        """Count the token that a step has kept in each slot."""
        for slot in slots:
            self.lens[slot] += 1


class RaggedView:
    """`StepView` of a `RaggedCache`."""

    def __init__(self, cache: RaggedCache, rows: Sequence[int]) -> None:
        self._cache = cache
        self._slots = [slot for slot in rows if slot != IDLE]
        lens = [cache.lens[slot] for slot in self._slots]
        self.positions = torch.tensor(lens + [0] * (len(rows) - len(lens)))
        written = self.positions[: len(lens)]
        self._at = (slice(None), torch.tensor(self._slots), slice(None), written)
        self._neighbours = list(_neighbours(self._slots, lens, together=cache.together))
        self._utterances = _runs([cache.memories[slot] for slot in self._slots])

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Keep one token's keys and values; attend to all of the row's: `(B, H, 1, D // H)`."""
        kept, count = self._cache.kept[layer], len(self._slots)
        kept[self._at] = torch.cat([key, value], dim=2)[:count].transpose(1, 2).float()
        query, attended = _scaled(query), torch.zeros(query.shape)
        for rows, slots, end in self._neighbours:
            keys, values = kept[:, slots, :, :end].flatten(1, 2)  # (W * H, U, D // H)
            each = _attended(query[rows].flatten(0, 1), keys, values)
            attended[rows] = each.unflatten(0, (-1, query.shape[1]))
        return attended.to(value.dtype)

    def cross_attend(self, layer: int, query: Tensor) -> Tensor:
        """Attend to what the row's slot remembers of the encoder: `(B, H, 1, D // H)`."""
        queries = _scaled(query)[:, :, 0].transpose(0, 1)  # (H, B, D // H)
        attended = torch.zeros(queries.shape)
        start = 0
        for memory, width in self._utterances:
            keys, values = memory[layer]
            scores = torch.bmm(queries.narrow(1, start, width), keys)  # (H, width, N)
            attended[:, start : start + width] = torch.bmm(scores.softmax(dim=-1), values)
            start += width
        return attended.transpose(0, 1)[:, :, None].to(query.dtype)


def neighbours_agree(config: TransformerConfig) -> bool:
    """Whether a row that attends in one call with its neighbours has the bits that it has alone."""
    return _neighbours_agree(config.n_heads, config.head_dim, torch.get_num_threads())


@cache
def _neighbours_agree(n_heads: int, head_dim: int, _threads: int) -> bool:
    generator = torch.Generator().manual_seed(0)
    for tokens, rows in product(_CHECKED_TOKENS, _CHECKED_ROWS):
        query = torch.randn(n_heads, 1, head_dim, generator=generator)
        keys = torch.randn(n_heads, tokens, head_dim, generator=generator)
        alone = _attended(query, keys, keys)
        together = _attended(*(x.repeat(rows, 1, 1) for x in (query, keys, keys)))
        if not torch.equal(together, alone.repeat(rows, 1, 1)):
            logger.info("attention of %d heads of %d: each row by itself", n_heads, head_dim)
            return False
    return True


def _attended(query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """`(W * H, 1, D // H)` of rows side by side, whose keys and values are as long."""
    return torch.bmm(torch.bmm(query, keys.transpose(1, 2)).softmax(dim=-1), values)


def _unused(*shape: int) -> Tensor:
    """Zeros whose memory is taken only where they are written: torch's own is taken at once.

    Aligned as torch's: other addresses could round in another way.
    """
    size, spare = math.prod(shape), _ALIGNMENT // 4
    room = torch.from_numpy(np.zeros(size + spare, np.float32))
    start = -room.data_ptr() % _ALIGNMENT // 4
    return room[start : start + size].view(shape)


def _own(x: Tensor) -> Tensor:
    return x.to(torch.float32, memory_format=torch.contiguous_format, copy=True)


def _runs(memories: Sequence[_Memory]) -> list[tuple[_Memory, int]]:
    """Each utterance's memory, and how many neighbouring rows share it."""
    runs = [list(run) for _, run in groupby(memories, key=id)]
    return [(run[0], len(run)) for run in runs]


def _neighbours(
    slots: Sequence[int], lens: Sequence[int], *, together: bool
) -> Iterator[tuple[slice, slice, int]]:
    """Rows whose slots lie side by side and hold as much: rows, slots, tokens with the new one."""
    begin = 0
    for row in range(1, len(slots) + 1):
        ends = row == len(slots) or not together
        if ends or slots[row] != slots[row - 1] + 1 or lens[row] != lens[begin]:
            first = slots[begin]
            yield slice(begin, row), slice(first, first + row - begin), lens[begin] + 1
            begin = row


def _scaled(query: Tensor) -> Tensor:
    return query.float() / math.sqrt(query.shape[-1])
