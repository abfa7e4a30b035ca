"""What both kinds of cache promise: who is in a slot, who was, and who goes on from whom."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from auricle.model import DecoderCache
from auricle.model.decoder_cache import whole
from tests.asr.model.slots import (
    GROUP,
    Kind,
    empty_cache,
    filled_cache,
    full_logits,
    kept_in,
    some_memory,
    spoil,
    step,
)
from tests.asr.tiny import VOCAB_SIZE, Positions, tiny_model, utterances

TOKENS = 9
CONFIG = tiny_model().config.transformer


def encoder_outs(positions: Positions = "rotary", count: int = 3) -> list[Tensor]:
    """`(N, D)` of the first sounds: 25, 10 and 53 frames."""
    model = tiny_model(positions)
    return model.encoder.encode(utterances(model.config))[:count]


def some_tokens(rows: int = 3) -> Tensor:
    return torch.randint(4, VOCAB_SIZE, (rows, TOKENS), generator=torch.manual_seed(0))


def is_alike(kind: Kind, found: Tensor, expected: Tensor) -> bool:
    """To the last bit where that is promised."""
    if kind == "ragged":
        return torch.equal(found, expected)
    return torch.allclose(found, expected, atol=1e-4, rtol=0)


@given(st.integers(0, 1_000), st.integers(1, 200))
def test_whole_groups_hold_all_and_not_a_group_more(count: int, group: int) -> None:
    assert whole(count, group) % group == 0
    assert count <= whole(count, group) < count + group


def test_a_cache_says_how_much_fits(kind: Kind) -> None:
    cache = empty_cache(kind, CONFIG, slots=5, max_frames=33)
    assert (cache.slots, cache.max_frames) == (5, 33)
    assert cache.lens[:5] == [0] * 5


def test_only_what_is_advanced_grows(kind: Kind) -> None:
    cache = empty_cache(kind, CONFIG)
    cache.open([0, 2], some_memory(CONFIG, 5))
    cache.advance([0])
    assert cache.lens[:4] == [1, 0, 0, 0]
    cache.advance([0, 2])
    assert cache.lens[:4] == [2, 0, 1, 0]
    cache.open([0], some_memory(CONFIG, 7))
    assert cache.lens[:4] == [0, 0, 1, 0]
    cache.close([2])
    assert cache.lens[:4] == [0, 0, 0, 0]


def test_every_open_slot_has_a_row_and_a_position(kind: Kind) -> None:
    cache = empty_cache(kind, CONFIG, slots=20)
    cache.open([17, 3], some_memory(CONFIG, 5))
    cache.advance([3])
    rows = cache.rows([17, 3])
    assert len(rows) % GROUP == 0
    positions = cache.view(rows).positions
    assert positions.shape == (len(rows),)
    assert [int(positions[rows.index(slot)]) for slot in (3, 17)] == [1, 0]


def test_a_slot_knows_its_memory(kind: Kind) -> None:
    cache, memory = empty_cache(kind, CONFIG), some_memory(CONFIG, 5)
    cache.open([1, 2], memory)
    torch.testing.assert_close(cache.memory(2), memory, atol=0, rtol=0)


def test_a_callers_memory_is_copied(kind: Kind) -> None:
    decoder, (encoder_out, *_) = tiny_model().decoder, encoder_outs()
    (memory,) = decoder.project_memory([encoder_out])
    memory = memory.contiguous()
    cache = empty_cache(kind, CONFIG)
    cache.open([0], memory)
    memory.fill_(9.0)
    found = step(decoder, cache, {0: 4})
    torch.testing.assert_close(
        found, full_logits(decoder, torch.tensor([4]), encoder_out), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("garbage", [0.0, 1e4])
@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_slots_may_stand_at_different_positions(
    kind: Kind, positions: Positions, garbage: float
) -> None:
    """The second utterance begins after three steps, the third after five, two never."""
    decoder, outs, tokens = tiny_model(positions).decoder, encoder_outs(positions), some_tokens()
    cache = filled_cache(kind, decoder, outs, slots=5)
    cache.close([1, 2])
    spoil(cache, garbage)  # where nothing has been written yet
    joins = {3: 1, 5: 2}
    seen: dict[int, list[Tensor]] = {0: []}
    for turn in range(TOKENS):
        if turn in joins:
            slot = joins[turn]
            cache.open([slot], decoder.project_memory([outs[slot]])[0])
            seen[slot] = []
        logits = step(decoder, cache, {slot: int(tokens[slot, cache.lens[slot]]) for slot in seen})
        assert torch.isfinite(logits).all()
        for slot, row in zip(seen, logits, strict=True):
            seen[slot].append(row)
    assert cache.lens[:5] == [TOKENS, TOKENS - 3, TOKENS - 5, 0, 0]
    for slot, encoder_out in enumerate(outs):
        full = full_logits(decoder, tokens[slot, : len(seen[slot])], encoder_out)
        torch.testing.assert_close(torch.stack(seen[slot]), full, atol=1e-4, rtol=0)


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_a_prompt_at_once_is_as_token_by_token(kind: Kind, positions: Positions) -> None:
    """Beside another slot, which is further and does not notice."""
    decoder, outs, tokens = tiny_model(positions).decoder, encoder_outs(positions), some_tokens()
    cache = filled_cache(kind, decoder, outs[:2])
    step(decoder, cache, {0: int(tokens[0, 0])})
    decoder_out, kept = decoder.prefill(tokens[1, :6], cache.memory(1))
    cache.fill(1, kept)
    assert cache.lens[:2] == [1, 6]
    seen = [decoder.logits(decoder_out)]
    for turn in range(6, TOKENS):
        fed = {0: int(tokens[0, turn - 5]), 1: int(tokens[1, turn])}
        first, second = step(decoder, cache, fed)
        seen.append(second[None])
    last = full_logits(decoder, tokens[0, : TOKENS - 5], outs[0])[-1]
    torch.testing.assert_close(first, last, atol=1e-4, rtol=0)
    full = full_logits(decoder, tokens[1], outs[1])
    torch.testing.assert_close(torch.cat(seen), full, atol=1e-4, rtol=0)


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_a_copy_goes_on_as_its_source(kind: Kind, positions: Positions) -> None:
    """One hypothesis of an utterance is dropped for another; neither hears of the other's end."""
    decoder, encoder_out = tiny_model(positions).decoder, encoder_outs(positions)[0]
    tokens = some_tokens(4)
    cache = filled_cache(kind, decoder, [encoder_out] * 4)
    for position in range(3):
        step(decoder, cache, dict(enumerate(tokens[:, position].tolist())))
    cache.copy(3, 0)
    cache.copy(1, 2)
    for position in range(3, TOKENS):
        logits = step(decoder, cache, dict(enumerate(tokens[:, position].tolist())))
        for slot, source in enumerate([3, 1, 1, 3]):
            fed = torch.cat([tokens[source, :3], tokens[slot, 3 : position + 1]])
            full = full_logits(decoder, fed, encoder_out)
            torch.testing.assert_close(logits[slot], full[-1], atol=1e-4, rtol=0)


def filled_to(kind: Kind, lens: list[int]) -> DecoderCache:
    """Slot `n` holds `n + 1` everywhere up to its length."""
    cache = empty_cache(kind, CONFIG)
    cache.open(range(4), some_memory(CONFIG, 5))
    spoil(cache, -1.0)
    for slot, length in enumerate(lens):
        kept_in(cache, slot)[..., :length, :] = slot + 1
        cache.lens[slot] = length
    return cache


@given(st.lists(st.integers(0, 40), min_size=4, max_size=4), st.permutations(range(4)))
def test_a_source_brings_its_length_and_all_it_holds(
    kind: Kind, lens: list[int], order: list[int]
) -> None:
    cache, (source, target, *others) = filled_to(kind, lens), order
    cache.copy(source, target)
    expected = [*lens]
    expected[target] = lens[source]
    assert cache.lens[:4] == expected
    assert (kept_in(cache, target)[..., : lens[source], :] == source + 1).all()
    for slot in (source, *others):
        assert (kept_in(cache, slot)[..., : lens[slot], :] == slot + 1).all()
        assert (kept_in(cache, slot)[..., lens[slot] :, :] == -1).all()


@pytest.mark.parametrize("value", [1e4, torch.nan, torch.inf])
def test_who_was_in_a_slot_is_forgotten(kind: Kind, value: float) -> None:
    decoder, outs, tokens = tiny_model().decoder, encoder_outs(), some_tokens(1)
    cache = filled_cache(kind, decoder, [torch.full_like(outs[2], value), outs[0]])
    for token in range(30):
        step(decoder, cache, {0: 4 + token, 1: 5})
    cache.close([0])
    step(decoder, cache, {1: 6})  # the first may be computed along, idle
    cache.open([0], decoder.project_memory([outs[1]])[0])
    fresh = filled_cache(kind, decoder, [outs[1]])
    for token in tokens[0].tolist():
        found, expected = step(decoder, cache, {0: token}), step(decoder, fresh, {0: token})
        assert is_alike(kind, found, expected)


@settings(max_examples=10)
@given(data=st.data(), company=st.lists(st.sampled_from([1e4, torch.nan, torch.inf]), max_size=4))
def test_garbage_in_other_slots_is_not_felt(
    kind: Kind, data: st.DataObject, company: list[float]
) -> None:
    decoder, outs, tokens = tiny_model().decoder, encoder_outs(), some_tokens(1)[0].tolist()
    mine = data.draw(st.integers(0, len(company)))
    others = [torch.full_like(outs[2], value) for value in company]
    cache = filled_cache(kind, decoder, [*others[:mine], outs[1], *others[mine:]])
    fresh = filled_cache(kind, decoder, [outs[1]])
    for token in tokens[:4]:
        found = step(decoder, cache, dict.fromkeys(range(1 + len(company)), token))
        assert is_alike(kind, found[mine], step(decoder, fresh, {0: token})[0])
