"""Caches of both kinds, and steps of a decoder over some of their slots: helpers, no tests."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from auricle.config import TransformerConfig
from auricle.model import Decoder, DecoderCache
from auricle.model.ragged import RaggedCache
from auricle.model.slotted import SlottedCache

Kind = Literal["ragged", "slotted"]
KINDS: tuple[Kind, ...] = ("ragged", "slotted")
GROUP = 16


def empty_cache(
    kind: Kind,
    config: TransformerConfig,
    *,
    slots: int = 4,
    max_frames: int = 64,
    group: int = GROUP,
    dtype: torch.dtype = torch.float32,
) -> DecoderCache:
    """As a processor (ragged) or an accelerator (slotted) would have it; both run here."""
    if kind == "ragged":
        return RaggedCache(config, slots=slots, max_frames=max_frames, group=group)
    like = torch.zeros(1, dtype=dtype)
    return SlottedCache(config, slots=slots, max_frames=max_frames, group=group, like=like)


def filled_cache(
    kind: Kind,
    decoder: Decoder,
    encoder_outs: Sequence[Tensor],
    *,
    slots: int = 0,
    max_frames: int = 64,
) -> DecoderCache:
    """A slot for each utterance `(N_i, D)`, and empty ones up to `slots`."""
    weight = decoder.embedding.weight
    few = GROUP if weight.dtype == torch.float32 else 1
    cache = empty_cache(
        kind,
        decoder.config,
        slots=max(slots, len(encoder_outs)),
        max_frames=max_frames,
        group=few if kind == "ragged" else GROUP,
        dtype=weight.dtype,
    )
    for slot, memory in enumerate(decoder.project_memory(encoder_outs)):
        cache.open([slot], memory)
    return cache


def spoil(cache: DecoderCache, value: float) -> None:
    """Put `value` wherever the slots' own keys and values may be."""
    assert isinstance(cache, RaggedCache | SlottedCache)
    cache.kept.fill_(value)


def kept_in(cache: DecoderCache, slot: int) -> Tensor:
    """A slot's own keys and values, room for more included: `(layers, 2, H, U, D // H)`."""
    if isinstance(cache, RaggedCache):
        return cache.kept[:, :, slot]
    assert isinstance(cache, SlottedCache)
    return cache.kept[:, slot]


def step(decoder: Decoder, cache: DecoderCache, fed: Mapping[int, int]) -> Tensor:
    """Feed `{slot: token}`; the logits `(len(fed), V)` of each slot's next token, in that order."""
    slots = list(fed)
    rows = cache.rows(slots)
    view = cache.view(rows)
    tokens = torch.tensor([fed.get(slot, 0) for slot in rows], device=view.positions.device)
    logits = decoder.logits(decoder.step(tokens, view))
    cache.advance(slots)
    return logits[[rows.index(slot) for slot in slots]]


def full_logits(decoder: Decoder, tokens: Tensor, encoder_out: Tensor) -> Tensor:
    """`(U, V)` of one utterance's tokens `(U,)`, without a cache."""
    logits: Tensor = decoder(tokens[None], encoder_out[None], torch.tensor([len(encoder_out)]))
    return logits[0]


def some_memory(config: TransformerConfig, frames: int, value: float | None = None) -> Tensor:
    """`(layers, 2, H, N, D // H)`: random, or all of one value."""
    shape = (config.decoder_layers, 2, config.n_heads, frames, config.head_dim)
    if value is not None:
        return torch.full(shape, value)
    return torch.randn(shape, generator=torch.manual_seed(frames))
