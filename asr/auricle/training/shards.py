"""A manifest and the tar shards beside it, read once and in order."""

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from auricle.audio import load_audio
from auricle.training.problems import Problem
from auricle_types.errors import AudioError, ManifestError
from auricle_types.parsing import parse_json

Int16 = npt.NDArray[np.int16]


class Recording(NamedTuple):
    """An utterance as it was read: `samples (S,)` at 16 kHz."""

    name: str
    text: str
    samples: Int16


class _Row(NamedTuple):
    shard: str
    name: str  # of the member
    text: str


def read_shards(manifest: Path, *, progress: bool = True) -> Iterator[Recording | Problem]:
    """Every utterance of `manifest`, shard by shard, or what is wrong with it.

    Raises:
        ManifestError: there is no such manifest, or nothing in it.
    """
    shards: dict[str, dict[str, str]] = {}
    for row in _rows(manifest):
        if isinstance(row, Problem):
            yield row
        else:
            shards.setdefault(row.shard, {})[row.name] = row.text
    count = sum(map(len, shards.values()))
    with tqdm(total=count, unit="utt", desc=manifest.name, disable=not progress) as bar:
        for shard, texts in shards.items():
            for found in _read_shard(manifest.parent / shard, texts):
                yield found
                bar.update()


def _rows(manifest: Path) -> Iterator[_Row | Problem]:
    try:
        lines = manifest.read_text(encoding="utf-8-sig").split(
            "\n"
        )  # JSON may hold other line ends
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{manifest}: cannot be read: {error}") from error
    if not any(map(str.strip, lines)):
        raise ManifestError(f"{manifest}: holds no utterances")
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _row(line, f"line {number}")


def _row(line: str, where: str) -> _Row | Problem:
    try:
        fields = parse_json(line)
        row = _Row(fields["shard"], fields["audio_filepath"], fields["text"])
    except KeyError as error:
        return Problem("line not valid", f"{where} has no {error}")
    except (TypeError, ValueError):
        return Problem("line not valid", f"{where} is no JSON object")
    if not all(isinstance(value, str) for value in row):
        return Problem("line not valid", f"{where} holds something else than text")
    return row


def _read_shard(shard: Path, texts: dict[str, str]) -> Iterator[Recording | Problem]:
    """The recordings of `texts`, in the order of the tar, then the ones that it does not hold."""
    missing = set(texts)
    for member in _members(shard):
        if isinstance(member, Problem):
            yield member
        elif member[0] in missing:
            name, data = member
            missing.remove(name)
            yield _recording(name, texts[name], data)
    for name in sorted(missing):
        yield Problem("audio missing", f"{shard.name} holds no {name}")


def _members(shard: Path) -> Iterator[tuple[str, bytes] | Problem]:
    try:
        with tarfile.open(shard) as tar:
            for member in tar:
                file = tar.extractfile(member)
                if file is not None:
                    yield member.name, file.read()
    except (OSError, EOFError, ValueError, tarfile.TarError, zlib.error) as error:
        yield Problem("shard missing or cut short", f"{shard.name}: {error}")


def _recording(name: str, text: str, data: bytes) -> Recording | Problem:
    """Audio that is cut short is a problem too: its text says more than it does."""
    try:
        audio = load_audio(data)
    except AudioError as error:
        return Problem("audio not readable", f"{name}: {error}")
    if audio.warnings:
        return Problem("audio damaged", f"{name}: {audio.warnings[0]}")
    return Recording(name, text, _int16(audio.samples))


def _int16(samples: npt.NDArray[np.float32]) -> Int16:
    scaled: Int16 = np.rint(samples * 32768.0).clip(-32768, 32767).astype(np.int16)
    return scaled
