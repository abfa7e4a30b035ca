"""The inputs named on the command line: files, folders, `-` for the standard input."""

import io
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from auricle_types.options import AudioLimits

STDIN = "-"
OWN_FILES = AudioLimits(max_bytes=sys.maxsize, max_seconds=math.inf)  # whoever runs this has them


@dataclass(frozen=True, slots=True)
class Source:
    """One input, by the name that the user knows it by.

    With a `part` it is only the part of a file that begins at so many seconds and, where the second
    number is given, takes so many. One that was found in a folder lies `below` it.
    """

    name: str
    part: tuple[float, float | None] | None = None
    below: Path = field(default=Path(), compare=False)

    @property
    def path(self) -> Path | None:
        """Where it is; None for the standard input."""
        return None if self.name == STDIN else Path(self.name)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Its bytes. Raises OSError, for a part that cannot be cut out, too."""
        if self.path is None:
            yield _standard_input()
            return
        if self.part is not None:
            yield _cut_out(self.path, *self.part)
            return
        with self.path.open("rb") as reader:
            yield reader


def _cut_out(path: Path, offset: float, duration: float | None) -> BinaryIO:
    """A part of a recording as the file that it would be."""
    import soundfile  # late, as the next: a client of a server does without

    from auricle.config import SAMPLE_RATE
    from auricle.evaluation import load_clip
    from auricle_types.errors import AudioError

    try:
        clip = load_clip(path, offset, duration)
    except AudioError as error:
        raise OSError(str(error)) from error
    file = io.BytesIO()
    soundfile.write(file, clip.samples, SAMPLE_RATE, format="WAV", subtype="FLOAT")
    file.seek(0)
    return file


def expand(names: Sequence[str]) -> tuple[list[Source], list[tuple[str, str]]]:
    """The inputs behind `names` in their order, and those names that lead nowhere, with the reason.

    A folder stands for the audio files in it and below, sorted by path, without hidden ones and
    those that macOS leaves beside a file. The standard input can be read once only.
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
    if not name:
        raise FileNotFoundError("no such file: the name is empty")
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
    shown = (path for path in paths if not _is_hidden(path.relative_to(folder)))
    return [
        Source(str(path), below=path.relative_to(folder).parent)
        for path in sorted(shown)
        if path.is_file()
    ]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
