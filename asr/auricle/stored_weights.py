"""Weights as a file holds them: in floats, or in 8-bit integers with scales."""

from collections.abc import Mapping

import torch
from torch import Tensor

from auricle.model.integers import Integers

SCALES = ".scales"  # behind a quantised weight's name
_EXACT = ("placement.table", "subsampling.convs.0.weight", "ctc.weight")  # that end a name
_Tensors = dict[str, Tensor]


def to_stored(weights: Mapping[str, Tensor], dtype: torch.dtype) -> _Tensors:
    """`weights` as `dtype`. int8 is for matrices: what `--dtype int8` leaves in floats, and
    positions, are float16.
    """
    if dtype != torch.int8:
        return {name: weight.to(dtype).contiguous() for name, weight in weights.items()}
    stored: _Tensors = {}
    for name, weight in weights.items():
        if weight.dim() < 2 or name.endswith(_EXACT):
            stored[name] = weight.to(torch.float16).contiguous()
        else:
            stored[name], stored[name + SCALES] = Integers.of(weight.float())
    return stored


def from_stored(tensors: Mapping[str, Tensor], dtype: torch.dtype) -> _Tensors:
    """The weights, as `dtype`, of tensors of which none is `unscaled`."""
    return {name: _restored(name, tensors).to(dtype) for name in without_scales(tensors)}


def without_scales(tensors: Mapping[str, Tensor]) -> _Tensors:
    """The weights alone, as they are stored."""
    return {name: tensor for name, tensor in tensors.items() if not name.endswith(SCALES)}


def unscaled(tensors: Mapping[str, Tensor]) -> list[str]:
    """Names of quantised weights whose scales are missing or do not fit."""
    quantised = {name: each for name, each in tensors.items() if each.dtype == torch.int8}
    none = torch.empty(0, 0)
    return [
        name
        for name, weight in sorted(quantised.items())
        if not _fit(weight, tensors.get(name + SCALES, none))
    ]


def _fit(weight: Tensor, scales: Tensor) -> bool:
    rows = scales.dim() == 2 and len(scales) == len(weight)
    return rows and scales.shape[1] > 0 and weight[0].numel() % scales.shape[1] == 0


def _restored(name: str, tensors: Mapping[str, Tensor]) -> Tensor:
    weight = tensors[name]
    if weight.dtype != torch.int8:
        return weight
    return Integers(weight, tensors[name + SCALES]).restored()
