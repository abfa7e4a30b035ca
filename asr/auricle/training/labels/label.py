"""Labels in files: a chunk of utterances each, there as a whole or not at all."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from auricle.storage import replacing, writing
from auricle_types.errors import ManifestError

_KEY = "labels"  # of the header
_DTYPES = {
    "tokens": torch.int32,
    "places": torch.int32,
    "likely": torch.int32,
    "log_probs": torch.float16,
}


@dataclass(frozen=True, slots=True)
class Label:
    """An utterance's corrected text, and the `K` likeliest tokens at each place by the teacher."""

    text: str
    tokens: Tensor  # (U,), END behind the text included
    places: Tensor  # (U,), bytes of the text before each token
    likely: Tensor  # (U, K)
    log_probs: Tensor  # (U, K)


def write_labels(path: Path, labels: Mapping[str, Label]) -> None:
    """Those of a chunk, by the names of its utterances. Raises StorageError."""
    rows = [[name, each.text, len(each.tokens)] for name, each in labels.items()]
    header = {_KEY: json.dumps(rows)}
    tensors = {
        kind: torch.cat([getattr(each, kind) for each in labels.values()]).to(dtype)
        for kind, dtype in _DTYPES.items()
        if labels
    }
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        save_file(tensors, partial, metadata=header)


def read_labels(folder: Path) -> dict[str, Label]:
    """All labels in `folder`, by the names of the utterances.

    Raises ManifestError: there are none, or they cannot be read.
    """
    chunks = sorted(folder.glob("*.safetensors"))
    if not chunks:
        raise ManifestError(f"no labels in {folder}: make them by `auricle label RECIPE`")
    labels: dict[str, Label] = {}
    for chunk in chunks:
        labels |= _read(chunk)
    return labels


def _read(path: Path) -> dict[str, Label]:
    try:
        with safe_open(path, framework="pt") as file:
            rows = json.loads(file.metadata()[_KEY])
            lens = [length for _, _, length in rows]
            parts = [file.get_tensor(kind).split(lens) for kind in _DTYPES if rows]
            labels = zip(rows, *parts, strict=True) if parts else ()
            return {name: Label(text, *each) for (name, text, _), *each in labels}
    except (SafetensorError, OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise ManifestError(
            f"{path}: no readable labels ({error}): delete it, label again"
        ) from error
