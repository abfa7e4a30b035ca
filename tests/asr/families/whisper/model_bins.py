"""Writes `model.bin` files of CTranslate2: helpers for tests, no tests."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from auricle.families.whisper.model_bin import BINARY_VERSION, DTYPES, REVISION, SPECIFICATION

Array = npt.NDArray[Any]


def write_model_bin(
    path: Path,
    variables: Mapping[str, Array],
    aliases: Sequence[tuple[str, str]] = (),
    *,
    version: int = BINARY_VERSION,
    specification: str = SPECIFICATION,
    revision: int = REVISION,
) -> Path:
    """By the layout alone, without CTranslate2; uint16 stands for the bits of bfloat16."""
    with path.open("wb") as file:
        file.write(struct.pack("<I", version) + string(specification))
        file.write(struct.pack("<II", revision, len(variables)))
        file.writelines(variable(name, array) for name, array in variables.items())
        file.write(struct.pack("<I", len(aliases)))
        file.writelines(string(name) for pair in aliases for name in pair)
    return path


def variable(name: str, array: Array) -> bytes:
    """One, with its header."""
    kind = "bfloat16" if array.dtype == np.uint16 else array.dtype.name
    dimensions = struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
    head = struct.pack("<BI", DTYPES.index(kind), array.nbytes)
    return string(name) + dimensions + head + array.tobytes()


def string(text: str) -> bytes:
    """With its length before it and a zero behind it."""
    raw = text.encode() + b"\0"
    return struct.pack("<H", len(raw)) + raw
