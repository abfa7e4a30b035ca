"""The bundled model and people for it to hear: helpers for tests, no tests."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from auricle.audio import load_audio
from auricle.checkpoint import load_checkpoint
from auricle.config import SAMPLE_RATE
from auricle.decoding import ScorerFactory
from auricle.engine.devices import prepare
from auricle.families import new_policy
from auricle.model import SpeechTransformer
from auricle.naming import model_path
from auricle_types.options import DecodingOptions
from tests.asr.language_models import random_model
from tests.asr.tiny import prepared_model, sounds

Samples = npt.NDArray[np.float32]

SAMPLES = Path(__file__).parents[2] / "samples"
CUTS = ((0.0, 1.3), (0.5, 0.6), (1.0, 2.2), (0.2, 0.9), (1.5, 1.7), (0.8, 1.0))  # start, seconds


@functools.cache
def bundled_model(dtype: torch.dtype) -> SpeechTransformer:
    """The model that is in the package, ready for the CPU. Do not change it."""
    model = load_checkpoint(model_path("bundled")).model
    return prepare(model, torch.device("cpu"), dtype)


@functools.cache
def bundled_scorer_factory() -> ScorerFactory:
    """What that model is asked for and how."""
    checkpoint = load_checkpoint(model_path("bundled"))
    config = checkpoint.model.config
    return ScorerFactory.of(config, new_policy(config, checkpoint.tokenizer))


@functools.cache
def tiny_scorer_factory() -> ScorerFactory:
    """With a language model."""
    config = prepared_model(torch.float32).config
    language_model, _ = random_model(vocab_size=config.transformer.vocab_size, order=2)
    return ScorerFactory.of(config, language_model=language_model)


@functools.cache
def voices() -> tuple[Samples, ...]:
    """Synthetic speech, a second or two of each sample: none as long as another."""
    paths = sorted(SAMPLES.glob("*.wav"))[: len(CUTS)]
    cuts = [
        load_audio(path).samples[round(start * SAMPLE_RATE) :][: round(seconds * SAMPLE_RATE)]
        for path, (start, seconds) in zip(paths, CUTS, strict=True)
    ]
    return tuple(cuts)


@dataclass(frozen=True)
class Ears:
    """A model in some dtype, and what it hears."""

    name: str
    dtype: torch.dtype

    @property
    def model(self) -> SpeechTransformer:
        """Ready for the CPU."""
        return bundled_model(self.dtype) if self.name == "bundled" else prepared_model(self.dtype)

    @property
    def samples(self) -> Sequence[Samples]:
        """Six, of different lengths."""
        return voices() if self.name == "bundled" else sounds()

    @property
    def scorer_factory(self) -> ScorerFactory:
        """What the model can be asked for, and how."""
        return bundled_scorer_factory() if self.name == "bundled" else tiny_scorer_factory()

    def possible(self, options: Sequence[DecodingOptions]) -> list[DecodingOptions]:
        """Without what the model does not have, and short; the first says no times, others may."""
        if self.name != "bundled":
            return list(options)
        plain = [
            replace(each, ctc_weight=None, lm_weight=None, max_tokens=min(each.max_tokens or 4, 4))
            for each in options
        ]
        return [replace(plain[0], timestamps=False), *plain[1:]]

    def __str__(self) -> str:
        return f"{self.name}-{str(self.dtype).removeprefix('torch.')}"
