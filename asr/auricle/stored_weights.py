"""Weights as a file holds them: in floats, or in 8-bit integers.

Each `GROUP` of integers in a row shares a scale: one large number makes few others coarse.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from auricle.model.weight_only import LEAST, MOST, weight_scales

SCALES = ".scales"  # behind a quantised weight's name
GROUP = 64  # integers; the whole row, where it does not divide into groups
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
            stored |= _quantised(name, weight.float())
    return stored


def from_stored(tensors: Mapping[str, Tensor], dtype: torch.dtype) -> _Tensors:
    """The weights, as `dtype`, of tensors of which none is `unscaled`."""
    return {name: _restored(name, tensors).to(dtype) for name in without_scales(tensors)}


def without_scales(tensors: Mapping[str, Tensor]) -> _Tensors:
    """The weights alone, as they are stored."""
    return {name: tensor for name, tensor in tensors.items() if not name.endswith(SCALES)}


def unscaled(tensors: Mapping[str, Tensor]) -> list[str]:
    """Names of quantised weights whose scales are missing, or too many or too few."""
    quantised = {name: each for name, each in tensors.items() if each.dtype == torch.int8}
    none = torch.empty(0, 0)
    return [
        name
        for name, weight in sorted(quantised.items())
        if tensors.get(name + SCALES, none).shape != _groups(weight).shape[:2]
    ]


def _groups(weight: Tensor) -> Tensor:
    """`(E, ...) -> (E, G, GROUP)`."""
    rows = weight.flatten(1)
    width = GROUP if rows.shape[1] % GROUP == 0 else rows.shape[1]
    return rows.reshape(len(rows), -1, width)


def _quantised(name: str, weight: Tensor) -> _Tensors:
    groups = _groups(weight)
    scales = weight_scales(groups).half()  # (E, G, 1)
    integers = (groups / scales.float().clamp_min(LEAST)).round_().clamp_(-MOST, MOST)
    return {name: integers.to(torch.int8).view(weight.shape), name + SCALES: scales[..., 0]}


def _restored(name: str, tensors: Mapping[str, Tensor]) -> Tensor:
    weight = tensors[name]
    if weight.dtype != torch.int8:
        return weight
    return (_groups(weight) * tensors[name + SCALES].float()[..., None]).view(weight.shape)
