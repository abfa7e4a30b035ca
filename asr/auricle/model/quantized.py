"""Linear layers in 8-bit integers: four times as many products a second as in float32.

A weight has a scale for each output, an activation one for each row, chosen when it comes (as in
LLM.int8(), Dettmers et al. 2022, without its outliers; Whisper and CTranslate2 do well without).
Sums of integers are exact, so a row is the same to the last bit whatever the other rows are.

Processors without VNNI add two products in 16 bits, where 255 * 127 + 255 * 127 has no room: the
sum is cut off. There weights have seven bits.
"""

from functools import cache
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from auricle.compiled import compiled_unlocked
from auricle.model.gemv import GemvLinear
from auricle.model.layers import (
    ConvModule,
    CrossAttention,
    FeedForward,
    GatedFeedForward,
    SelfAttention,
)
from auricle.model.stem import Windowed
from auricle.model.transformer import SpeechTransformer
from auricle.model.weight_only import LEAST, MOST, WeightOnlyLinear, weight_scales

_WIDE = (FeedForward, GatedFeedForward)
_HEAVY = (SelfAttention, CrossAttention, *_WIDE, ConvModule)
_BLOCK = 256  # rows that stay in the processor's cache from integers to outputs
_ZERO = 128  # of activations: oneDNN's fast product wants them unsigned
_NARROW = 63.0  # the largest of seven bits, symmetric


class QuantizedLinear(nn.Module):
    """A linear layer for inference on a CPU: float32 `(..., D) -> (..., E)`, int8 between."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """From a float32 `weight (E, D)`."""
        super().__init__()
        scales = weight_scales(weight, MOST if sums_are_exact() else _NARROW)  # (E, 1)
        self._product = _Product((weight / scales).round_().to(torch.int8), scales.flatten())
        self._bias = bias

    def forward(self, x: Tensor) -> Tensor:
        """The product with the weight, the bias added."""
        rows = x.flatten(0, -2)
        if len(rows) <= _BLOCK:
            return self._multiply(rows).unflatten(0, x.shape[:-1])
        out = rows.new_empty(len(rows), self._product.width)
        for block, part in zip(rows.split(_BLOCK), out.split(_BLOCK), strict=True):
            self._multiply(block, part)
        return out.unflatten(0, x.shape[:-1])

    def _multiply(self, rows: Tensor, out: Tensor | None = None) -> Tensor:
        integers, scales = _integers(rows)
        product = self._product(integers)
        out = product if out is None else out
        if self._bias is None:
            return torch.mul(product, scales, out=out)
        return torch.addcmul(self._bias, product, scales, out=out)


class _Product:
    """Integers times integers, each output by its weight's scale: `(R, D) -> (R, E)`."""

    def __init__(self, integers: Tensor, scales: Tensor) -> None:
        """`integers (E, D)` from -127 to 127, `scales (E,)`."""
        self.width = len(scales)
        self._weight = torch.ops.onednn.qlinear_prepack(integers, None)
        self._scales = scales
        self._zeros = torch.zeros(len(scales), dtype=torch.int32)

    def __call__(self, integers: Tensor) -> Tensor:
        """Of activations `(R, D)` from 0 to 255, around `_ZERO`."""
        product: Tensor = torch.ops.onednn.qlinear_pointwise(
            *(integers, 1.0, _ZERO),
            *(self._weight, self._scales, self._zeros),
            *(None, 1.0, 0, torch.float32),
            *("none", [], ""),
        )
        return product


@cache
def sums_are_exact() -> bool:
    """Whether this processor adds the products of the largest integers without cutting them off."""
    width, most = 256, round(MOST)
    product = _Product(torch.full((16, width), most, dtype=torch.int8), torch.ones(16))
    expected = float(width * most * (255 - _ZERO))
    found = [product(torch.full((rows, width), 255, dtype=torch.uint8)) for rows in (1, 16, 256)]
    return all(bool((each == expected).all()) for each in found)


Kind = type[QuantizedLinear] | type[WeightOnlyLinear]


class InBlocks(nn.Sequential):
    """Layers from `(..., D)` to as much, a block of rows at a time: what is between stays near.

    A feed-forward block's wide vectors then never leave the processor's cache, which takes a third
    off its time.
    """

    def forward(self, x: Tensor) -> Tensor:
        """As the layers one after the other on all rows."""
        rows = x.flatten(0, -2)
        if len(rows) <= _BLOCK:
            return self._through(x)
        out = torch.empty_like(rows)
        for block, part in zip(rows.split(_BLOCK), out.split(_BLOCK), strict=True):
            part.copy_(self._through(block))
        return out.view(x.shape)

    def _through(self, x: Tensor) -> Tensor:
        for layer in self:
            x = layer(x)
        return x


def quantize(model: SpeechTransformer, kind: Kind = QuantizedLinear) -> None:
    """Quantise what takes the time, for good: it can be neither trained nor saved then.

    By layers of that `kind`, made where the weights lie. The stem's first convolution, which hears
    the features, CTC's head and the embedding stay as they are. Each float32 layer goes when the
    other has come.
    """
    for heavy in [each for each in model.modules() if isinstance(each, _HEAVY)]:
        for name, child in heavy.named_children():
            if isinstance(child, nn.Linear):
                setattr(heavy, name, kind(child.weight, child.bias))
    convs = cast(nn.ModuleList, model.encoder.subsampling.convs)
    for index in range(1, len(convs)):
        conv = cast(Windowed, convs[index])
        convs[index] = kind(conv.matrix, conv.bias)
    if not isinstance(model.decoder.output, GemvLinear):
        model.decoder.output = kind(model.decoder.vectors.weight, None)
    if kind is QuantizedLinear:
        _in_blocks(model)


def _in_blocks(model: SpeechTransformer) -> None:
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, _WIDE):
                setattr(parent, name, InBlocks(*child))
    _integers(torch.zeros(1, 1))  # compiles now where it must, not in the first request


def is_quantized(model: SpeechTransformer) -> bool:
    """Whether `quantize` has been here."""
    kinds = QuantizedLinear | WeightOnlyLinear
    return any(isinstance(layer, kinds) for layer in model.modules())


def _integers(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Float32 `rows (R, D)` as unsigned integers around `_ZERO`, and their scales `(R, 1)`."""
    rows = rows.contiguous()
    integers = torch.empty(rows.shape, dtype=torch.uint8)
    scales = torch.empty(len(rows), 1)
    _to_integers(rows.numpy(), integers.numpy(), scales.numpy())
    return integers, scales


@compiled_unlocked
def _to_integers(
    rows: npt.NDArray[np.float32], integers: npt.NDArray[np.uint8], scales: npt.NDArray[np.float32]
) -> None:
    """Fill the others from `rows`, in two passes where torch's operations would take eight.

    The largest is sought among the numbers' bits without the sign, whose order is that of the
    numbers, with NaN on top: a row that holds one stays NaN.
    """
    bits = rows.view(np.int32)
    top = np.empty(1, np.int32)
    for row in range(len(rows)):
        top[0] = 0
        for column in range(rows.shape[1]):
            top[0] = max(top[0], bits[row, column] & np.int32(0x7FFFFFFF))
        scale = top.view(np.float32)[0] / np.float32(MOST)
        if scale < np.float32(LEAST):  # noqa: PLR1730 max() would take it for NaN
            scale = np.float32(LEAST)
        scales[row, 0] = scale
        inverse = np.float32(1.0) / scale
        for column in range(rows.shape[1]):
            shifted = rows[row, column] * inverse + np.float32(_ZERO + 0.5)
            integers[row, column] = np.uint8(np.int32(shifted))  # cut off: rounded
