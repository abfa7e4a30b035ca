"""Saves a model as one self-describing file: weights, dimensions and tokenizer.

The dimensions stand in the header under `auricle`, the tokenizer is a tensor of bytes. Nothing in
the file is ever executed.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from auricle.config import Calibration, ModelConfig
from auricle.families import check_config, new_tokenizer
from auricle.language_model import NGramModel, load_language_model, path_beside
from auricle.model import SpeechTransformer, is_finite, skeleton
from auricle.storage import replacing
from auricle.stored_weights import SCALES, from_stored, to_stored, unscaled, without_scales
from auricle.tokenizer import Tokenizer, Vocabulary
from auricle_types.errors import CheckpointMismatchError, CorruptCheckpointError, UnknownModelError
from auricle_types.parsing import parse_json

Shapes = Mapping[str, tuple[int, ...]]
_LISTED = 0.9  # least share of a vocabulary that a tokenizer of others lists
HEADER_KEY = "auricle"
TOKENIZER_KEY = "tokenizer"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A loaded model with its tokenizer; its dimensions are `model.config`."""

    model: SpeechTransformer
    tokenizer: Vocabulary
    language_model: NGramModel | None = None


def save_checkpoint(
    path: Path, model: SpeechTransformer, tokenizer: Vocabulary, dtype: torch.dtype = torch.float32
) -> None:
    """Write `model`, its dimensions and `tokenizer` to `path`, the weights as `dtype`.

    In int8, matrices are integers with scales; the rest is float16.

    Raises:
        StorageError: it cannot be written; a file that was there is still there.
    """
    tensors = to_stored(model.state_dict(), dtype)
    tensors[TOKENIZER_KEY] = torch.frombuffer(bytearray(tokenizer.serialized), dtype=torch.uint8)
    _write(path, tensors, model.config)


def is_ours(path: Path) -> bool:
    """Whether a file says that `save_checkpoint` wrote it."""
    try:
        with safe_open(path, framework="pt") as file:
            return HEADER_KEY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def load_checkpoint(
    path: Path, lm: Path | None = None, *, dtype: torch.dtype = torch.float32
) -> Checkpoint:
    """Read a file that `save_checkpoint` wrote; weights come back as `dtype` on the CPU.

    Args:
        path: of the file.
        lm: the file of a language model; by default the one that lies beside the checkpoint,
            `english.lm.safetensors` beside `english.safetensors`, if there is one.
        dtype: of the weights, whatever it is in the file.

    Raises:
        UnknownModelError: there is no such file.
        CorruptCheckpointError: truncated, damaged, or no Auricle checkpoint.
        CheckpointMismatchError: weights missing, unexpected or of the wrong shape, all listed; or
            a tokenizer of another size. Both are raised for the language model, too.
    """
    config, tensors = _read(path)
    try:
        tokenizer = new_tokenizer(config, tensors.pop(TOKENIZER_KEY).numpy().tobytes())
    except (KeyError, RuntimeError) as error:
        raise CorruptCheckpointError(f"{path}: holds no readable tokenizer ({error})") from error
    check_vocabulary(str(path), config, tokenizer)
    language_model = _language_model(path, lm, tokenizer)
    return Checkpoint(_build(path, config, tensors, dtype), tokenizer, language_model)


def check_vocabulary(name: str, config: ModelConfig, tokenizer: Vocabulary) -> None:
    """Raise CheckpointMismatchError unless the tokenizer is of the size that the weights are for.

    Vocabularies that others made may leave some ids unused.
    """
    found, expected = tokenizer.vocab_size, config.transformer.vocab_size
    fits = found == expected or (
        config.tokenizer != "sentencepiece" and _LISTED * expected <= found < expected
    )
    if not fits:
        raise CheckpointMismatchError(
            f"{name}: the tokenizer has {found} pieces, the weights are for {expected}: "
            "take both from the same model"
        )


def _language_model(path: Path, lm: Path | None, tokenizer: Vocabulary) -> NGramModel | None:
    if lm is None and not path_beside(path).is_file():
        return None
    if not isinstance(tokenizer, Tokenizer):
        raise CheckpointMismatchError(f"{path}: language models are for models of our own")
    return load_language_model(lm or path_beside(path), tokenizer)


def save_calibration(path: Path, calibration: Calibration) -> None:
    """Write `calibration` into a checkpoint's header; its weights stay as they are.

    Raises:
        UnknownModelError: there is no such file.
        CorruptCheckpointError: truncated, damaged, or no Auricle checkpoint.
        StorageError: it cannot be written; the old one is still there.
    """
    config, tensors = _read(path)
    _write(path, tensors, replace(config, calibration=calibration))


def _write(path: Path, tensors: dict[str, Tensor], config: ModelConfig) -> None:
    with replacing(path) as partial:
        save_file(tensors, partial, metadata={HEADER_KEY: json.dumps(config.to_dict())})


def read_header(path: Path) -> tuple[ModelConfig, Shapes]:
    """Read a model's dimensions and the shapes of its weights; the weights are not read.

    Raises as `load_checkpoint` does of a file's header.
    """
    with _opened(path) as file:
        beside = (TOKENIZER_KEY, SCALES)
        names = [name for name in file.keys() if not name.endswith(beside)]  # noqa: SIM118
        return _config(file), {name: tuple(file.get_slice(name).get_shape()) for name in names}


def _read(path: Path) -> tuple[ModelConfig, dict[str, Tensor]]:
    with _opened(path) as file:
        return _config(file), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _config(file: Any) -> ModelConfig:  # noqa: ANN401  # safe_open has no types
    config = ModelConfig.from_dict(parse_json((file.metadata() or {})[HEADER_KEY]))
    check_config(config)
    return config


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise UnknownModelError(
            f"no checkpoint at {path}: give the path of a model's file or folder, or a name that "
            "`auricle models list` shows"
        )
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise CorruptCheckpointError(
            f"{path}: no readable .safetensors file ({error}): copy it again if it is one, "
            "or take the model in that format"
        ) from error
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise CorruptCheckpointError(
            f"{path}: no Auricle checkpoint, its header does not describe a model ({error}); "
            "weights from elsewhere need their config.json and tokenizer.json beside them"
        ) from error


def _build(
    path: Path, config: ModelConfig, tensors: dict[str, Tensor], dtype: torch.dtype
) -> SpeechTransformer:
    model = skeleton(config)
    faults = _faults(model.state_dict(), tensors)
    if faults:
        raise CheckpointMismatchError(f"{path}: does not fit its dimensions:\n" + "\n".join(faults))
    weights = from_stored(tensors, dtype)
    broken = [name for name, weight in weights.items() if not is_finite(weight)]
    if broken:
        raise CorruptCheckpointError(f"{path}: NaN or infinite weights in {', '.join(broken)}")
    model.load_state_dict(weights, assign=True)
    return model.eval()


def _faults(expected: dict[str, Tensor], tensors: dict[str, Tensor]) -> list[str]:
    found = without_scales(tensors)
    missing = [f"  missing {name}" for name in sorted(expected.keys() - found.keys())]
    unexpected = [f"  unexpected {name}" for name in sorted(found.keys() - expected.keys())]
    shapes = [
        f"  {name} is {tuple(found[name].shape)}, not {tuple(expected[name].shape)}"
        for name in sorted(expected.keys() & found.keys())
        if found[name].shape != expected[name].shape
    ]
    scales = [f"  {name} is int8 without fitting scales" for name in unscaled(tensors)]
    return missing + unexpected + shapes + scales
