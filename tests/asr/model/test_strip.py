"""Utterances end to end: where each lies, and that no neighbour is ever felt."""

import functools
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from auricle.config import TransformerConfig, strided
from auricle.model import Encoder
from auricle.model.decoder_cache import whole
from auricle.model.rows import GROUP
from auricle.model.strip import Strip
from tests.asr.tiny import (
    ARCHITECTURES,
    DTYPES,
    SECONDS,
    Positions,
    prepared_model,
    tiny_model,
    utterances,
)

CONVOLVED = TransformerConfig(conv_kernel=15)
PLAIN = TransformerConfig(conv_kernel=0)


def test_the_layout_is_exact() -> None:
    strip = Strip.of([40, 9, 1], CONVOLVED)
    assert strip == Strip(starts=(0, 17, 27), lens=(10, 3, 1), size=48, subsampling=4)
    assert strip.padding_ratio == pytest.approx(1 - 14 / 48)
    strip = Strip.of([40, 9, 40], PLAIN)
    assert strip == Strip(starts=(0, 11, 15), lens=(10, 3, 10), size=32, subsampling=4)
    assert strip.padding_ratio == pytest.approx(9 / 32)


def test_a_strip_has_whole_groups_of_rows() -> None:
    strip = Strip.of([9], PLAIN)
    assert (strip.starts, strip.lens, strip.size) == ((0,), (3,), GROUP)
    assert strip.padding_ratio == pytest.approx(13 / 16)
    assert Strip.of([4 * GROUP], PLAIN).size == 2 * GROUP


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=12),
    st.sampled_from([0, 1, 3, 15, 31]),
    st.sampled_from([(), (1,), (2,), (2, 2), (3, 2)]),
)
def test_no_convolution_reaches_a_neighbour(
    x_lens: list[int], kernel: int, strides: tuple[int, ...]
) -> None:
    config = TransformerConfig(conv_kernel=kernel, stem=strided(*strides))
    strip = Strip.of(x_lens, config)
    assert strip.lens == tuple(map(config.encoder_len, x_lens))
    ends = [start + length for start, length in zip(strip.starts, strip.lens, strict=True)]
    gaps = [start - end for end, (_, start) in zip(ends, pairwise(strip.starts), strict=False)]
    assert strip.starts[0] == 0
    assert set(gaps) <= {max(1, kernel // 2)}
    assert strip.size == whole(ends[-1] + max(1, kernel // 2), GROUP)
    assert 0 < strip.padding_ratio < 1


def test_features_lie_where_the_layout_says() -> None:
    xs = [torch.full((9, 3), 1.0), torch.full((1, 3), 2.0), torch.full((5, 3), 3.0)]
    strip = Strip.of([9, 1, 5], PLAIN)
    x, mask = strip.lay(xs)
    assert x.shape == (1, 4 * GROUP, 3)
    expected = [1.0] * 9 + [0.0] * 7 + [2.0] + [0.0] * 7 + [3.0] * 5 + [0.0] * 35
    assert x[0, :, 0].tolist() == x[0, :, 2].tolist() == expected
    assert mask[0].tolist() == [value > 0 for value in expected]


def test_positions_begin_anew() -> None:
    positions = Strip.of([9, 1, 5, 60], PLAIN).positions(torch.device("cpu")).tolist()
    assert positions[:3] == [0, 1, 2]
    assert positions[4] == 0
    assert positions[6:8] == [0, 1]
    assert positions[9:24] == list(range(15))


def test_attention_stays_within() -> None:
    strip = Strip.of([20, 9, 30], PLAIN)
    query, key, value = torch.randn(3, 1, 2, strip.size, 4, generator=torch.manual_seed(0))
    found = strip.attend(query, key, value)
    between = torch.ones(strip.size, dtype=torch.bool)
    for start, length in zip(strip.starts, strip.lens, strict=True):
        here = slice(start, start + length)
        between[here] = False
        scores = query[0, :, here] @ key[0, :, here].mT / 2
        expected = scores.softmax(dim=-1) @ value[0, :, here]
        torch.testing.assert_close(found[0, :, here], expected, atol=1e-6, rtol=0)
    assert not found[0, :, between].any()


@settings(max_examples=20)
@given(
    st.lists(st.sampled_from([1, 3, 4, 29, 61, 64, 500]), min_size=1, max_size=8),
    st.sampled_from([PLAIN, CONVOLVED]),
)
def test_attending_together_is_attending_in_turn(
    x_lens: list[int], config: TransformerConfig
) -> None:
    """As accelerators do and as processors do; between the utterances both leave zeros."""
    strip = Strip.of(x_lens, config)
    query, key, value = torch.randn(3, 1, 2, strip.size, 8, generator=torch.manual_seed(0))
    together = strip._attend_together(query, key, value)
    torch.testing.assert_close(
        together, strip._attend_in_turn(query, key, value), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("garbage", [1e9, -1e9])
def test_attending_together_sees_nothing_between(garbage: float) -> None:
    strip = Strip.of([20, 9, 30], PLAIN)
    query, key, value = torch.randn(3, 1, 2, strip.size, 4, generator=torch.manual_seed(0))
    expected = strip._attend_together(query, key, value)
    real = torch.zeros(strip.size, dtype=torch.bool)
    for start, length in zip(strip.starts, strip.lens, strict=True):
        real[start : start + length] = True
    for each in (query, key, value):
        each[:, :, ~real] = garbage
    assert torch.equal(strip._attend_together(query, key, value), expected)


def test_cutting_takes_each_its_own() -> None:
    strip = Strip.of([9, 1, 5], PLAIN)
    cut = strip.cut(torch.arange(strip.size)[None, :, None])
    assert [part[:, 0].tolist() for part in cut] == [[0, 1, 2], [4], [6, 7]]


def random_encoder(strides: tuple[int, ...], kernel: int = 15) -> Encoder:
    torch.manual_seed(0)
    config = replace(tiny_model().config.transformer, stem=strided(*strides))
    return Encoder(8, replace(config, conv_kernel=kernel, positions="rotary")).eval()


@pytest.mark.parametrize("x_len", [1, 2, 3, 4, 5, 61, 64, 100])
@pytest.mark.parametrize("strides", [(1,), (2,), (2, 2), (3, 2)])
def test_a_strip_is_the_padded_forward(strides: tuple[int, ...], x_len: int) -> None:
    encoder = random_encoder(strides)
    x = torch.randn(x_len, 8, generator=torch.manual_seed(x_len))
    company = torch.randn(30, 8)
    expected, lens = encoder(x[None], torch.tensor([x_len]))
    for found in (encoder.encode([x])[0], encoder.encode([company, x, company])[1]):
        assert found.shape == (int(lens), tiny_model().config.transformer.d_model)
        torch.testing.assert_close(found, expected[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
def test_the_models_strip_is_its_padded_forward(positions: Positions, conv_kernel: int) -> None:
    model = tiny_model(positions, conv_kernel)
    xs = utterances(model.config)
    for x, found in zip(xs, model.encoder.encode(xs), strict=True):
        expected, _ = model.encoder(x[None], torch.tensor([len(x)]))
        scale = float(expected.abs().max())
        torch.testing.assert_close(found, expected[0], atol=1e-5 * max(scale, 10.0), rtol=0)


@functools.cache
def encoded_alone(
    dtype: torch.dtype, positions: Positions, conv_kernel: int, index: int, length: int
) -> Tensor:
    model = prepared_model(dtype, positions, conv_kernel)
    return model.encoder.encode([utterances(model.config, dtype)[index][:length]])[0]


companies = st.lists(
    st.tuples(
        st.integers(0, len(SECONDS) - 1),
        st.sampled_from([1, 3, 4, 30, 61, 64, 500]),
        st.sampled_from([None, None, 1e9, torch.inf, torch.nan]),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("positions", "conv_kernel"), ARCHITECTURES)
@settings(max_examples=6)
@given(company=companies)
@torch.inference_mode()
def test_any_company_and_order_change_no_bit(
    dtype: torch.dtype,
    positions: Positions,
    conv_kernel: int,
    company: list[tuple[int, int, float | None]],
) -> None:
    """Lengths from a single frame to all; some neighbours are garbage."""
    model = prepared_model(dtype, positions, conv_kernel)
    everything = utterances(model.config, dtype)
    xs = []
    for index, length, garbage in company:
        x = everything[index][:length]
        xs.append(x if garbage is None else torch.full_like(x, garbage))
    for (index, length, garbage), found in zip(company, model.encoder.encode(xs), strict=True):
        if garbage is None:
            expected = encoded_alone(dtype, positions, conv_kernel, index, length)
            assert torch.equal(found, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("conv_kernel", [0, 15])
@torch.inference_mode()
def test_a_large_company_changes_no_bit(dtype: torch.dtype, conv_kernel: int) -> None:
    """Long strips may take another path through the kernels."""
    model = prepared_model(dtype, "rotary", conv_kernel)
    xs = utterances(model.config, dtype) * 12
    for number, found in enumerate(model.encoder.encode(xs)):
        index = number % len(SECONDS)
        assert torch.equal(found, encoded_alone(dtype, "rotary", conv_kernel, index, 500))
