"""Files that get each segment as soon as it is final."""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from auricle_cli.failure import Failure
from auricle_cli.formats import segment_fields
from auricle_types.subtitles import VTT_HEAD, srt_cue, vtt_cue
from auricle_types.transcript import Segment

Block = Callable[[int, Segment], str]  # what a segment, counted from 1, adds to a file


def _text(_: int, segment: Segment) -> str:
    return f"{segment.text}\n"


def _srt(number: int, segment: Segment) -> str:
    return srt_cue(number, segment) + "\n\n"


def _vtt(_: int, segment: Segment) -> str:
    return vtt_cue(segment) + "\n\n"


def _jsonl(_: int, segment: Segment) -> str:
    return json.dumps(segment_fields(segment), ensure_ascii=False) + "\n"


BLOCKS: dict[str, Block] = {".txt": _text, ".srt": _srt, ".vtt": _vtt, ".jsonl": _jsonl}
HEADS = {".vtt": VTT_HEAD + "\n\n"}


class CaptionFiles:
    """Writes segments to files, in the format that each one's suffix names. A context manager."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Write to `paths`. Raises Failure for a suffix that names no format."""
        for path in paths:
            if path.suffix.lower() not in BLOCKS:
                known = ", ".join(BLOCKS)
                raise Failure(f"{path}: the suffix names no format; there are {known}")
        self._paths = paths
        self._count = 0
        self._files: list[tuple[TextIO, Block]] = []
        self._stack = ExitStack()

    def add(self, segment: Segment) -> None:
        """Append a segment to all files and flush it. Raises Failure where the disk is full."""
        self._count += 1
        for file, block in self._files:
            try:
                file.write(block(self._count, segment))
                file.flush()
            except OSError as error:
                raise Failure(f"{file.name}: {error.strerror or error}") from error

    def __enter__(self) -> Self:
        for path in self._paths:
            try:
                file = self._stack.enter_context(path.open("w", encoding="utf-8"))
            except OSError as error:
                self._stack.close()
                raise Failure(f"{path}: cannot be written: {error.strerror or error}") from error
            file.write(HEADS.get(path.suffix.lower(), ""))
            self._files.append((file, BLOCKS[path.suffix.lower()]))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()
