"""Published models: what their files say, as our dimensions and our weights.

Adding a family is one file (docs/checkpoints.md). Names are loaded on first use, so that the
registry does not import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auricle.families.hub import hub_folder, pull
    from auricle.families.pretrained import FAMILIES, describe, load_pretrained
    from auricle.families.reference import is_model_name

_HOMES = {
    "FAMILIES": "auricle.families.pretrained",
    "describe": "auricle.families.pretrained",
    "hub_folder": "auricle.families.hub",
    "is_model_name": "auricle.families.reference",
    "load_pretrained": "auricle.families.pretrained",
    "pull": "auricle.families.hub",
}

__all__ = [
    "FAMILIES",
    "describe",
    "hub_folder",
    "is_model_name",
    "load_pretrained",
    "pull",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'auricle.families' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
