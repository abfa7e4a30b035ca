"""Linear layers for few rows (GEMV): a decoder step's, whose time goes into reading weights.

A library's matrix product arranges a weight anew for each call, which pays for many rows only.
Here the weight is read once, as 8-bit integers where it is made of such, and each row goes through
the same instructions whatever the other rows are: its bits never depend on its company.
"""

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from auricle.compiled import compiled_sums
from auricle.model.integers import Integers
from auricle.model.layers import CrossAttention
from auricle.model.transformer import SpeechTransformer

_OUTPUTS = 4  # computed side by side
_ALONE = 2_000_000  # products that one thread computes sooner than another one awakes
_WORTHWHILE = 1_000_000  # numbers of a vocabulary's weight: fewer stay in the processor's cache
_LAST_BIT = 1e-6  # relative: what is lost by taking a scale from the numbers that it made
_SAMPLE = 64  # rows that tell whether a weight is made of integers

_Floats = npt.NDArray[np.float32]


class GemvLinear(nn.Module):
    """A linear layer for inference on a CPU: float32 `(..., K) -> (..., E)`, for few rows."""

    def __init__(
        self, weight: Tensor | Integers, bias: Tensor | None = None, *, is_coarse: bool = False
    ) -> None:
        """From a weight `(E, K)` of at least four outputs.

        `is_coarse` tells that its integers are not what the model was made of.
        """
        super().__init__()
        self.is_coarse = is_coarse
        self._weight = weight
        self._outputs = len(weight if isinstance(weight, Tensor) else weight.integers)
        self._bias = torch.zeros(self._outputs) if bias is None else bias.detach()

    @property
    def has_integers(self) -> bool:
        """Whether the weight is kept as integers."""
        return isinstance(self._weight, Integers)

    def forward(self, x: Tensor) -> Tensor:
        """The product with the weight, the bias added."""
        rows = x.reshape(-1, x.shape[-1]).contiguous()
        out = rows.new_empty(len(rows), self._outputs)
        operands = rows.numpy(), self._bias.numpy(), out.numpy()
        if isinstance(self._weight, Tensor):
            products = functools.partial(_products, self._weight.numpy(), *operands)
        else:
            integers, scales = (each.numpy() for each in self._weight)
            groups = integers.reshape(*scales.shape, -1)
            products = functools.partial(_integer_products, groups, scales, *operands)
        _on_threads(products, self._outputs, rows.numel() * self._outputs)
        return out.view(*x.shape[:-1], self._outputs)


def can_use_gemv(model: SpeechTransformer) -> bool:
    """Whether the decoder has products that these would make faster, and does not use them yet."""
    weight = model.decoder.vectors.weight
    is_ours = weight.device.type == "cpu" and weight.dtype == torch.float32
    used = isinstance(model.decoder.output, GemvLinear)
    return is_ours and not used and weight.numel() >= _WORTHWHILE


def use_gemv(model: SpeechTransformer, *, integers: bool) -> None:
    """Replace the decoder's products of few rows, for good: it can be neither trained nor saved.

    The vocabulary's always; the layers' where their weights are made of integers, or become such
    because `integers` says so. The keys and values of the encoder's output have many rows.
    """
    decoder = model.decoder
    decoder.output = _gemv(decoder.vectors.weight, None, integers=integers)
    for holder in list(decoder.layers.modules()):  # type: ignore[attr-defined]
        for name, child in holder.named_children():
            many_rows = isinstance(holder, CrossAttention) and name == "key_value"
            if isinstance(child, nn.Linear) and not many_rows:
                layer = _gemv(child.weight, child.bias, integers=integers)
                if layer.has_integers:
                    setattr(holder, name, layer)


def _gemv(weight: Tensor, bias: Tensor | None, *, integers: bool) -> GemvLinear:
    weight = weight.detach()
    is_made = _is_made_of_integers(weight[:_SAMPLE])
    if not (is_made or integers):
        return GemvLinear(weight, bias)
    return GemvLinear(Integers.of(weight), bias, is_coarse=not is_made)


def _is_made_of_integers(weight: Tensor) -> bool:
    """Whether `Integers` lose nothing of it."""
    return torch.allclose(Integers.of(weight).restored(), weight, rtol=_LAST_BIT, atol=0)


def _on_threads(products: Callable[[int, int], None], outputs: int, work: int) -> None:
    """Call `products(first, last)` for all outputs, on as many threads as torch may use."""
    threads = torch.get_num_threads() if work > _ALONE else 1
    share = -(-outputs // (threads * _OUTPUTS)) * _OUTPUTS
    others = [
        _threads().submit(products, first, min(first + share, outputs))
        for first in range(share, outputs, share)
    ]
    products(0, min(share, outputs))
    for each in others:
        each.result()


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="auricle-gemv")


os.register_at_fork(after_in_child=_threads.cache_clear)  # a fork has none of the threads


@compiled_sums
def _products(
    weight: _Floats, rows: _Floats, bias: _Floats, out: _Floats, first: int, last: int
) -> None:
    for block in range(first, last, 4):
        start = min(block, last - 4)  # the last block covers four, too
        for row in range(len(rows)):
            _four(rows[row], weight[start : start + 4], bias, out[row], start)


@compiled_sums
def _integer_products(
    integers: npt.NDArray[np.int8],
    scales: _Floats,
    rows: _Floats,
    bias: _Floats,
    out: _Floats,
    first: int,
    last: int,
) -> None:
    _, groups, size = integers.shape
    restored = np.empty((4, groups, size), np.float32)
    weight = restored.reshape(4, groups * size)
    for block in range(first, last, 4):
        start = min(block, last - 4)
        for output in range(4):
            for group in range(groups):
                scale = scales[start + output, group]
                for column in range(size):
                    number = np.float32(integers[start + output, group, column])
                    restored[output, group, column] = number * scale
        for row in range(len(rows)):
            _four(rows[row], weight, bias, out[row], start)


@compiled_sums
def _four(row: _Floats, weight: _Floats, bias: _Floats, out: _Floats, start: int) -> None:
    a = b = c = d = np.float32(0)
    for column in range(len(row)):
        x = row[column]
        a += x * weight[0, column]
        b += x * weight[1, column]
        c += x * weight[2, column]
        d += x * weight[3, column]
    out[start] = a + bias[start]
    out[start + 1] = b + bias[start + 1]
    out[start + 2] = c + bias[start + 2]
    out[start + 3] = d + bias[start + 3]
