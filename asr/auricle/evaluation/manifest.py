"""Manifests: NeMo-style JSON lines, one utterance a line.

Each line is an object with `audio_filepath` (relative to the manifest), `text` and, optionally,
`offset` and `duration` in seconds. A line with an offset stands for that part of its file. Other
names are left to whoever wrote them. Blank lines are skipped.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auricle_types.errors import ManifestError
from auricle_types.parsing import parse_json

_MOST_SECONDS = 1e9


@dataclass(frozen=True, slots=True)
class Utterance:
    """A recording and what was said in it; times in seconds, where the manifest states them.

    With an `offset` it is the part of the file that begins there and is `duration` long.
    """

    audio: Path
    text: str
    duration: float | None = None
    offset: float | None = None


def read_manifest(path: str | Path) -> list[Utterance]:
    """All utterances of a manifest, at least one.

    Raises:
        ManifestError: no such file, no utterance in it, or a line that is not as described above;
            the message begins with `file:line`.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # JSON may hold other line ends
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: cannot be read: {error}") from error
    utterances = [
        _utterance(line, f"{path}:{number}", path.parent)
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not utterances:
        raise ManifestError(f"{path}: holds no utterances")
    return utterances


def _utterance(line: str, where: str, folder: Path) -> Utterance:
    try:
        fields = parse_json(line)
    except json.JSONDecodeError as error:
        raise ManifestError(f"{where}: not JSON: {error.msg}, column {error.colno}") from error
    except ValueError as error:  # numbers or lists beyond Python's limits
        raise ManifestError(f"{where}: not JSON that can be read: {error}") from error
    if not isinstance(fields, dict):
        raise ManifestError(f"{where}: a JSON object was expected, not {type(fields).__name__}")
    audio = _string(fields, "audio_filepath", where)
    if not audio:
        raise ManifestError(f"{where}: audio_filepath is empty")
    if "\0" in audio:
        raise ManifestError(f"{where}: audio_filepath holds a null character, as no name may")
    return Utterance(
        folder / audio,
        _string(fields, "text", where),
        _seconds(fields, "duration", where),
        _seconds(fields, "offset", where),
    )


def _string(fields: dict[str, Any], name: str, where: str) -> str:
    if name not in fields:
        raise ManifestError(f"{where}: {name} is missing")
    value = fields[name]
    if not isinstance(value, str):
        raise ManifestError(f"{where}: {name} must be a string, not {type(value).__name__}")
    return value


def _seconds(fields: dict[str, Any], name: str, where: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ManifestError(f"{where}: {name} must be a number, not {type(value).__name__}")
    if not 0 <= value < math.inf:
        raise ManifestError(f"{where}: {name} must be finite and not negative, not {value}")
    if value > _MOST_SECONDS:
        raise ManifestError(f"{where}: {name} must be at most {_MOST_SECONDS:g} s")
    return float(value)
