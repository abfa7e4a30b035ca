"""The models that have a short name: models.toml lists where they are published, and the sums of
their files.
"""

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from auricle.tokenizer.languages import LANGUAGES

LICENCE = "MIT"  # of all of them


@dataclass(frozen=True, slots=True)
class KnownFile:
    """One file of a model; None: no public source was found."""

    name: str
    size: int | None = None  # bytes
    sha256: str | None = None

    @property
    def is_weights(self) -> bool:
        """Whether the Hub keeps it as a large file, whose SHA-256 it states."""
        return self.name in ("model.bin", "model.safetensors")


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model by its short name: which commit of which repository on the Hub it stands for."""

    name: str
    aliases: tuple[str, ...]
    repository: str
    revision: str
    languages: tuple[str, ...]  # codes
    parameters: int  # as its authors round them
    files: tuple[KnownFile, ...]
    licence: str = LICENCE

    @property
    def size(self) -> int | None:
        """The bytes of all files; None where one is not known."""
        sizes = [file.size for file in self.files if file.size is not None]
        return sum(sizes) if len(sizes) == len(self.files) else None

    @property
    def sums(self) -> dict[str, str]:
        """The SHA-256 of each file whose sum is known."""
        return {file.name: file.sha256 for file in self.files if file.sha256 is not None}


@cache
def known_models() -> tuple[KnownModel, ...]:
    """List the known models: small ones first, distilled ones and other families last."""
    text = resources.files("auricle.hub").joinpath("models.toml").read_text(encoding="utf-8")
    return tuple(_model(name, entry) for name, entry in tomllib.loads(text).items())


def find(name: str) -> KnownModel | None:
    """Find a model by its name or an alias, maybe with a prefix such as `faster-`."""
    short = _short(name)
    return next((each for each in known_models() if short in (each.name, *each.aliases)), None)


def nearest(name: str) -> str | None:
    """Find the name, or else the repository, that is nearest to a mistyped one."""
    names = [name for each in known_models() for name in (each.name, *each.aliases)]
    near = difflib.get_close_matches(_short(name), names, n=1)
    near += difflib.get_close_matches(name, [each.repository for each in known_models()], n=1)
    return next(iter(near), None)


def _short(name: str) -> str:
    return name.removeprefix("faster-").removeprefix("whisper-")


def _model(name: str, entry: dict[str, Any]) -> KnownModel:
    return KnownModel(
        name,
        tuple(entry.get("aliases", ())),
        entry["repository"],
        entry["revision"],
        tuple(LANGUAGES)[: entry["languages"]],
        entry["parameters"],
        tuple(KnownFile(file, **values) for file, values in entry["files"].items()),
    )
