"""Weights in 8 bits beside the same in float32: near, in any numbers, a quarter of the memory."""

import copy

import pytest
import torch
from torch import Tensor, nn

from auricle.model import SpeechTransformer
from auricle.model.quantized import InBlocks, QuantizedLinear, is_quantized, quantize
from auricle.model.weight_only import WeightOnlyLinear, weight_scales
from tests.asr.tiny import tiny_model, utterances


def linear(*, bias: bool = True) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(192, 256, bias=bias).requires_grad_(False)


def rows(count: int = 7) -> Tensor:
    return torch.randn(count, 192, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("bias", [True, False])
def test_a_product_is_that_of_the_integers(bias: bool) -> None:
    layer, x = linear(bias=bias), rows()
    scales = weight_scales(layer.weight)
    restored = (layer.weight / scales).round() * scales
    expected = nn.functional.linear(x, restored, layer.bias)
    found = WeightOnlyLinear(layer.weight, layer.bias)(x)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("dtype", "most"), [(torch.float32, 0.01), (torch.float16, 0.01), (torch.bfloat16, 0.015)]
)
def test_it_is_near_the_product_in_float32(dtype: torch.dtype, most: float) -> None:
    layer, x = linear(), rows(64)
    exact = layer(x)
    found = WeightOnlyLinear(layer.weight, layer.bias)(x.to(dtype))
    assert found.dtype == dtype
    assert 0 < (found.float() - exact).norm() / exact.norm() < most


def test_a_row_of_zeros_gives_the_bias() -> None:
    layer = linear()
    layer.weight[3] = 0.0
    found = WeightOnlyLinear(layer.weight, layer.bias)(torch.zeros(2, 192))
    assert torch.equal(found[1], layer.bias)


def prepared(dtype: torch.dtype) -> SpeechTransformer:
    """As for a GPU: integers from float32, all else as `dtype`."""
    model = copy.deepcopy(tiny_model()).eval().requires_grad_(False)
    quantize(model, WeightOnlyLinear)
    return model.to(dtype)


@pytest.mark.parametrize(("dtype", "most"), [(torch.float32, 0.15), (torch.bfloat16, 0.2)])
def test_a_model_hears_almost_the_same(dtype: torch.dtype, most: float) -> None:
    model, exact = prepared(dtype), tiny_model()
    assert is_quantized(model)
    with torch.inference_mode():
        for x in utterances(exact.config, torch.float32):
            (expected,) = exact.encoder.encode([x])
            (found,) = model.encoder.encode([x.to(dtype)])
            assert found.dtype == dtype
            assert 0 < (found.float() - expected).norm() / expected.norm() < most


def test_all_linear_layers_but_ctcs_become_integers() -> None:
    model = prepared(torch.bfloat16)
    kinds = {type(module) for module in model.modules()}
    assert WeightOnlyLinear in kinds
    assert not {QuantizedLinear, InBlocks} & kinds
    left = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    assert left == ["ctc"]
