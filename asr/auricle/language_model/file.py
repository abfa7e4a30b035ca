"""One self-describing file: an n-gram model in a safetensors file. Nothing in it is executed.

Of the trie it holds what cannot be computed: each node's token, how many children it has, and
where in its order's book its log-probability and its backoff stand.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from auricle.language_model.ngram import LEVELS, NGramModel
from auricle.storage import replacing
from auricle.tokenizer import Tokenizer
from auricle_types.errors import CheckpointMismatchError, CorruptCheckpointError, UnknownModelError
from auricle_types.parsing import parse_json

HEADER_KEY = "auricle_lm"
Arrays = dict[str, npt.NDArray[Any]]


def path_beside(checkpoint: Path) -> Path:
    """Where a checkpoint's lies: `english.lm.safetensors` for `english.safetensors`."""
    return checkpoint.with_suffix(".lm.safetensors")


def save_language_model(path: Path, model: NGramModel, tokenizer: Tokenizer) -> None:
    """Write `model`, over the tokens of `tokenizer`; the same model gives the same bytes.

    Raises:
        StorageError: it cannot be written; a file that was there is still there.
    """
    children = np.diff(model.first)
    width = np.min_scalar_type(model.vocab_size)
    arrays: Arrays = {
        "tokens": model.tokens.astype(width),
        "children": children.astype(width),
        "log_probs": model.log_probs,
        "backoffs": model.backoffs[children > 0],  # without children nothing is left to others
        "log_prob_books": model.log_prob_books,
        "backoff_books": model.backoff_books,
    }
    header = {"order": model.order, "tokenizer": digest(tokenizer)}
    with replacing(path) as partial:
        save_file(arrays, partial, metadata={HEADER_KEY: json.dumps(header)})


def load_language_model(path: Path, tokenizer: Tokenizer) -> NGramModel:
    """Read a file that `save_language_model` wrote.

    Raises:
        UnknownModelError: there is no such file.
        CorruptCheckpointError: truncated, damaged, or no language model of Auricle.
        CheckpointMismatchError: it is over the tokens of another tokenizer.
    """
    if not path.is_file():
        raise UnknownModelError(f"no language model at {path}: `auricle lm` makes one")
    header, arrays = _read(path)
    if header.get("tokenizer") != digest(tokenizer):
        raise CheckpointMismatchError(
            f"{path}: made for the tokenizer of another model; "
            "`auricle lm` makes one for this model, or move the file away"
        )
    try:
        return _built(int(header["order"]), tokenizer.vocab_size, arrays)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise CorruptCheckpointError(f"{path}: damaged, copy it again ({error!r})") from error


def digest(tokenizer: Tokenizer) -> str:
    """What tells tokenizers apart."""
    return hashlib.sha256(tokenizer.serialized).hexdigest()


def _read(path: Path) -> tuple[dict[str, Any], Arrays]:
    try:
        with safe_open(path, framework="numpy") as file:
            header = parse_json((file.metadata() or {})[HEADER_KEY])
            return dict(header), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise CorruptCheckpointError(
            f"{path}: truncated or damaged, copy it again ({error})"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptCheckpointError(
            f"{path}: no language model, its header does not say so ({error!r})"
        ) from error


def _built(order: int, vocab_size: int, arrays: Arrays) -> NGramModel:
    """Raises ValueError, KeyError or IndexError where arrays do not belong together."""
    children, tokens = arrays["children"].astype(np.int64), arrays["tokens"]
    first = vocab_size + np.concatenate([[0], np.cumsum(children)])
    if first[-1] != len(tokens):
        raise ValueError("n-grams without a place in the trie")
    backoffs = np.zeros(len(children), np.uint8)
    backoffs[children > 0] = arrays["backoffs"]
    model = NGramModel(
        order,
        vocab_size,
        tokens,
        first.astype(np.int32),
        arrays["log_probs"],
        backoffs,
        arrays["log_prob_books"],
        arrays["backoff_books"],
    )
    if fault := _fault(model):
        raise ValueError(fault)
    return model


def _fault(model: NGramModel) -> str | None:
    """What would lead a search astray, or out of an array."""
    books = (model.log_prob_books, model.backoff_books)
    if model.order < 2 or any(each.shape != (model.order, LEVELS) for each in books):
        return "books of another order"
    if not all(each.dtype == np.float32 and np.isfinite(each).all() for each in books):
        return "books that are not finite"
    if model.tokens.ndim != 1 or model.log_probs.shape != model.tokens.shape:
        return "n-grams without their probability"
    if model.log_probs.dtype != np.uint8 or model.tokens.dtype.kind != "u":
        return "numbers of another kind"
    if not _levels(model.first, model.vocab_size, model.order):
        return "n-grams of another order"
    return "unknown tokens" if model.tokens.max() >= model.vocab_size else None


def _levels(first: npt.NDArray[np.int32], vocab_size: int, order: int) -> bool:
    """Whether the nodes with room for children are those of all orders but the highest."""
    end = vocab_size
    for _ in range(order - 2):
        if end >= len(first):
            return False
        end = int(first[end])
    return end == len(first) - 1
