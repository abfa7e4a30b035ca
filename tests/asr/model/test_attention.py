"""The ways in which queries meet keys, against the definition in float64."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from auricle.model.attention import (
    QUERY_BLOCK,
    causal_attention,
    full_attention,
    masked_attention,
)
from auricle.model.masks import key_padding_mask

LENGTHS = [1, QUERY_BLOCK - 1, QUERY_BLOCK, QUERY_BLOCK + 1, 500]


def heads(*shape: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> list[Tensor]:
    """Queries, keys and values `(*shape, T, D // H)`."""
    return list(torch.randn(3, *shape, generator=torch.manual_seed(seed)).to(dtype))


def by_definition(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    query, key, value = query.double(), key.double(), value.double()
    scores = query @ key.mT / query.shape[-1] ** 0.5
    attended: Tensor = scores.masked_fill(~mask, -torch.inf).softmax(dim=-1) @ value
    return attended


def test_a_position_sees_itself_and_those_before_it() -> None:
    query, key, value = heads(2, 3, 7, 8)
    expected = by_definition(query, key, value, torch.ones(7, 7, dtype=torch.bool).tril())
    found = causal_attention(query, key, value).double()
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_a_mask_is_obeyed() -> None:
    (query, *_), (_, key, value) = heads(3, 2, 1, 16), heads(3, 2, 40, 16)
    mask = key_padding_mask(torch.tensor([40, 1, 17]), 40)
    expected = by_definition(query, key, value, mask)
    found = masked_attention(query, key, value, mask=mask).double()
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("length", LENGTHS)
def test_full_attention_is_the_definition(length: int) -> None:
    query, key, value = heads(2, length, 16)
    expected = by_definition(query, key, value, torch.ones(1, 1, dtype=torch.bool))
    found = full_attention(query, key, value)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("scale", [1.0, 4.0])
@pytest.mark.parametrize("width", [16, 48])
@pytest.mark.parametrize("length", LENGTHS)
def test_blocks_of_halves_are_torchs_attention(length: int, width: int, scale: float) -> None:
    """Whole blocks, one query more, one fewer. A score of size s is off by up to s / 256 each."""
    query, key, value = heads(2, length, width, dtype=torch.bfloat16)
    query = query * scale
    expected = F.scaled_dot_product_attention(query.float(), key.float(), value.float())
    found = full_attention(query, key, value)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, atol=0.03 * scale, rtol=0.02)
    assert (found.float() - expected).square().mean().sqrt() < 0.01 * scale


@settings(max_examples=20)
@given(length=st.integers(1, 420), position=st.floats(0, 1, exclude_max=True))
def test_every_query_meets_every_key_in_halves(length: int, position: float) -> None:
    """One key outshines all others: each query, of whatever block, gets its value."""
    chosen = int(position * length)
    query, key, value = heads(2, length, 16, dtype=torch.bfloat16)
    query, key = torch.ones_like(query), torch.zeros_like(key)
    key[:, chosen] = 16.0
    found = full_attention(query, key, value)
    assert torch.equal(found, value[:, chosen : chosen + 1].expand_as(found))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_goes_in_stays_as_it_is(dtype: torch.dtype) -> None:
    before = heads(2, 300, 16, dtype=dtype)
    after = [each.clone() for each in before]
    full_attention(*after)
    assert all(map(torch.equal, before, after))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@settings(max_examples=20)
@given(length=st.integers(1, 420), start=st.integers(0, 50), after=st.integers(0, 50))
def test_where_an_utterance_lies_changes_no_bit(
    dtype: torch.dtype, length: int, start: int, after: int
) -> None:
    """Slices of a strip are not contiguous; alone they are."""
    strip = torch.randn(3, 2, start + length + after, 16, generator=torch.manual_seed(length)).to(
        dtype
    )
    parts = strip[:, :, start : start + length]
    alone = full_attention(*(part.contiguous() for part in parts))
    assert torch.equal(full_attention(*parts), alone)
