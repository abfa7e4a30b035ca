"""Reads weights from a CTranslate2 `model.bin`, each when it is needed, as float32."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from auricle.families.whisper.model_bin import Variable, read_variables
from auricle_types.errors import CorruptCheckpointError, UnknownArchitectureError

_QUANTIZED = ("int8", "int16")
_SCALE = "_scale"  # behind a quantized weight's name: what its values were multiplied by


class Ct2Weights:
    """Named tensors: integers of 8 or 16 bits become float32, others stay as they are."""

    def __init__(self, path: Path) -> None:
        """Look into the file; raises as `read_variables` does, and CorruptCheckpointError where
        the scales of a quantized weight are missing or of another shape.
        """
        self._path = path
        self._variables = read_variables(path)
        self._scales = self._find_scales()
        self.attributes: Mapping[str, float] = {
            name: each.value for name, each in self._of_weights().items() if not each.shape
        }
        self.shapes: Mapping[str, tuple[int, ...]] = {
            name: each.shape for name, each in self._of_weights().items() if each.shape
        }

    def read(self, name: str) -> Tensor:
        """Read one of the tensors."""
        variable = self._variables[name]
        tensor = self._read(variable)
        scale = self._scales.get(variable.name)
        if scale is None:
            return tensor
        per_row = self._read(scale).float().view(-1, *[1] * (tensor.dim() - 1))
        return tensor.float().div_(per_row)

    def is_alias(self, name: str, other: str) -> bool:
        """Whether both names are there and stand for one tensor."""
        return name in self._variables and self._variables[name] is self._variables.get(other)

    def _of_weights(self) -> dict[str, Variable]:
        """Return all variables but the scales."""
        scales = {scale.name for scale in self._scales.values()}
        return {name: each for name, each in self._variables.items() if each.name not in scales}

    def _find_scales(self) -> dict[str, Variable]:
        """Find the scale of each quantized weight, by the name of the weight."""
        tensors = (each for each in self._variables.values() if each.shape)
        return {each.name: self._scale(each) for each in tensors if self._is_quantized(each)}

    def _is_quantized(self, variable: Variable) -> bool:
        if variable.dtype == "int32":
            raise UnknownArchitectureError(
                f"{self._path}: {variable.name} is packed in int32, which is not read here: "
                "convert the model again with another quantization, such as int8"
            )
        return variable.dtype in _QUANTIZED

    def _scale(self, variable: Variable) -> Variable:
        name = variable.name + _SCALE
        scale = self._variables.get(name)
        if scale is None or scale.shape not in ((), (variable.shape[0],)):
            found = "missing" if scale is None else f"{scale.shape}"
            raise CorruptCheckpointError(
                f"{self._path}: {name} is {found}, but {variable.name} is {variable.shape} in "
                f"{variable.dtype}: copy the file again"
            )
        return scale

    def _read(self, variable: Variable) -> Tensor:
        """Copy the mapped bytes: in the file nothing is aligned."""
        try:
            mapped = np.memmap(
                self._path, variable.stored, "r", variable.offset, variable.shape or (1,)
            )
        except (OSError, ValueError) as error:  # shorter than it was
            raise CorruptCheckpointError(f"{self._path}: cannot be read ({error})") from error
        tensor = torch.from_numpy(np.array(mapped, variable.stored.newbyteorder("=")))
        return tensor.view(torch.bfloat16) if variable.dtype == "bfloat16" else tensor
