"""The weights in others' files, read one at a time: none is in memory before it is needed."""

import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from auricle.families.folder import INDEX, MODEL
from auricle_types.errors import CorruptCheckpointError, UnknownModelError, UnsafeCheckpointError
from auricle_types.parsing import parse_json

_ZIP = b"PK\x03\x04"  # torch's format that can be mapped
_PICKLE = b"\x80"  # with a protocol that torch.save does not use, or it would have been read
_DAMAGED = "truncated or damaged, copy it again"


class Weights(Protocol):
    """Named tensors of a file, or of several."""

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of each tensor."""
        ...

    def read(self, name: str) -> Tensor:
        """Read one tensor; it is valid until the next is read."""
        ...


class SafetensorsWeights:
    """The tensors of safetensors files that belong together."""

    def __init__(self, paths: list[Path]) -> None:
        """Look into the headers; raises CorruptCheckpointError where a file is damaged."""
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._homes: dict[str, Path] = {}
        for path in paths:
            self._list(path)

    def _list(self, path: Path) -> None:
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118  # no mapping
                    self.shapes[name] = tuple(file.get_slice(name).get_shape())
                    self._homes[name] = path
        except FileNotFoundError as error:
            raise CorruptCheckpointError(f"{path}: this shard is missing, copy it too") from error
        except (SafetensorError, OSError) as error:
            raise CorruptCheckpointError(f"{path}: {_DAMAGED} ({error})") from error

    def read(self, name: str) -> Tensor:
        """Map one tensor from the file; an earlier one is freed with its last reference."""
        with safe_open(self._homes[name], framework="pt") as file:
            tensor: Tensor = file.get_tensor(name)
            return tensor


@dataclass(frozen=True, slots=True)
class LoadedWeights:
    """Tensors that torch has read, or mapped."""

    tensors: dict[str, Tensor]

    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """The shape of each tensor."""
        return {name: tuple(tensor.shape) for name, tensor in self.tensors.items()}

    def read(self, name: str) -> Tensor:
        """Return one of the tensors."""
        return self.tensors[name]


def weight_files(folder: Path) -> list[Path]:
    """List `model.safetensors`, or the shards of its index, of which some may be missing.

    Raises:
        UnknownModelError: there is neither.
        CorruptCheckpointError: the index cannot be read.
    """
    if (folder / MODEL).is_file():
        return [folder / MODEL]
    if not (folder / INDEX).is_file():
        raise UnknownModelError(
            f"no weights in {folder}: it needs {MODEL}, or {INDEX} and the files that it lists"
        )
    try:
        homes = parse_json((folder / INDEX).read_text(encoding="utf-8"))["weight_map"]
        names = sorted({Path(str(name)).name for name in homes.values()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CorruptCheckpointError(f"{folder / INDEX}: no readable index ({error})") from error
    return [folder / name for name in names]


def load_pickle(path: Path) -> dict[str, Any]:
    """Load a file of `torch.save`, mapped where that can be; nothing in it is executed.

    Raises:
        UnsafeCheckpointError: it holds more than tensors and plain values.
        CorruptCheckpointError: truncated, damaged, or no such file.
    """
    try:
        found = _load(path)
    except pickle.UnpicklingError as error:
        if "GLOBAL" in str(error) or _begins(path, _PICKLE):
            raise UnsafeCheckpointError(
                f"{path}: holds code, which is never run: take a .safetensors file of the model"
            ) from error
        raise CorruptCheckpointError(f"{path}: {_DAMAGED} ({error})") from error
    except Exception as error:  # torch raises what its readers happen to meet
        raise CorruptCheckpointError(f"{path}: {_DAMAGED} ({error})") from error
    if not isinstance(found, dict):
        raise CorruptCheckpointError(f"{path}: holds no model")
    return found


def _load(path: Path) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old pickles; what cannot be read raises
        return torch.load(path, map_location="cpu", weights_only=True, mmap=_begins(path, _ZIP))


def _begins(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark
