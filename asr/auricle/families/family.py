"""What a family of published models must say of itself."""

from collections.abc import Callable
from dataclasses import dataclass

from auricle.config import ModelConfig, TransformerConfig
from auricle.families.description import Description
from auricle.families.parts import Sources


@dataclass(frozen=True, slots=True)
class Family:
    """How the models of one architecture map onto ours."""

    name: str  # `model_type` in their config.json
    models: str  # that people know
    configure: Callable[[Description], ModelConfig]
    sources: Callable[[TransformerConfig], Sources]
