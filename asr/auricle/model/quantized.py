"""Linear layers in 8-bit integers: four times as many products a second as in float32.

A weight has a scale for each output, an activation one for each row, chosen when it comes (as in
LLM.int8(), Dettmers et al. 2022, without its outliers; Whisper and CTranslate2 do well without).
Sums of integers are exact, so a row is the same to the last bit whatever the other rows are.
"""

import torch
from torch import Tensor, nn

from auricle.model.layers import (
    ConvModule,
    CrossAttention,
    FeedForward,
    GatedFeedForward,
    SelfAttention,
)
from auricle.model.transformer import SpeechTransformer

_HEAVY = (SelfAttention, CrossAttention, FeedForward, GatedFeedForward, ConvModule)
_MOST = 127.0  # the largest of 8 bits, symmetric
_BLOCK = 256  # rows that stay in the processor's cache from integers to outputs
_ZERO = 128  # of activations: oneDNN's fast product wants them unsigned
_LEAST = 1e-12  # a row's scale is never 0


class QuantizedLinear(nn.Module):
    """A linear layer for inference on a CPU: float32 `(..., D) -> (..., E)`, int8 between."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """From a float32 `weight (E, D)`."""
        super().__init__()
        scales = _scales(weight)  # (E, 1)
        integers = (weight / scales).round_().to(torch.int8)
        self._weight = torch.ops.onednn.qlinear_prepack(integers, None)
        self._scales = scales.flatten()
        self._zeros = torch.zeros(len(scales), dtype=torch.int32)
        self._bias = bias

    def forward(self, x: Tensor) -> Tensor:
        """The product with the weight, the bias added."""
        rows = x.flatten(0, -2)
        if len(rows) <= _BLOCK:
            return self._multiply(rows).unflatten(0, x.shape[:-1])
        out = rows.new_empty(len(rows), len(self._scales))
        for block, part in zip(rows.split(_BLOCK), out.split(_BLOCK), strict=True):
            self._multiply(block, part)
        return out.unflatten(0, x.shape[:-1])

    def _multiply(self, rows: Tensor, out: Tensor | None = None) -> Tensor:
        scales = _scales(rows)
        shifted = (rows * scales.reciprocal()).add_(_ZERO + 0.5)  # then cut off: rounded
        product = self._product(
            shifted.to(torch.int16).to(torch.uint8)
        )  # a cast by way of int16 takes half the time
        out = product if out is None else out
        if self._bias is None:
            return torch.mul(product, scales, out=out)
        return torch.addcmul(self._bias, product, scales, out=out)

    def _product(self, integers: Tensor) -> Tensor:
        """Integers times integers, each output by its weight's scale: `(R, D) -> (R, E)`."""
        product: Tensor = torch.ops.onednn.qlinear_pointwise(
            *(integers, 1.0, _ZERO),
            *(self._weight, self._scales, self._zeros),
            *(None, 1.0, 0, torch.float32),
            *("none", [], ""),
        )
        return product


def quantize(model: SpeechTransformer) -> None:
    """Quantise what takes the time, for good: it can be neither trained nor saved then.

    The stem, CTC's head and the embedding stay as they are. Each float32 layer goes when the other
    has come.
    """
    for module in [each for each in model.modules() if isinstance(each, _HEAVY)]:
        for name, child in module.named_children():
            if isinstance(child, nn.Linear):
                setattr(module, name, QuantizedLinear(child.weight, child.bias))
    model.decoder.output = QuantizedLinear(model.decoder.vectors.weight, None)


def is_quantized(model: SpeechTransformer) -> bool:
    """Whether `quantize` has been here."""
    return isinstance(model.decoder.output, QuantizedLinear)


def _scales(rows: Tensor) -> Tensor:
    """`(R, D) -> (R, 1)`: what takes each row's largest number to the largest integer."""
    return rows.abs().amax(dim=-1, keepdim=True).div_(_MOST).clamp_(_LEAST)
