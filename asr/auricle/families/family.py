"""The interface of a family of models."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from auricle.config import FeatureConfig, ModelConfig, TransformerConfig
from auricle.decoding import DecodingPolicy
from auricle.families.description import Description
from auricle.families.parts import Sources
from auricle.families.published import FileFormat
from auricle.features import Features
from auricle.tokenizer import Vocabulary
from auricle_types.options import AudioContext

Vocabulary_co = TypeVar("Vocabulary_co", bound=Vocabulary, covariant=True)


@dataclass(frozen=True, slots=True)
class HubMapping:
    """How a folder of the Hub maps onto our dimensions, weights and tokenizer."""

    configure: Callable[[Description], ModelConfig]
    sources: Callable[[TransformerConfig], Sources]
    tokenizer: Callable[[Path], Vocabulary]


@dataclass(frozen=True, slots=True)
class VocabularyCut(Generic[Vocabulary_co]):
    """A shorter vocabulary, and the id in the longer one of each of its tokens."""

    tokenizer: Vocabulary_co
    kept: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """Models of one architecture: how they are read, and how they are decoded."""

    name: str  # in a checkpoint's header; `model_type` in config.json on the Hub
    models: str  # the names that people know
    features: Mapping[str, Callable[[FeatureConfig], Features]]  # by `FeatureConfig.kind`
    tokenizers: Mapping[str, Callable[[bytes], Vocabulary]]  # by `ModelConfig.tokenizer`
    policy: Callable[[ModelConfig, Vocabulary], DecodingPolicy]
    hub: HubMapping | None = None  # None: the Hub has no such models
    formats: tuple[FileFormat, ...] = ()  # other files that hold such models
    cut_vocabulary: Callable[[Vocabulary, int], VocabularyCut[Vocabulary]] | None = (
        None  # to some merges
    )
    fills_window: bool = False  # the models were trained on audio with silence up to the window

    def knows_short_context(self, config: ModelConfig) -> bool:
        """Whether a model is as good without the silence that fills its window."""
        return config.short_context or not self.fills_window

    def usual_context(self, config: ModelConfig) -> AudioContext:
        """Return what a model's encoder gets where nobody asks: what it was trained on."""
        if not self.fills_window:
            return config.audio_context
        return "auto" if config.short_context else "full"
