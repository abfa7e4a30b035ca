"""Names of the files in a folder of a published model."""

from pathlib import Path

from auricle.tokenizer.folder import LISTS

CONFIG = "config.json"
MODEL, INDEX = "model.safetensors", "model.safetensors.index.json"
SHARDS = "model-*-of-*.safetensors"
MODEL_BIN = "model.bin"  # CTranslate2's weights


def is_ct2(folder: Path) -> bool:
    """Whether a folder holds CTranslate2's files, or what is left of them, and not the Hub's."""
    names = (MODEL_BIN, *LISTS)
    published = any((folder / name).is_file() for name in (MODEL, INDEX))
    return not published and any((folder / name).is_file() for name in names)


def folder_of(path: Path) -> Path:
    """Return the folder itself, or the one that a file lies in."""
    return path if path.is_dir() else path.parent
