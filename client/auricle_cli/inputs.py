"""The inputs named on the command line: files, folders, `-` for the standard input."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """One input, by the name that the user knows it by."""

    name: str

    @property
    def path(self) -> Path | None:
        """Where it is; None for the standard input."""
        return None if self.name == STDIN else Path(self.name)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Its bytes. Raises OSError."""
        if self.path is None:
            yield _standard_input()
            return
        with self.path.open("rb") as reader:
            yield reader


def expand(names: Sequence[str]) -> tuple[list[Source], list[tuple[str, str]]]:
    """The inputs behind `names` in their order, and those names that lead nowhere, with the reason.

    A folder stands for the audio files in it and below, sorted by path. The standard input can be
    read once only.
    """
    sources: list[Source] = []
    failures: list[tuple[str, str]] = []
    for name in names:
        try:
            sources += _piped(sources) if name == STDIN else _found(name)
        except OSError as error:
            failures.append((name, error.strerror or str(error)))
    return sources, failures


def _piped(sources: Sequence[Source]) -> list[Source]:
    """The standard input. Raises OSError when it is closed, or among `sources` already."""
    _standard_input()  # found out before a model is loaded
    if Source(STDIN) in sources:
        raise OSError("the standard input can be read only once")
    return [Source(STDIN)]


def _standard_input() -> BinaryIO:
    """Raises OSError when it is closed."""
    if sys.stdin is None:
        raise OSError("the standard input is closed")
    return sys.stdin.buffer


def _found(name: str) -> list[Source]:
    """What a path stands for. Raises OSError: for nothing, or the system refuses to look."""
    path = Path(name)
    if not path.is_dir():
        if not path.exists():
            raise FileNotFoundError("no such file")
        return [Source(name)]
    if sources := _in_folder(path):
        return sources
    raise FileNotFoundError("no audio files in this folder")


def _in_folder(folder: Path) -> list[Source]:
    from auricle.audio.formats import SUFFIXES  # late: it loads the codecs' libraries

    paths = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return [Source(str(path)) for path in sorted(paths) if path.is_file()]
