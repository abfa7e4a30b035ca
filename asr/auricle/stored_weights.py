"""Weights as a file holds them: in floats, or in 8-bit integers with scales.

A scale for each 64 numbers of a row moves Whisper-tiny's words a quarter as far (by the divergence
of its logits) as one for each row, at a sixteenth of the size.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from auricle.model.weight_only import weight_scales

SCALES = ".scales"  # behind a quantised weight's name
_GROUP = 64  # numbers of a row that share a scale, where it splits into as many; else the row does
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


def _quantised(name: str, weight: Tensor) -> _Tensors:
    rows = weight.flatten(1)
    width = rows.shape[1]
    groups = rows.unflatten(1, (-1, width if width % _GROUP else _GROUP))  # (E, G, D // G)
    scales = weight_scales(groups)  # (E, G, 1)
    integers = (groups / scales).round_().to(torch.int8).view(weight.shape)
    return {name: integers, name + SCALES: scales.flatten(1)}


def _restored(name: str, tensors: Mapping[str, Tensor]) -> Tensor:
    weight = tensors[name]
    if weight.dtype != torch.int8:
        return weight
    scales = tensors[name + SCALES]  # (E, G)
    groups = weight.flatten(1).unflatten(1, (scales.shape[1], -1))
    restored: Tensor = groups * scales[..., None]
    return restored.view(weight.shape)
