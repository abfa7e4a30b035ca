"""Packed weights: nearly the plain products, and a row the same in any company."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from auricle.model import SpeechTransformer
from auricle.model.packed import PackedLinear, can_pack, has_bfloat16_products, pack
from tests.asr.tiny import features, tiny_model, utterances

needs_bfloat16 = pytest.mark.skipif(
    not has_bfloat16_products(), reason="this processor has no bfloat16 products"
)


in_each_dtype = pytest.mark.parametrize(
    "dtype", [torch.float32, pytest.param(torch.bfloat16, marks=needs_bfloat16)], ids=str
)


def linear(width: int, out: int, *, bias: bool, dtype: torch.dtype = torch.bfloat16) -> nn.Linear:
    torch.manual_seed(width * out)
    return nn.Linear(width, out, bias=bias, dtype=dtype).requires_grad_(False)


def half_model() -> SpeechTransformer:
    return copy.deepcopy(tiny_model()).bfloat16()


def linears(model: nn.Module) -> list[str]:
    return [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]


def packed_ones(model: nn.Module) -> list[str]:
    return [name for name, module in model.named_modules() if isinstance(module, PackedLinear)]


@in_each_dtype
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("width", "out"), [(32, 96), (192, 768), (768, 192), (192, 1_000)])
def test_a_packed_product_is_the_plain_one_but_for_rounding(
    width: int, out: int, bias: bool, dtype: torch.dtype
) -> None:
    """The two are different kernels, which may add in another order."""
    layer = linear(width, out, bias=bias, dtype=dtype)
    packed = PackedLinear(layer.weight, layer.bias)
    for rows in (1, 16, 20, 36, 300):
        x = torch.randn(rows, width, generator=torch.manual_seed(rows)).to(dtype)
        found = packed(x)
        assert found.dtype == dtype
        torch.testing.assert_close(found, layer(x))


@needs_bfloat16
def test_a_gelu_comes_before_the_rounding() -> None:
    """So the result is the nearest that there is."""
    layer = linear(192, 768, bias=True)
    x = torch.randn(40, 192, generator=torch.manual_seed(0)).bfloat16()
    found = PackedLinear(layer.weight, layer.bias, gelu=True)(x)
    expected = F.gelu(F.linear(x.float(), layer.weight.float(), layer.bias.float()))
    torch.testing.assert_close(found.float(), expected, atol=1e-4, rtol=2**-8)
    assert error(found, expected) < error(F.gelu(layer(x)), expected)


@in_each_dtype
@pytest.mark.parametrize("gelu", [False, True])
@settings(max_examples=15)
@given(rows=st.integers(1, 300), row=st.floats(0, 1, exclude_max=True))
@torch.inference_mode()
def test_a_row_is_the_same_in_any_company(
    gelu: bool, rows: int, row: float, dtype: torch.dtype
) -> None:
    layer = linear(240, 768, bias=True, dtype=dtype)
    packed = PackedLinear(layer.weight, layer.bias, gelu=gelu)
    x = torch.randn(rows, 240, generator=torch.manual_seed(rows)).to(dtype)
    mine = int(row * rows)
    assert torch.equal(packed(x)[mine], packed(x[mine : mine + 1])[0])


@in_each_dtype
@pytest.mark.parametrize("shape", [(1, 40, 32), (3, 1, 32), (2, 3, 4, 32), (32,)])
def test_any_number_of_dimensions_is_taken(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    layer = linear(32, 48, bias=True, dtype=dtype)
    x = torch.randn(*shape, generator=torch.manual_seed(0)).to(dtype)
    found = PackedLinear(layer.weight, layer.bias)(x)
    torch.testing.assert_close(found, layer(x))


def everything(model: SpeechTransformer) -> list[Tensor]:
    """What each of its parts says: encoder, CTC head, decoder."""
    dtype = model.decoder.embedding.weight.dtype
    x, x_lens = features(model.config)
    tokens = torch.randint(48, (len(x_lens), 7), generator=torch.manual_seed(0))
    logits, ctc, _ = model(x.to(dtype), x_lens, tokens)
    return [logits, ctc, *model.encoder.encode(utterances(model.config, dtype))]


@needs_bfloat16
def test_a_packed_model_is_as_good_as_a_plain_one() -> None:
    """Both are off what float32 says, by half precision."""
    model = half_model()
    exact = everything(copy.deepcopy(model).float())
    plain, names = everything(model), linears(model)
    pack(model)
    assert linears(model) == []
    assert sorted(packed_ones(model)) == sorted([*names, "decoder.output"])
    for found, half, expected in zip(everything(model), plain, exact, strict=True):
        assert found.dtype == torch.bfloat16
        assert error(found, expected) < 1.25 * error(half, expected)
        assert error(found, expected) < 0.1 * expected.square().mean().sqrt()


def error(found: Tensor, expected: Tensor) -> Tensor:
    return (found.float() - expected).square().mean().sqrt()


@needs_bfloat16
def test_what_is_packed_is_not_packed_again() -> None:
    model = half_model()
    assert can_pack(model)
    pack(model)
    assert not can_pack(model)


@needs_bfloat16
def test_the_embedding_itself_stays_plain() -> None:
    """Tokens are looked up in it, and a short list is scored with it."""
    model = half_model()
    weight = model.decoder.embedding.weight.clone()
    pack(model)
    assert torch.equal(model.decoder.embedding.weight, weight)
    x = torch.randn(3, 32, generator=torch.manual_seed(0)).bfloat16()
    assert torch.equal(model.decoder.logits(x), F.linear(x, weight))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float64])
def test_other_dtypes_are_not_packed(dtype: torch.dtype) -> None:
    assert not can_pack(half_model().to(dtype))


def test_other_devices_are_not_packed() -> None:
    assert not can_pack(half_model().to("meta"))


@pytest.mark.parametrize("fast", [False, True])
def test_halves_are_packed_where_the_processor_has_them(
    monkeypatch: pytest.MonkeyPatch, fast: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: fast)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    assert can_pack(half_model()) is fast
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    assert not can_pack(half_model())
