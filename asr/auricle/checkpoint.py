"""One self-describing file: weights, dimensions and tokenizer in a single safetensors file.

The dimensions stand in the header under `auricle`, the tokenizer is a tensor of bytes. Nothing in
the file is ever executed.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from auricle.config import Calibration, ModelConfig
from auricle.errors import CheckpointMismatchError, CorruptCheckpointError, UnknownModelError
from auricle.language_model import NGramModel, load_language_model, path_beside
from auricle.model import SpeechTransformer
from auricle.tokenizer import Tokenizer

HEADER_KEY = "auricle"
TOKENIZER_KEY = "tokenizer"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A loaded model with its tokenizer; its dimensions are `model.config`."""

    model: SpeechTransformer
    tokenizer: Tokenizer
    language_model: NGramModel | None = None


def save_checkpoint(
    path: Path, model: SpeechTransformer, tokenizer: Tokenizer, dtype: torch.dtype = torch.float32
) -> None:
    """Write `model`, its dimensions and `tokenizer` to `path`, the weights as `dtype`."""
    tensors = {name: weight.to(dtype).contiguous() for name, weight in model.state_dict().items()}
    tensors[TOKENIZER_KEY] = torch.frombuffer(bytearray(tokenizer.serialized), dtype=torch.uint8)
    save_file(tensors, path, metadata={HEADER_KEY: json.dumps(model.config.to_dict())})


def load_checkpoint(path: Path, lm: Path | None = None) -> Checkpoint:
    """Read a file that `save_checkpoint` wrote; weights come back as float32 on the CPU.

    Args:
        path: of the file.
        lm: the file of a language model; by default the one that lies beside the checkpoint,
            `english.lm.safetensors` beside `english.safetensors`, if there is one.

    Raises:
        UnknownModelError: there is no such file.
        CorruptCheckpointError: truncated, damaged, or no Auricle checkpoint.
        CheckpointMismatchError: weights missing, unexpected or of the wrong shape, all listed; or
            a tokenizer of another size. Both are raised for the language model, too.
    """
    if not path.is_file():
        raise UnknownModelError(f"no checkpoint at {path}: give the path of a .safetensors file")
    config, tensors = _read(path)
    try:
        tokenizer = Tokenizer(tensors.pop(TOKENIZER_KEY).numpy().tobytes())
    except (KeyError, RuntimeError) as error:
        raise CorruptCheckpointError(f"{path}: holds no readable tokenizer ({error})") from error
    if tokenizer.vocab_size != config.transformer.vocab_size:
        raise CheckpointMismatchError(
            f"{path}: the tokenizer has {tokenizer.vocab_size} pieces, "
            f"the weights are for {config.transformer.vocab_size}"
        )
    language_model = _language_model(path, lm, tokenizer)
    return Checkpoint(_build(path, config, tensors), tokenizer, language_model)


def _language_model(path: Path, lm: Path | None, tokenizer: Tokenizer) -> NGramModel | None:
    if lm is None and not path_beside(path).is_file():
        return None
    return load_language_model(lm or path_beside(path), tokenizer)


def save_calibration(path: Path, calibration: Calibration) -> None:
    """Write `calibration` into a checkpoint's header; its weights stay as they are.

    Raises:
        UnknownModelError: there is no such file.
        CorruptCheckpointError: truncated, damaged, or no Auricle checkpoint.
    """
    if not path.is_file():
        raise UnknownModelError(f"no checkpoint at {path}: give the path of a .safetensors file")
    config, tensors = _read(path)
    header = json.dumps(replace(config, calibration=calibration).to_dict())
    beside = path.with_name(path.name + ".new")  # a run that is stopped leaves the old one whole
    save_file(tensors, beside, metadata={HEADER_KEY: header})
    beside.replace(path)


def _read(path: Path) -> tuple[ModelConfig, dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return ModelConfig.from_dict(json.loads(header[HEADER_KEY])), tensors
    except SafetensorError as error:
        raise CorruptCheckpointError(
            f"{path}: truncated or damaged, copy it again ({error})"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptCheckpointError(
            f"{path}: no Auricle checkpoint, its header does not describe a model ({error})"
        ) from error


def _build(path: Path, config: ModelConfig, tensors: dict[str, Tensor]) -> SpeechTransformer:
    with torch.device("meta"):  # dimensions only; the weights follow
        model = SpeechTransformer(config)
    faults = _faults(model.state_dict(), tensors)
    if faults:
        raise CheckpointMismatchError(f"{path}: does not fit its dimensions:\n" + "\n".join(faults))
    weights = {name: tensor.float() for name, tensor in tensors.items()}
    broken = [name for name, weight in weights.items() if not weight.isfinite().all()]
    if broken:
        raise CorruptCheckpointError(f"{path}: NaN or infinite weights in {', '.join(broken)}")
    model.load_state_dict(weights, assign=True)
    return model.eval()


def _faults(expected: dict[str, Tensor], found: dict[str, Tensor]) -> list[str]:
    missing = [f"  missing {name}" for name in sorted(expected.keys() - found.keys())]
    unexpected = [f"  unexpected {name}" for name in sorted(found.keys() - expected.keys())]
    shapes = [
        f"  {name} is {tuple(found[name].shape)}, not {tuple(expected[name].shape)}"
        for name in sorted(expected.keys() & found.keys())
        if found[name].shape != expected[name].shape
    ]
    return missing + unexpected + shapes
