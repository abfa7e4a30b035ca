"""A published model before its weights are read, whatever the format of its files."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from auricle.config import ModelConfig
from auricle.families.description import Description
from auricle.families.folder import CONFIG
from auricle.families.parts import Sources
from auricle.families.weights import Weights
from auricle.tokenizer import Vocabulary
from auricle_types.errors import (
    CheckpointMismatchError,
    CorruptCheckpointError,
    InvalidOptionError,
)


@dataclass(frozen=True, slots=True)
class Published:
    """Its dimensions, its weights by their names, and how to read its vocabulary."""

    config: ModelConfig
    sources: Sources
    weights: Weights
    tokenizer: Callable[[], Vocabulary]
    suppresses_by_vocabulary: bool = False  # only the vocabulary lists all suppressed tokens


class FileFormat(Protocol):
    """A format of files that hold models of one family."""

    suffix: str  # of files that hold a whole model; "" where it takes a folder

    def holds(self, path: Path) -> bool:
        """Whether a folder or file is of this format."""
        ...

    def read(self, path: Path) -> Published:
        """Read all but the weights. Raises a ModelError: its class says what is wrong."""
        ...


def configured(configure: Callable[[Description], ModelConfig], about: Description) -> ModelConfig:
    """Make the config of a model that is described by others' files.

    Raises:
        CorruptCheckpointError: the files describe no model that can be.
        CheckpointMismatchError: special tokens are beyond the vocabulary.
    """
    try:
        config = configure(about)
        beyond = _beyond_vocabulary(config)
    except (InvalidOptionError, ArithmeticError, AttributeError, TypeError, ValueError) as error:
        raise CorruptCheckpointError(
            f"{about.name}: {CONFIG} or generation_config.json describes no model that can be "
            f"({error}): copy them again"
        ) from error
    if beyond:
        raise CheckpointMismatchError(
            f"{about.name}: tokens {beyond} are beyond its vocabulary of "
            f"{config.transformer.vocab_size}: take generation_config.json and {CONFIG} from the "
            "same model"
        )
    return config


def _beyond_vocabulary(config: ModelConfig) -> list[int]:
    """Return the special tokens that the vocabulary has no room for."""
    tokens = (*config.tokens.start, config.tokens.end, *config.tokens.suppressed)
    return sorted({token for token in tokens if not 0 <= token < config.transformer.vocab_size})
