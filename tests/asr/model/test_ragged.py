"""The cache of the CPU: float32 within, no padding, and the same bits in any company."""

import functools
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from auricle.config import TransformerConfig
from auricle.model.ragged import IDLE, RaggedCache
from tests.asr.model.slots import filled_cache, kept_in, some_memory, step
from tests.asr.tiny import DTYPES, VOCAB_SIZE, prepared_model, tiny_model, utterances

CONFIG = tiny_model().config.transformer
HEADS = (CONFIG.n_heads, 1, CONFIG.head_dim)


def cache_of(slots: int, group: int = 1) -> RaggedCache:
    return RaggedCache(CONFIG, slots=slots, max_frames=40, group=group)


def vectors(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, *HEADS, generator=torch.manual_seed(seed))


@pytest.mark.parametrize(("group", "idle"), [(1, 0), (2, 1), (16, 13)])
def test_rows_are_the_open_slots_by_utterance_and_idle_ones(group: int, idle: int) -> None:
    cache = cache_of(20, group)
    cache.open([7, 11], some_memory(CONFIG, 5))
    cache.open([2], some_memory(CONFIG, 5))
    assert cache.rows([11, 2, 7]) == [7, 11, 2, *[IDLE] * idle]


def test_idle_rows_attend_to_nothing_and_keep_nothing() -> None:
    cache = cache_of(2, group=4)
    cache.open([1], some_memory(CONFIG, 5))
    view = cache.view(cache.rows([1]))
    assert view.positions.tolist() == [0] * 4
    kept = view.attend(0, vectors(4), vectors(4), vectors(4))
    remembered = view.cross_attend(0, vectors(4))
    for attended in (kept, remembered):
        assert attended.shape == (4, *HEADS)
        assert attended[0].any()
        assert not attended[1:].any()
    assert not kept_in(cache, 0).any()
    assert not cache.kept[1].any()  # only the first layer has been at work


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 1))
def test_a_row_attends_to_all_that_is_its_own(tokens: int, frames: int, layer: int) -> None:
    cache, memory = cache_of(3), some_memory(CONFIG, frames)
    cache.open([2], memory)
    own = torch.randn(2, *HEADS[:1], tokens, HEADS[2], generator=torch.manual_seed(tokens))
    cache.kept.fill_(torch.nan)
    kept_in(cache, 2)[layer, :, :, : tokens - 1] = own[:, :, :-1]
    cache.lens[2] = tokens - 1
    query, last = vectors(1), own[:, None, :, -1:]
    view = cache.view([2])
    for found, (keys, values) in (
        (view.attend(layer, query, last[0], last[1]), own),
        (view.cross_attend(layer, query), memory[layer]),
    ):
        scores = query[0].double() @ keys.double().mT / CONFIG.head_dim**0.5
        expected = scores.softmax(dim=-1) @ values.double()
        torch.testing.assert_close(found[0].double(), expected, atol=1e-5, rtol=0)


def test_an_utterances_hypotheses_share_one_copy_of_its_memory() -> None:
    cache = cache_of(4)
    cache.open([0, 2, 3], some_memory(CONFIG, 9))
    cache.open([1], some_memory(CONFIG, 9))
    addresses = [cache.memories[slot][0][0].data_ptr() for slot in range(4)]
    assert addresses[0] == addresses[2] == addresses[3] != addresses[1]


def test_closing_frees_the_memory() -> None:
    cache = cache_of(2)
    cache.open([0, 1], some_memory(CONFIG, 9))
    cache.close([0])
    assert not cache.memories[0]
    assert cache.memories[1]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_halves_are_kept_in_float32_and_given_back_as_halves(dtype: torch.dtype) -> None:
    cache = cache_of(1)
    cache.open([0], some_memory(CONFIG, 9).to(dtype))
    view, (query, key, value) = cache.view([0]), vectors(3, 1).to(dtype)
    assert view.attend(0, query, key, value).dtype == dtype
    assert view.cross_attend(0, query).dtype == dtype
    assert cache.kept.dtype == cache.memories[0][0][0].dtype == torch.float32
    assert torch.equal(kept_in(cache, 0)[0, 0, :, 0], key[0, :, 0].float())
    assert torch.equal(kept_in(cache, 0)[0, 1, :, 0], value[0, :, 0].float())


PUBLISHED = replace(CONFIG, d_model=384, n_heads=6, decoder_layers=1)  # large enough for BLAS


@pytest.mark.parametrize("config", [CONFIG, PUBLISHED], ids=["tiny", "published"])
@pytest.mark.parametrize("slots", [[0, 1, 2, 3, 4, 5], [5, 4, 3, 0, 1, 2], [1, 3, 4, 5]])
@pytest.mark.parametrize("lens", [[7] * 6, [60, 60, 131, 131, 131, 0], [1, 30, 30, 30, 90, 90]])
def test_neighbours_attend_as_each_alone(
    config: TransformerConfig, slots: list[int], lens: list[int]
) -> None:
    cache = RaggedCache(config, slots=6, max_frames=140)
    cache.open(range(6), some_memory(config, 4))
    random = torch.manual_seed(3)
    cache.kept.copy_(torch.randn(cache.kept.shape, generator=random))
    cache.lens[:] = lens
    row = (len(slots), config.n_heads, 1, config.head_dim)
    query, key, value = torch.randn(3, *row, generator=random)
    together = cache.view(slots).attend(0, query, key, value)
    for index, slot in enumerate(slots):
        here = slice(index, index + 1)
        alone = cache.view([slot]).attend(0, query[here], key[here], value[here])
        assert torch.equal(alone, together[here])


@pytest.mark.parametrize("together", [True, False])
def test_neighbours_share_a_call_unless_each_has_its_own(
    monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    cache = RaggedCache(CONFIG, slots=6, max_frames=40, together=together)
    cache.open(range(6), some_memory(CONFIG, 4))
    cache.lens[:] = [5, 5, 5, 2, 2, 5]
    batches, bmm = list[int](), torch.bmm

    def counted(queries: Tensor, keys: Tensor) -> Tensor:
        batches.append(len(queries) // CONFIG.n_heads)
        return bmm(queries, keys)

    monkeypatch.setattr(torch, "bmm", counted)
    cache.view(range(6)).attend(0, vectors(6), vectors(6), vectors(6))
    assert batches[::2] == ([3, 2, 1] if together else [1] * 6)


# --- the same bits in any company --------------------------------------------------------------


@functools.cache
def outs(dtype: torch.dtype) -> list[Tensor]:
    model = prepared_model(dtype)
    with torch.inference_mode():
        return model.encoder.encode(utterances(model.config, dtype))


def fed(speech: int, tokens: int) -> list[int]:
    random = torch.manual_seed(speech)
    return torch.randint(4, VOCAB_SIZE, (tokens,), generator=random).tolist()


@functools.cache
def alone(dtype: torch.dtype, speech: int, tokens: int) -> Tensor:
    """`(V,)` after so many tokens, with nobody beside it."""
    decoder = prepared_model(dtype).decoder
    cache = filled_cache("ragged", decoder, [outs(dtype)[speech]])
    for token in fed(speech, tokens):
        last = step(decoder, cache, {0: token})
    return last[0]


companies = st.lists(
    st.tuples(st.integers(0, 5), st.integers(1, 12)), min_size=1, max_size=40
)  # which utterance, how many tokens of it


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=5)
@given(company=companies)
def test_company_changes_no_bit(dtype: torch.dtype, company: list[tuple[int, int]]) -> None:
    """One to forty rows; each joins so late that all reach their last token together."""
    decoder = prepared_model(dtype).decoder
    cache = filled_cache("ragged", decoder, [outs(dtype)[speech] for speech, _ in company])
    longest = max(tokens for _, tokens in company)
    for turn in range(longest):
        places = {slot: turn - longest + tokens for slot, (_, tokens) in enumerate(company)}
        running = {
            slot: fed(company[slot][0], company[slot][1])[place]
            for slot, place in places.items()
            if place >= 0
        }
        last = step(decoder, cache, running)
    for (speech, tokens), found in zip(company, last, strict=True):
        assert torch.equal(found, alone(dtype, speech, tokens))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_comparison_can_fail(dtype: torch.dtype) -> None:
    """Other utterances and other pasts give other numbers."""
    found = [alone(dtype, speech, tokens) for speech in range(6) for tokens in (1, 2, 12)]
    assert len({tuple(row.tolist()) for row in found}) == len(found)


@pytest.mark.parametrize("dtype", DTYPES)
@settings(max_examples=5)
@given(before=st.integers(0, 20), after=st.integers(0, 20), width=st.integers(1, 6))
def test_hypotheses_of_one_utterance_are_the_same_anywhere(
    dtype: torch.dtype, before: int, after: int, width: int
) -> None:
    """They attend to their memory together, wherever their rows are."""
    decoder, (shared, other) = prepared_model(dtype).decoder, outs(dtype)[:2]
    found = []
    for first, last in ((0, 0), (before, after)):
        cache = filled_cache("ragged", decoder, [other] * (first + width + last))
        mine = range(first, first + width)
        cache.open(mine, decoder.project_memory([shared])[0])
        tokens = dict.fromkeys(range(cache.slots), 4) | {slot: 5 + slot - first for slot in mine}
        found.append(step(decoder, cache, tokens)[first : first + width])
    assert torch.equal(*found)
