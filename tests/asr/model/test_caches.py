"""Which cache a decoder gets, and in what groups."""

import copy

import pytest
import torch

from auricle.model import new_cache
from auricle.model.ragged import RaggedCache
from auricle.model.rows import GROUP
from auricle.model.slotted import SlottedCache
from tests.asr.model.slots import some_memory
from tests.asr.tiny import tiny_model

DECODER = tiny_model().decoder


@pytest.mark.parametrize(
    ("dtype", "exact", "group"),
    [
        (torch.float32, False, GROUP),
        (torch.bfloat16, False, GROUP),
        (torch.float32, True, 48),
        (torch.bfloat16, True, 48),
    ],
)
def test_a_cpu_gets_the_ragged_one(dtype: torch.dtype, exact: bool, group: int) -> None:
    decoder = copy.deepcopy(DECODER).to(dtype)
    cache = new_cache(decoder, slots=48, max_frames=33, exact=exact)
    assert isinstance(cache, RaggedCache)
    assert (cache.slots, cache.max_frames, cache.group) == (48, 33, group)
    assert len(cache.rows([5])) == group


@pytest.mark.parametrize(("exact", "rows"), [(False, 16), (True, 40)])
def test_anything_else_gets_the_slotted_one(exact: bool, rows: int) -> None:
    decoder = copy.deepcopy(DECODER).to("meta", torch.bfloat16)  # a device without numbers
    cache = new_cache(decoder, slots=40, max_frames=33, exact=exact)
    assert isinstance(cache, SlottedCache)
    assert (cache.slots, cache.max_frames) == (40, 33)
    assert (cache.kept.device.type, cache.kept.dtype) == ("meta", torch.bfloat16)
    assert len(cache.rows([5])) == rows


def test_an_exact_cache_always_has_all_rows() -> None:
    cache = new_cache(DECODER, slots=7, max_frames=33, exact=True)
    assert {len(cache.rows(range(width))) for width in range(1, 8)} == {16}  # in whole groups


def test_an_exact_cache_has_one_shape_whoever_is_there() -> None:
    """Neither the rows nor the keys depend on company: 700 frames are several blocks."""
    decoder = copy.deepcopy(DECODER).to("meta")
    cache = new_cache(decoder, slots=5, max_frames=700, exact=True)
    assert isinstance(cache, SlottedCache)
    shapes = {cache.view(cache.rows([0])).shape}
    for slot, frames in ((0, 9), (3, 700), (1, 300)):
        memory = some_memory(decoder.config, frames).to("meta")
        cache.open([slot], memory)
        shapes.add(cache.view(cache.rows([slot])).shape)
    for _ in range(300):
        cache.advance([3])
    shapes.add(cache.view(cache.rows([0, 3])).shape)
    assert shapes == {(5, 768, 768)}
