import pytest
import torch
from torch import Tensor

from auricle.model.layers import ConvModule

D_MODEL = 24


def plainly(module: ConvModule, x: Tensor) -> Tensor:
    convolved: Tensor = module.depthwise(x.transpose(1, 2))
    return convolved.transpose(1, 2)


def conv_module(kernel: int, dtype: torch.dtype = torch.float32) -> ConvModule:
    torch.manual_seed(0)
    return ConvModule(D_MODEL, kernel).to(dtype)


@pytest.mark.parametrize("kernel", [3, 15, 31])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (1, 400), (3, 90)])
def test_the_convolution_on_an_image_is_that_on_a_sequence(
    kernel: int, shape: tuple[int, int]
) -> None:
    module, x = conv_module(kernel), torch.randn(*shape, D_MODEL)
    torch.testing.assert_close(module._convolved(x), plainly(module, x), atol=1e-6, rtol=1e-6)


def test_its_channels_lie_side_by_side() -> None:
    """As the normalisation behind it wants them."""
    assert conv_module(15)._convolved(torch.randn(1, 400, D_MODEL)).is_contiguous()


def test_it_learns_the_same() -> None:
    module, x = conv_module(15), torch.randn(2, 50, D_MODEL, requires_grad=True)
    weights = (x, *module.depthwise.parameters())
    found, expected = (
        torch.autograd.grad(convolved(x).square().sum(), weights)
        for convolved in (module._convolved, lambda x: plainly(module, x))
    )
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_fewer_bits_go_the_plain_way(dtype: torch.dtype) -> None:
    module, x = conv_module(15, dtype), torch.randn(1, 40, D_MODEL, dtype=dtype)
    assert torch.equal(module._convolved(x), plainly(module, x))
