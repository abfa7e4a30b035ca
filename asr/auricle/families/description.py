"""The JSON files that describe a model, in its folder."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from auricle.families.folder import CONFIG
from auricle_types.errors import (
    CheckpointMismatchError,
    CorruptCheckpointError,
    UnknownArchitectureError,
)
from auricle_types.parsing import parse_json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Description:
    """A model's dimensions, its authors' decoding options, and its features."""

    name: str
    config: dict[str, Any]
    generation: dict[str, Any] = field(default_factory=dict)
    preprocessor: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> "Description":
        """Read a folder's files; raises CorruptCheckpointError where one is no JSON object."""
        return cls(
            _name(folder),
            _read(folder / CONFIG),
            _read(folder / "generation_config.json", optional=True),
            _read(folder / "preprocessor_config.json", optional=True),
        )

    @property
    def architecture(self) -> str:
        """The name of the architecture in config.json."""
        return self.get("model_type", str)

    def get(self, name: str, kind: type[T]) -> T:
        """Read an entry of config.json. Raises CorruptCheckpointError: none, or of another type."""
        value = self.config.get(name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise CorruptCheckpointError(
                f"{self.name}: {name} in {CONFIG} must be a {kind.__name__}, not {value!r}"
            )
        return value

    def count(self, *names: str) -> int:
        """Read a number that config.json has under all of these names.

        Raises UnknownArchitectureError where they differ.
        """
        values = {name: self.get(name, int) for name in names}
        if len(set(values.values())) > 1:
            named = ", ".join(f"{name}={value}" for name, value in values.items())
            raise UnknownArchitectureError(f"{self.name}: {named} must be equal")
        return values[names[0]]

    def require(self, name: str, *values: object) -> None:
        """Raises UnknownArchitectureError unless config.json says one of `values`, or nothing."""
        found = self.config.get(name, values[0])
        if found not in values:
            raise UnknownArchitectureError(
                f"{self.name}: {name}={found!r} is not supported, only {values[0]!r}"
            )

    def agree(self, name: str, value: int) -> None:
        """Raises CheckpointMismatchError where preprocessor_config.json contradicts."""
        found = self.preprocessor.get(name, value)
        if found != value:
            raise CheckpointMismatchError(
                f"{self.name}: {name} is {found!r} in preprocessor_config.json, but {value} "
                f"by {CONFIG}: take both from the same model"
            )

    def token(self, name: str) -> int:
        """Read a token's id from the generation config, or else from config.json."""
        value = self.generation.get(name, self.config.get(name))
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, int):
            raise CorruptCheckpointError(f"{self.name}: {name} must be a token, not {value!r}")
        return value


def _name(folder: Path) -> str:
    """Name the folder; one in the Hub's cache has a revision for a name, so take the model's."""
    parts = folder.resolve().parts
    if len(parts) > 2 and parts[-2] == "snapshots" and parts[-3].startswith("models--"):
        return "/".join(parts[-3].split("--")[1:])
    return folder.resolve().name


def _read(path: Path, *, optional: bool = False) -> dict[str, Any]:
    if optional and not path.is_file():
        return {}
    try:
        found = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CorruptCheckpointError(f"{path}: no readable JSON ({error})") from error
    if not isinstance(found, dict):
        raise CorruptCheckpointError(f"{path}: must hold a JSON object")
    return found
