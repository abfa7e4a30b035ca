"""What a run begins with: a tokenizer and weights, new ones or a checkpoint's."""

from dataclasses import asdict
from typing import Any

from auricle.config import ModelConfig
from auricle.families import new_tokenizer
from auricle.model import SpeechTransformer
from auricle.pretrained import load_pretrained
from auricle.storage import replacing
from auricle.tokenizer import Tokenizer, Vocabulary
from auricle.training.config import TrainingConfig
from auricle.training.growth import grow
from auricle_types.errors import CheckpointMismatchError

_MAY_DIFFER = {"dropout"}  # of the dimensions: it has no weights
_MAY_GROW = {"encoder_layers", "decoder_layers"}


def tokenizer(config: TrainingConfig, texts: list[str]) -> Vocabulary:
    """The run's tokenizer: its own since it began, the checkpoint's, or learnt from `texts`."""
    path = config.output / "tokenizer.model"
    if not path.exists():
        with replacing(path) as partial:
            partial.write_bytes(_first_tokenizer(config, texts).serialized)
    return new_tokenizer(config.model, path.read_bytes())


def model(config: TrainingConfig, *, resumed: bool = False) -> SpeechTransformer:
    """Random weights, or those of `config.init`, which a run that is `resumed` no longer needs.

    Raises:
        ModelError: it cannot be read.
        CheckpointMismatchError: it has other dimensions or features than the recipe's model, or
            more layers.
    """
    new = SpeechTransformer(config.model)
    if config.init is not None and not resumed:
        found = load_pretrained(config.init).model
        differences = _differences(found.config, config.model)
        if differences:
            listed = "; ".join(differences)
            raise CheckpointMismatchError(f"{config.init}: is of another model: {listed}")
        grow(new, found)
    return new


def _first_tokenizer(config: TrainingConfig, texts: list[str]) -> Vocabulary:
    if config.init is not None:
        found = load_pretrained(config.init)
        if found.model.config.tokenizer != config.model.tokenizer:
            raise CheckpointMismatchError(
                f"{config.init}: is of another family than the recipe's model: leave [model] out"
            )
        return found.tokenizer
    return Tokenizer.train(texts, config.model.transformer.vocab_size)


def _differences(found: ModelConfig, wanted: ModelConfig) -> list[str]:
    goals = _dims(wanted)
    return [
        f"{name} is {value!r}, the recipe's {goals[name]!r}"
        for name, value in _dims(found).items()
        if value != goals[name] and not (name in _MAY_GROW and value < goals[name])
    ]


def _dims(config: ModelConfig) -> dict[str, Any]:
    dims = asdict(config.transformer) | asdict(config.features)
    return {name: value for name, value in dims.items() if name not in _MAY_DIFFER}
