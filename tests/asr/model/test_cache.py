"""The cache by itself: who is in a slot, who was, and who goes on from whom."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from auricle.model import Decoder, DecoderCache
from auricle.model.attention import exact_attention, masked_attention
from auricle.model.cache import BLOCK
from auricle.model.masks import key_padding_mask
from tests.asr.tiny import VOCAB_SIZE, Positions, filled_cache, tiny_model, utterances

TOKENS = 9


def encoder_outs(positions: Positions = "rotary", count: int = 3) -> list[Tensor]:
    """`(N, D)` of the first sounds: 25, 10 and 53 frames."""
    model = tiny_model(positions)
    return model.encoder.encode(utterances(model.config))[:count]


def some_tokens(rows: int = 3) -> Tensor:
    return torch.randint(4, VOCAB_SIZE, (rows, TOKENS), generator=torch.manual_seed(0))


def full_logits(decoder: Decoder, tokens: Tensor, encoder_out: Tensor) -> Tensor:
    """`(U, V)` of one utterance's tokens `(U,)`, without a cache."""
    logits: Tensor = decoder(tokens[None], encoder_out[None], torch.tensor([len(encoder_out)]))
    return logits[0]


def small_cache(slots: int = 4) -> DecoderCache:
    config = tiny_model().config.transformer
    return DecoderCache(config, slots=slots, max_tokens=40, max_frames=33, like=torch.zeros(1))


def memory(frames: int, value: float = 1.0) -> Tensor:
    """Keys or values `(layers, H, N, D // H)`."""
    config = tiny_model().config.transformer
    return torch.full((config.decoder_layers, config.n_heads, frames, config.head_dim), value)


def test_a_cache_has_whole_blocks() -> None:
    cache = small_cache()
    config = tiny_model().config.transformer
    assert cache.self_keys.shape == (2, 4, 2, 2 * BLOCK, config.head_dim)
    assert cache.cross_values.shape == (2, 4, 2, 2 * BLOCK, config.head_dim)
    half = DecoderCache(
        config, slots=1, max_tokens=1, max_frames=1, like=torch.zeros(1, dtype=torch.bfloat16)
    )
    assert half.self_keys.dtype == half.cross_keys.dtype == torch.bfloat16
    assert half.self_keys.shape[3] == BLOCK


def test_a_slot_opens_and_closes() -> None:
    cache = small_cache()
    assert cache.is_open == [False] * 4
    cache.open(2, memory(20, 3.0), memory(20, 4.0))
    assert cache.is_open == [False, False, True, False]
    assert (cache.lens, cache.cross_lens) == ([0] * 4, [1, 1, 20, 1])
    assert torch.equal(cache.cross_keys[:, 2, :, :20], memory(20, 3.0))
    assert torch.equal(cache.cross_values[:, 2, :, :20], memory(20, 4.0))
    assert not cache.cross_values[:, [0, 1, 3]].any()
    cache.self_values[:, 2] = 5.0
    cache.close(2)
    assert cache.is_open == [False] * 4
    assert (cache.lens, cache.cross_lens) == ([0] * 4, [1] * 4)
    assert not cache.self_values.any()
    assert not cache.cross_values.any()


def test_only_open_slots_grow() -> None:
    cache = small_cache()
    cache.open(0, memory(5), memory(5))
    cache.open(2, memory(6), memory(6))
    cache.advance(2)
    assert cache.lens == [1, 0, 0, 0]
    cache.advance(4)
    assert cache.lens == [2, 0, 1, 0]
    cache.open(0, memory(7), memory(7))
    assert cache.lens == [0, 0, 1, 0]


def test_a_view_reaches_to_the_longest_slot_in_whole_blocks() -> None:
    cache = small_cache()
    cache.open(0, memory(5), memory(5))
    cache.open(1, memory(33), memory(33))
    for _ in range(BLOCK - 1):
        cache.advance(1)
    view = cache.view(1)
    assert view.positions.tolist() == [BLOCK - 1]
    assert view.self_mask.shape == (1, 1, 1, BLOCK)
    assert view.self_mask.all()  # the token that comes is the block's last
    assert view.cross_mask.shape == (1, 1, 1, BLOCK)
    assert view.cross_mask.sum() == 5
    cache.advance(1)
    view = cache.view(3)
    assert view.self_mask.shape == (3, 1, 1, 2 * BLOCK)
    assert view.self_mask.sum(dim=-1).flatten().tolist() == [BLOCK + 1, 1, 1]
    assert view.cross_mask.shape == (3, 1, 1, 2 * BLOCK)
    assert view.cross_mask.sum(dim=-1).flatten().tolist() == [5, 33, 1]
    keys, values = view.memory(1)
    assert keys.shape == values.shape == (3, 2, 2 * BLOCK, keys.shape[-1])


@given(st.lists(st.integers(0, 3), min_size=4, max_size=4), st.integers(1, 4))
def test_reordering_copies_the_old_contents(sources: list[int], count: int) -> None:
    """Also where a slot is both written and read."""
    cache = small_cache()
    for slot in range(4):
        cache.open(slot, memory(5), memory(5))
        cache.lens[slot] = 3
        cache.self_keys[:, slot], cache.self_values[:, slot] = 10 + slot, 20 + slot
    cache.reorder(range(count), sources[:count])
    now = [*sources[:count], *range(count, 4)]
    assert cache.self_keys[0, :, 0, :3, 0].tolist() == [[10 + source] * 3 for source in now]
    assert cache.self_values[1, :, 1, :3, 1].tolist() == [[20 + source] * 3 for source in now]
    assert cache.lens == [3] * 4


def test_a_source_brings_its_length() -> None:
    cache = small_cache()
    cache.lens = [2, 7, 5, 1]
    cache.reorder([0, 1, 2], [1, 1, 3])
    assert cache.lens == [7, 7, 1, 1]


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_reordered_slots_go_on_as_their_sources(positions: Positions) -> None:
    """Beams of one utterance are dropped, repeated and swapped."""
    decoder, encoder_out = tiny_model(positions).decoder, encoder_outs(positions)[0]
    tokens = some_tokens(4)
    cache = filled_cache(decoder, [encoder_out] * 4, TOKENS)
    for position in range(3):
        decoder.step(tokens[:, position], cache)
    sources, last = [3, 0, 0, 2], torch.tensor([7, 8, 9, 10])
    cache.reorder(range(4), sources)
    logits = decoder.step(last, cache)
    for slot, source in enumerate(sources):
        fed = torch.cat([tokens[source, :3], last[slot : slot + 1]])
        full = full_logits(decoder, fed, encoder_out)
        torch.testing.assert_close(logits[slot], full[-1], atol=1e-4, rtol=0)


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_slots_may_stand_at_different_positions(positions: Positions) -> None:
    """The second utterance begins after three steps, the third after five."""
    decoder, outs, tokens = tiny_model(positions).decoder, encoder_outs(positions), some_tokens()
    cache = filled_cache(decoder, outs, TOKENS, slots=5)
    cache.close(1)
    cache.close(2)
    seen: list[list[Tensor]] = [[], [], []]
    for turn in range(TOKENS):
        if turn in (3, 5):
            slot = {3: 1, 5: 2}[turn]
            cache.open(slot, *decoder.memorise(outs[slot]))
        fed = [int(tokens[slot, cache.lens[slot]]) for slot in range(3)]
        logits = decoder.step(torch.tensor([*fed, 0, 0]), cache)  # two slots are idle
        assert torch.isfinite(logits).all()
        for slot in range(3):
            if cache.is_open[slot]:
                seen[slot].append(logits[slot])
    assert cache.lens == [TOKENS, TOKENS - 3, TOKENS - 5, 0, 0]
    for slot, encoder_out in enumerate(outs):
        full = full_logits(decoder, tokens[slot, : len(seen[slot])], encoder_out)
        torch.testing.assert_close(torch.stack(seen[slot]), full, atol=1e-4, rtol=0)


@pytest.mark.parametrize("value", [1e4, torch.nan, torch.inf])
def test_who_was_in_a_slot_is_forgotten(value: float) -> None:
    decoder, outs, tokens = tiny_model().decoder, encoder_outs(), some_tokens(1)
    cache = filled_cache(decoder, [torch.full_like(outs[2], value)], 40)
    for token in range(30):
        decoder.step(torch.tensor([4 + token]), cache)
    cache.close(0)
    decoder.step(torch.tensor([4]), cache)  # computes along, idle
    cache.open(0, *decoder.memorise(outs[1]))
    fresh = filled_cache(decoder, [outs[1]], 40)
    for position in range(TOKENS):
        found = decoder.step(tokens[:, position], cache)
        assert torch.equal(found, decoder.step(tokens[:, position], fresh))


@pytest.mark.parametrize("frames", [1, 2, 7, 15])
def test_few_frames_are_memorised_as_many_are(frames: int) -> None:
    """A product of few rows rounds differently: not here."""
    decoder, (encoder_out, *_) = tiny_model().decoder, encoder_outs()
    for whole, part in zip(
        decoder.memorise(encoder_out), decoder.memorise(encoder_out[:frames]), strict=True
    ):
        assert part.shape[2] == frames
        assert torch.equal(part, whole[:, :, :frames])


@given(st.integers(1, 4), st.integers(0, 5), st.lists(st.integers(1, 30), min_size=48, max_size=48))
def test_exact_attention_has_the_same_bits_in_any_company(
    groups: int, blocks: int, lens: list[int]
) -> None:
    """Sixteen rows or more, whole blocks of keys or more, garbage behind each row's end."""
    random = torch.manual_seed(0)
    query = torch.randn(48, 2, 1, 16, generator=random)
    key, value = torch.randn(2, 48, 2, 6 * BLOCK, 16, generator=random)
    rows, size = 16 * min(groups, 3), BLOCK * (1 + blocks)
    alone = exact_attention(
        query[:16], key[:16, :, :BLOCK], value[:16, :, :BLOCK],
        mask=key_padding_mask(torch.tensor(lens[:16]), BLOCK),
    )  # fmt: skip
    together = exact_attention(
        query[:rows], key[:rows, :, :size], value[:rows, :, :size],
        mask=key_padding_mask(torch.tensor(lens[:rows]), size),
    )  # fmt: skip
    assert torch.equal(together[:16], alone)


def test_exact_attention_is_attention() -> None:
    random = torch.manual_seed(0)
    query, (key, value) = torch.randn(3, 2, 1, 16), torch.randn(2, 3, 2, 40, 16, generator=random)
    mask = key_padding_mask(torch.tensor([40, 1, 17]), 40)
    found = exact_attention(query, key, value, mask=mask)
    expected = masked_attention(query, key, value, mask=mask)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
