"""Families of models. A family is one folder, and one line of the table below.

The rooms above ask this registry and import no family; the rooms below know of none. A family is
loaded on first use, so that listing the names does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from auricle_types.errors import InvalidOptionError, UnknownArchitectureError

if TYPE_CHECKING:
    from auricle.config import ModelConfig
    from auricle.decoding import DecodingPolicy
    from auricle.families.family import Family
    from auricle.features import Features
    from auricle.tokenizer import Vocabulary

_MODULES = {  # by the name of the family in a checkpoint's header and in config.json
    "whisper": "auricle.families.whisper.family",
    "moonshine": "auricle.families.moonshine.family",
    "auricle": "auricle.families.auricle.family",
}
_LOADED: dict[str, "Family"] = {}


def register(family: "Family") -> None:
    """Add a family, or replace the one of the same name."""
    _LOADED[family.name] = family


def family_names() -> tuple[str, ...]:
    """Return the names of all families."""
    return (*_MODULES, *(name for name in _LOADED if name not in _MODULES))


def family_of(name: str) -> "Family":
    """Return a family by its name.

    Raises:
        UnknownArchitectureError: there is no such family.
    """
    if name not in _LOADED:
        if name not in _MODULES:
            known = ", ".join(family_names())
            raise UnknownArchitectureError(f"there is no family {name!r}; known are {known}")
        register(import_module(_MODULES[name]).FAMILY)
    return _LOADED[name]


def check_config(config: "ModelConfig") -> None:
    """Raise InvalidOptionError: the model's family has no such features or tokenizer.

    Raises:
        UnknownArchitectureError: there is no such family.
    """
    family = family_of(config.family)
    for name, value, known in (
        ("kind", config.features.kind, family.features),
        ("tokenizer", config.tokenizer, family.tokenizers),
    ):
        if value not in known:
            raise InvalidOptionError(f"{name} must be {' or '.join(known)}, not {value!r}")


def new_features(config: "ModelConfig") -> "Features":
    """Make the features that a model was trained on."""
    return family_of(config.family).features[config.features.kind](config.features)


def new_tokenizer(config: "ModelConfig", serialized: bytes) -> "Vocabulary":
    """Make the tokenizer of a model from its bytes."""
    return family_of(config.family).tokenizers[config.tokenizer](serialized)


def new_policy(config: "ModelConfig", vocabulary: "Vocabulary") -> "DecodingPolicy":
    """Make the decoding policy of a model with this vocabulary.

    Raises:
        CheckpointMismatchError: the model and its vocabulary differ in their special tokens.
    """
    return family_of(config.family).policy(config, vocabulary)
