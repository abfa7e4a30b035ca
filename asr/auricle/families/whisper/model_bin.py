"""The layout of a CTranslate2 `model.bin`: which variables it holds, and where they lie.

`ModelSpec._serialize` of python/ctranslate2/specs/model_spec.py writes it, `Model::load` of
src/models/model.cc reads it. All numbers are little endian:

    uint32 binary version, string specification, uint32 its revision
    uint32 how many variables, and of each
        string name, uint8 rank, uint32 each dimension, uint8 dtype, uint32 bytes, the bytes
    uint32 how many aliases, and of each
        string alias, string name of the variable that it stands for

A string is the uint16 number of its bytes, the bytes, and a zero that the number includes.
"""

import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from auricle_types.errors import CorruptCheckpointError, UnknownArchitectureError

DTYPES = ("float32", "int8", "int16", "int32", "float16", "bfloat16")  # by their number
BINARY_VERSION = 6  # no Whisper was ever written in an older one
SPECIFICATION, REVISION = "WhisperSpec", 3
_HIGHEST_VERSION = 99  # what says more is another kind of file
_AGAIN = "convert the model again with ct2-transformers-converter"


@dataclass(frozen=True, slots=True)
class Variable:
    """A tensor in the file, or a number, whose shape is empty."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    offset: int  # bytes before it
    value: float = math.nan  # of a number

    @property
    def stored(self) -> np.dtype[np.generic]:
        """The numpy type of its elements; for bfloat16 that of the bits."""
        kind = "int16" if self.dtype == "bfloat16" else self.dtype
        return np.dtype(kind).newbyteorder("<")

    @property
    def nbytes(self) -> int:
        """How many bytes it has in the file."""
        return math.prod(self.shape) * self.stored.itemsize


def read_variables(path: Path) -> dict[str, Variable]:
    """Read all variables by their names and aliases, but no tensor's values.

    Each size is compared with the length of the file before it is used.

    Raises:
        CorruptCheckpointError: the file is truncated, damaged or none of CTranslate2.
        UnknownArchitectureError: it holds another model, or is of another version.
    """
    try:
        with path.open("rb") as file:
            cursor = _Cursor(path, file)
            _check_header(cursor)
            found = _variables(cursor)
            _add_aliases(cursor, found)
            cursor.check_end()
    except OSError as error:
        raise CorruptCheckpointError(f"{path}: cannot be read ({error})") from error
    return found


class _Cursor:
    """A place in the file, which never passes its end."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.place = 0
        self._file = file
        self._size = os.fstat(file.fileno()).st_size

    def damaged(self, what: str) -> CorruptCheckpointError:
        """Make an error that says where the file is damaged."""
        return CorruptCheckpointError(
            f"{self.path}: truncated or damaged, copy it again ({what} at byte {self.place:,} of "
            f"{self._size:,})"
        )

    def take(self, count: int, what: str) -> bytes:
        """Read so many bytes."""
        self._pass(count, what)
        return self._file.read(count)

    def skip(self, count: int, what: str) -> None:
        """Skip so many bytes."""
        self._pass(count, what)
        self._file.seek(self.place)

    def number(self, kind: str, what: str) -> int:
        """Read one number by its `struct` code."""
        value: int = struct.unpack(f"<{kind}", self.take(struct.calcsize(kind), what))[0]
        return value

    def string(self, what: str) -> str:
        """Read text that a zero ends."""
        raw = self.take(self.number("H", what), what)
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            raise self.damaged(f"{what} is no text") from error
        if not text.endswith("\0"):
            raise self.damaged(f"{what} has no end")
        return text[:-1]

    def check_end(self) -> None:
        """Raises CorruptCheckpointError where more follows."""
        if self.place != self._size:
            raise self.damaged("more than the model")

    def _pass(self, count: int, what: str) -> None:
        if count > self._size - self.place:
            raise self.damaged(f"{what} is cut off")
        self.place += count


def _check_header(cursor: _Cursor) -> None:
    version = cursor.number("I", "the version")
    if not 0 < version <= _HIGHEST_VERSION:
        raise CorruptCheckpointError(
            f"{cursor.path}: no model of CTranslate2, or damaged: copy it again"
        )
    _check_version(cursor, "binary version", version, BINARY_VERSION)
    if version < BINARY_VERSION:
        raise UnknownArchitectureError(
            f"{cursor.path}: binary version {version} is older than CTranslate2's Whisper: {_AGAIN}"
        )
    specification = cursor.string("the specification")
    if specification != SPECIFICATION:
        raise UnknownArchitectureError(
            f"{cursor.path}: holds a model of {specification!r}; of CTranslate2's only "
            f"{SPECIFICATION} (Whisper) is known"
        )
    _check_version(cursor, "revision", cursor.number("I", "the revision"), REVISION)


def _check_version(cursor: _Cursor, what: str, found: int, known: int) -> None:
    if found > known:
        raise UnknownArchitectureError(
            f"{cursor.path}: {what} {found} is of a later CTranslate2, known is {known}: update "
            f"Auricle, or {_AGAIN} 4"
        )


def _variables(cursor: _Cursor) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for _ in range(cursor.number("I", "the number of variables")):
        variable = _variable(cursor)
        _check_new(cursor, variable.name, found)
        found[variable.name] = variable
    return found


def _variable(cursor: _Cursor) -> Variable:
    name = cursor.string("a variable's name")
    rank = cursor.number("B", name)
    shape = struct.unpack(f"<{rank}I", cursor.take(4 * rank, name))
    kind, nbytes = cursor.number("B", name), cursor.number("I", name)
    if kind >= len(DTYPES):
        raise cursor.damaged(f"{name} is of an unknown dtype, {kind},")
    variable = Variable(name, shape, DTYPES[kind], cursor.place)
    if nbytes != variable.nbytes or not nbytes:
        raise cursor.damaged(f"{name} has {nbytes} bytes, not those of {shape}, and ends")
    if shape:
        cursor.skip(nbytes, name)
        return variable
    value = np.frombuffer(cursor.take(nbytes, name), variable.stored)[0]
    return Variable(name, shape, DTYPES[kind], variable.offset, float(value))


def _add_aliases(cursor: _Cursor, found: dict[str, Variable]) -> None:
    """An alias may stand for an earlier alias, as `Model::load` has it."""
    for _ in range(cursor.number("I", "the number of aliases")):
        alias, name = cursor.string("an alias"), cursor.string("an alias' variable")
        _check_new(cursor, alias, found)
        if name not in found:
            raise cursor.damaged(f"{alias} stands for {name}, which is missing,")
        found[alias] = found[name]


def _check_new(cursor: _Cursor, name: str, found: Mapping[str, Variable]) -> None:
    if name in found:
        raise cursor.damaged(f"{name} comes twice")
