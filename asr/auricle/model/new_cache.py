"""Which cache a decoder gets."""

from auricle.model.decoder import Decoder
from auricle.model.decoder_cache import DecoderCache, whole
from auricle.model.gemv import GemvLinear
from auricle.model.ragged import RaggedCache, neighbours_agree
from auricle.model.rows import GROUP
from auricle.model.slotted import BLOCK, SlottedCache


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
            group=slots if exact else GROUP,
            like=like,
            block=whole(max(max_frames, max_tokens or 0), BLOCK) if exact else BLOCK,
        )
    return RaggedCache(
        decoder.config,
        slots=slots,
        max_frames=max_frames,
        max_tokens=max_tokens,
        group=whole(slots, GROUP) if exact else _group(decoder),
        together=not exact and neighbours_agree(decoder.config),
    )


def _group(decoder: Decoder) -> int:
    """Rows to which a step is filled up: none where each has its own product."""
    return 1 if isinstance(decoder.output, GemvLinear) else GROUP
