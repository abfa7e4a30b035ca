"""Finds models by their path or their name."""

import os
from importlib import resources
from pathlib import Path

from auricle_types.errors import DownloadError, UnknownModelError

BUNDLED = "bundled"
_SUFFIXES = (".pt", ".safetensors", ".bin")  # of files, which no name on the Hub ends with


def model_path(model: str | Path) -> Path:
    """Find a model by its path or its name, and download one of the Hub's at first use.

    A path that exists comes before a name; `~` at its beginning is the user's folder.

    Raises:
        UnknownModelError, DownloadError, ChecksumMismatchError: it reads like a name and cannot
            be had.
    """
    name = str(model)
    if name == BUNDLED:
        return Path(str(resources.files("auricle") / "assets" / "english.safetensors"))
    path = Path(os.path.expanduser(name))  # noqa: PTH111  # Path raises where there is no such user
    is_file = path.suffix in _SUFFIXES  # that was mistyped, if it is not there
    if path.exists() or is_file:
        return path
    from auricle.hub.reference import hint, is_model_name  # late: most models need no Hub

    if is_model_name(name):
        return _of_the_hub(name)
    if "/" not in name:
        raise UnknownModelError(f"there is no model {name!r}, here or by that name{hint(name)}")
    return path


def _of_the_hub(name: str) -> Path:
    from auricle.hub.download import hub_folder

    try:
        return hub_folder(name)
    except (UnknownModelError, DownloadError) as error:
        raise type(error)(f"there is no {name} here, and {error}") from error
