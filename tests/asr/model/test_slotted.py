"""The cache of accelerators, here on the CPU: whole blocks, whole groups, and masks."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from auricle.model.slotted import BLOCK, SlottedCache
from tests.asr.model.slots import KINDS, filled_cache, some_memory, step
from tests.asr.tiny import VOCAB_SIZE, Positions, tiny_model, utterances

CONFIG = tiny_model().config.transformer


def cache_of(slots: int = 4, *, max_frames: int = 200, group: int = 4) -> SlottedCache:
    like = torch.zeros(1)
    return SlottedCache(CONFIG, slots=slots, max_frames=max_frames, group=group, like=like)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_there_is_room_for_whole_groups_and_blocks(dtype: torch.dtype) -> None:
    like = torch.zeros(1, dtype=dtype)
    cache = SlottedCache(CONFIG, slots=5, max_frames=BLOCK + 1, group=4, like=like)
    expected = (CONFIG.decoder_layers, 8, 2, CONFIG.n_heads, 2 * BLOCK, CONFIG.head_dim)
    assert cache.kept.shape == cache.memories.shape == expected
    assert cache.kept.dtype == cache.memories.dtype == dtype
    assert (cache.slots, cache.max_frames) == (5, BLOCK + 1)  # what others may count on


def test_a_slot_opens_and_closes() -> None:
    cache, memory = cache_of(), some_memory(CONFIG, 20)
    cache.open([2], memory)
    assert (cache.lens, cache.cross_lens) == ([0] * 4, [1, 1, 20, 1])
    assert torch.equal(cache.memories[:, 2, :, :, :20], memory)
    assert not cache.memories[:, [0, 1, 3]].any()
    cache.kept[:, 2] = torch.nan
    cache.close([2])
    assert (cache.lens, cache.cross_lens) == ([0] * 4, [1] * 4)
    assert not cache.kept.any()
    assert not cache.memories.any()


@given(st.lists(st.integers(0, 63), min_size=1, max_size=9, unique=True), st.integers(1, 64))
def test_rows_are_all_slots_up_to_the_last_open_one_in_groups(slots: list[int], group: int) -> None:
    cache = cache_of(64, max_frames=1, group=group)
    rows = cache.rows(slots)
    assert rows == list(range(len(rows)))
    assert len(rows) % group == 0
    assert max(slots) < len(rows) <= max(slots) + group
    assert len(rows) <= len(cache.lens)  # the last group is whole


def test_a_view_reaches_to_the_longest_slot_in_whole_blocks() -> None:
    cache = cache_of()
    cache.open([0], some_memory(CONFIG, 5))
    cache.open([1], some_memory(CONFIG, BLOCK + 1))
    for _ in range(BLOCK - 1):
        cache.advance([0])
    view = cache.view([0])
    assert (view.positions.tolist(), view.cross_lens.tolist()) == ([BLOCK - 1], [5])
    assert view.shape == (1, BLOCK, BLOCK)  # the token that comes is the block's last
    assert cache.view(range(4)).shape == (4, BLOCK, 2 * BLOCK)
    cache.advance([0])
    assert cache.view(range(4)).shape == (4, 2 * BLOCK, 2 * BLOCK)
    assert cache.view(range(4)).positions.tolist() == [BLOCK, 0, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 15), st.integers(1, 300)), min_size=1, max_size=6))
def test_with_one_group_and_one_block_of_all_no_shape_depends_on_company(
    company: list[tuple[int, int]],
) -> None:
    cache = SlottedCache(CONFIG, slots=16, max_frames=300, group=16, like=torch.zeros(1), block=300)
    for slot, frames in company:
        cache.open([slot], some_memory(CONFIG, frames))
        cache.lens[slot] = frames - 1
        assert cache.view(cache.rows([slot])).shape == (16, 300, 300)


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_it_gives_what_the_ragged_one_gives(positions: Positions) -> None:
    """Six utterances of all lengths; the steps cross the border of a block."""
    model = tiny_model(positions)
    outs, decoder = model.encoder.encode(utterances(model.config)), model.decoder
    ragged, slotted = (filled_cache(kind, decoder, outs, max_frames=200) for kind in KINDS)
    tokens = torch.randint(4, VOCAB_SIZE, (BLOCK + 9, 6), generator=torch.manual_seed(0))
    for row in tokens.tolist():
        expected = step(decoder, ragged, dict(enumerate(row)))
        found = step(decoder, slotted, dict(enumerate(row)))
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def attended(cache: SlottedCache, garbage: float) -> tuple[Tensor, Tensor]:
    """A step over two slots of four, `garbage` behind all ends."""
    cache.kept.fill_(garbage)
    cache.memories.fill_(garbage)
    for slot, frames in ((0, 5), (3, BLOCK + 9)):
        cache.open([slot], some_memory(CONFIG, frames))
        cache.kept[:, slot, :, :, :7] = some_memory(CONFIG, 7)
        cache.lens[slot] = 7
    view = cache.view(cache.rows([0, 3]))
    query, key, value = torch.randn(
        3, 4, CONFIG.n_heads, 1, CONFIG.head_dim, generator=torch.manual_seed(0)
    )
    return view.attend(1, query, key, value)[[0, 3]], view.cross_attend(1, query)[[0, 3]]


@pytest.mark.parametrize("garbage", [1e4, -1e4, 1e30])
def test_masks_hide_what_lies_behind_the_ends(garbage: float) -> None:
    for clean, spoilt in zip(attended(cache_of(), 0.0), attended(cache_of(), garbage), strict=True):
        torch.testing.assert_close(spoilt, clean, atol=1e-6, rtol=0)


def test_a_step_keeps_a_token_in_its_slots_and_layer_only() -> None:
    cache = cache_of()
    cache.open([1], some_memory(CONFIG, 5))
    cache.lens[1] = 3
    key, value = torch.full((2, 4, CONFIG.n_heads, 1, CONFIG.head_dim), 6.0)
    cache.view(cache.rows([1])).attend(1, key, key, value)
    written = cache.kept.abs().sum(dim=(2, 3, 5))  # (layers, slots, U)
    assert written.nonzero().tolist() == [[1, 0, 0], [1, 1, 3], [1, 2, 0], [1, 3, 0]]
