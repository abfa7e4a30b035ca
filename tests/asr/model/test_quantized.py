"""8-bit products: near the float32 ones, the same bits in any company, hiding no NaN."""

import copy

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from auricle.model import SpeechTransformer
from auricle.model.quantized import (
    InBlocks,
    QuantizedLinear,
    is_quantized,
    quantize,
    sums_are_exact,
)
from tests.asr.tiny import tiny_model


def linear(seed: int = 0, d: int = 48, e: int = 64, *, bias: bool = True) -> nn.Linear:
    torch.manual_seed(seed)
    return nn.Linear(d, e, bias=bias)


def quantized(like: nn.Linear) -> QuantizedLinear:
    bias = dict(like.named_parameters()).get("bias")
    return QuantizedLinear(like.weight.detach(), None if bias is None else bias.detach())


def rows(count: int, d: int = 48, seed: int = 1) -> Tensor:
    return torch.randn(count, d, generator=torch.Generator().manual_seed(seed))


def by_hand(layer: nn.Linear, x: Tensor) -> Tensor:
    """The same integers, multiplied in float64, which is exact."""
    weight, x = layer.weight.detach(), x.detach()
    w_scales = weight.abs().amax(1, keepdim=True) / (127 if sums_are_exact() else 63)
    x_scales = x.abs().amax(1, keepdim=True) / 127
    integers = (x * x_scales.reciprocal() + 0.5).floor().double()
    product = integers @ (weight / w_scales).round().double().T
    product = product * w_scales.double().T * x_scales.double()
    bias = dict(layer.named_parameters()).get("bias")
    return product if bias is None else product + bias.detach().double()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("count", [1, 3, 17, 300])
def test_a_product_is_that_of_the_integers(count: int, bias: bool) -> None:
    layer, x = linear(bias=bias), rows(count)
    torch.testing.assert_close(
        quantized(layer)(x).double(), by_hand(layer, x), rtol=1e-5, atol=1e-5
    )


def test_it_is_near_the_float32_product() -> None:
    layer, x = linear(d=192, e=768), rows(64, 192)
    exact, found = layer(x).detach(), quantized(layer)(x)
    error = (found - exact).norm() / exact.norm()
    assert 0 < error < (0.015 if sums_are_exact() else 0.02)  # with eight bits, with seven


def test_the_largest_numbers_are_not_cut_off() -> None:
    """Without VNNI, eight bits times eight bits twice do not fit what they are added in."""
    layer = linear(d=256, bias=False)
    torch.nn.init.ones_(layer.weight)
    found = quantized(layer)(torch.ones(20, 256))
    torch.testing.assert_close(found, torch.full((20, 64), 256.0))


def test_any_leading_dimensions_will_do() -> None:
    layer, x = quantized(linear()), rows(30)
    assert torch.equal(layer(x.view(2, 3, 5, 48)), layer(x).view(2, 3, 5, 64))


@given(
    count=st.integers(1, 70), others=st.integers(0, 150), seed=st.integers(0, 9), big=st.booleans()
)
@settings(max_examples=40)
def test_a_row_is_the_same_in_any_company(count: int, others: int, seed: int, big: bool) -> None:
    layer, x = quantized(linear(seed, 96, 160)), rows(count, 96, seed)
    company = rows(others, 96, seed + 1) * (1e6 if big else 1e-6)
    alone = torch.cat([layer(row[None]) for row in x])
    assert torch.equal(layer(torch.cat([company, x]))[others:], alone)


def test_a_row_of_zeros_gives_the_bias() -> None:
    layer = linear()
    assert torch.equal(quantized(layer)(torch.zeros(3, 48))[1], layer.bias)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_stays_so_and_alone(value: float) -> None:
    layer, x = quantized(linear()), rows(4)
    clean = layer(x)
    x[2, 5] = value
    found = layer(x)
    assert not found[2].isfinite().any()
    assert torch.equal(found[[0, 1, 3]], clean[[0, 1, 3]])


@pytest.mark.parametrize("count", [1, 256, 257, 1000])
def test_in_blocks_layers_say_what_they_say_of_all_rows(count: int) -> None:
    layers = [quantized(linear(d=48, e=80)), nn.GELU(), quantized(linear(d=80, e=48))]
    x = rows(count)
    expected = nn.Sequential(*layers)(x)
    assert torch.equal(InBlocks(*layers)(x), expected)
    assert torch.equal(InBlocks(*layers)(x[None, :, None]), expected[None, :, None])


def quantized_model() -> SpeechTransformer:
    model = copy.deepcopy(tiny_model()).eval().requires_grad_(False)
    quantize(model)
    return model


def test_all_products_of_the_layers_are_quantised_and_the_rest_is_not() -> None:
    model = quantized_model()
    assert is_quantized(model)
    assert not is_quantized(tiny_model())
    plain = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    assert plain == ["ctc"]
    first, *others = model.encoder.subsampling.convs
    assert isinstance(first, nn.Conv1d)
    assert others
    assert all(isinstance(conv, QuantizedLinear) for conv in others)
    assert model.decoder.embedding.weight.dtype == torch.float32


def test_a_quantised_model_hears_nearly_the_same() -> None:
    model, x = tiny_model().eval(), torch.randn(200, 80, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        (exact,), (found,) = model.encoder.encode([x]), quantized_model().encoder.encode([x])
    most = 0.05 if sums_are_exact() else 0.1  # with eight bits, with seven
    assert 0 < (found - exact).norm() / exact.norm() < most


def test_its_logits_are_coarse() -> None:
    assert quantized_model().decoder.is_coarse
    assert not tiny_model().decoder.is_coarse
    assert copy.deepcopy(tiny_model()).bfloat16().decoder.is_coarse
