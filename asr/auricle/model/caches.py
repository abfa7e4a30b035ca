"""Which cache a decoder gets."""

import torch

from auricle.model.cache import DecoderCache, whole
from auricle.model.decoder import Decoder
from auricle.model.ragged import RaggedCache
from auricle.model.slotted import BLOCK, SlottedCache
from auricle.model.strip import MIN_ROWS

_GROUP = 16  # slots that an accelerator computes together


def new_cache(
    decoder: Decoder,
    *,
    slots: int,
    max_frames: int,
    max_tokens: int | None = None,
    exact: bool = False,
) -> DecoderCache:
    """Room for `slots` hypotheses of `max_frames` encoder frames and `max_tokens` tokens each.

    There are as many tokens as frames where nothing is said of them.

    When `exact`, every step computes all slots, and all keys where it pads, so that no shape
    depends on who is there.
    """
    like = decoder.embedding.weight
    if like.device.type != "cpu":
        return SlottedCache(
            decoder.config,
            slots=slots,
            max_frames=max_frames,
            max_tokens=max_tokens,
            group=slots if exact else _GROUP,
            like=like,
            block=whole(max(max_frames, max_tokens or 0), BLOCK) if exact else BLOCK,
        )
    few = MIN_ROWS if like.dtype == torch.float32 else 1
    return RaggedCache(
        decoder.config,
        slots=slots,
        max_frames=max_frames,
        max_tokens=max_tokens,
        group=whole(slots, MIN_ROWS) if exact else few,
        together=not exact,
    )
