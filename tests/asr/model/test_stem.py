"""The stem: any convolutions, each utterance as torch computes it alone, whoever lies beside it."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from auricle.config import Convolution, TransformerConfig, strided
from auricle.families.moonshine.config import STEM as MOONSHINE
from auricle.model import length_mask
from auricle.model.stem import Stem, UtteranceNorm
from auricle.model.strip import Strip

WIDTH, CHANNELS = 8, 4


@st.composite
def convolutions(draw: st.DrawFn) -> Convolution:
    kernel = draw(st.sampled_from([1, 2, 3, 5, 8]))
    return Convolution(
        stride=draw(st.integers(1, 4)),
        kernel=kernel,
        padding=draw(st.integers(0, (kernel - 1) // 2)),
        width=draw(st.integers(1, 2)),
        activation=draw(st.sampled_from(["gelu", "tanh"])),
        bias=draw(st.booleans()),
        norm=draw(st.booleans()),
    )


stems = st.lists(convolutions(), min_size=1, max_size=3).map(tuple)


def config_of(stem: tuple[Convolution, ...]) -> TransformerConfig:
    return TransformerConfig(d_model=WIDTH, n_heads=2, stem=stem, conv_kernel=0)


def random_stem(dims: tuple[Convolution, ...]) -> Stem:
    torch.manual_seed(0)
    return Stem(CHANNELS, WIDTH, dims).eval().requires_grad_(False)


def by_torch(stem: Stem, x: Tensor) -> Tensor:
    """One utterance `(T, C)` alone, by torch's own convolutions."""
    x = x.T[None]
    for conv, norm, dims in zip(stem.convs, stem.norms, stem.stem, strict=True):
        assert isinstance(conv, nn.Conv1d)
        x = nn.functional.conv1d(x, conv.weight, conv.bias, dims.stride, dims.padding)
        x = x.tanh() if dims.activation == "tanh" else nn.functional.gelu(x)
        if dims.norm:
            x = nn.functional.group_norm(x, 1, norm.weight, norm.bias)  # type: ignore[arg-type]
    return x[0].T


def laid(stem: Stem, config: TransformerConfig, xs: list[Tensor]) -> list[Tensor]:
    """All in one strip."""
    strip = Strip.of([len(x) for x in xs], config)
    x, mask = stem(*strip.lay(xs))
    assert mask.sum() == sum(strip.lens)
    return strip.cut(x)


@settings(max_examples=50)
@given(dims=stems, surplus=st.lists(st.integers(0, 40), min_size=1, max_size=4))
@torch.inference_mode()
def test_in_any_company_it_is_torchs_alone(
    dims: tuple[Convolution, ...], surplus: list[int]
) -> None:
    """The gap keeps windows apart, whatever the kernels and strides."""
    config, stem = config_of(dims), random_stem(dims)
    xs = [torch.randn(config.least + more, CHANNELS) for more in surplus]
    x = nn.utils.rnn.pad_sequence(xs, batch_first=True, padding_value=1e9)
    padded, mask = stem(x, length_mask(torch.tensor([len(x) for x in xs]), x.shape[1]))
    together = laid(stem, config, xs)
    for row, (each, found) in enumerate(zip(xs, together, strict=True)):
        expected = by_torch(stem, each)
        assert len(expected) == config.encoder_len(len(each)) == int(mask[row].sum())
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(padded[row, : len(found)], expected, atol=1e-4, rtol=1e-4)
        (alone,) = laid(stem, config, [each])
        assert torch.equal(found, alone)


@settings(max_examples=50)
@given(dims=stems)
def test_the_least_and_the_most_frames(dims: tuple[Convolution, ...]) -> None:
    config = config_of(dims)
    assert config.encoder_len(config.least) == 1
    assert config.least == 1 or config.encoder_len(config.least - 1) < 1
    for conv in dims:
        assert conv.out_len(conv.most(7)) == 7
        assert conv.out_len(conv.most(7) + 1) == 8


def test_gaps() -> None:
    assert replace(config_of(strided(2, 2)), conv_kernel=15).gap == 7
    assert config_of(strided(1, 2)).gap == config_of(strided(1)).gap == 1
    moonshine = config_of(MOONSHINE)
    assert (moonshine.gap, moonshine.least, moonshine.subsampling) == (3, 895, 384)


@pytest.mark.parametrize("garbage", [0.0, 1e9])
def test_normalisation_knows_no_padding_and_no_neighbour(garbage: float) -> None:
    norm = UtteranceNorm(WIDTH)
    nn.init.normal_(norm.weight)
    x = torch.randn(2, 20, WIDTH)
    mask = torch.zeros(2, 20, dtype=torch.bool)
    spans = [(0, slice(0, 5)), (0, slice(7, 20)), (1, slice(3, 4))]
    for here in spans:
        mask[here] = True
    x[~mask] = garbage
    found = norm(x, mask)
    for here in spans:
        expected = nn.functional.group_norm(x[here].T[None], 1, norm.weight, norm.bias)[0].T
        torch.testing.assert_close(found[here], expected)
    assert not found[~mask].any()


@pytest.mark.parametrize(
    ("name", "value"), [("stride", 0), ("kernel", 0), ("width", 0), ("padding", 2), ("padding", -1)]
)
def test_impossible_convolutions_are_refused(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"the stem's {name}"):
        replace(Convolution(2), **{name: value})  # type: ignore[arg-type]
