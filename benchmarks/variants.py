"""What the trials change of their base recipe, each one thing, and what was expected of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from auricle.config import strided
from auricle.training.config import TrainingConfig

Change = Callable[[TrainingConfig], TrainingConfig]


@dataclass(frozen=True, slots=True)
class Variant:
    """The options of one trial."""

    name: str
    expected: str
    change: Change


def shaped(config: TrainingConfig, **dimensions: Any) -> TrainingConfig:  # noqa: ANN401
    """With other dimensions of its transformer."""
    transformer = replace(config.model.transformer, **dimensions)
    return replace(config, model=replace(config.model, transformer=transformer))


def heard_in_the_middle(config: TrainingConfig, weight: float) -> TrainingConfig:
    """With so much of CTC's loss at the encoder's middle layer."""
    return replace(config, loss=replace(config.loss, intermediate_ctc_weight=weight))


def with_speech(config: TrainingConfig, manifests: Sequence[Path]) -> TrainingConfig:
    """With more to train on."""
    data = replace(config.data, train=(*config.data.train, *manifests))
    return replace(config, data=data)


def same(config: TrainingConfig) -> TrainingConfig:
    """The recipe as it is."""
    return config


def variants(synthetic: Sequence[Path] = ()) -> list[Variant]:
    """All trials; `synthetic` are manifests of speech that is added in one of them, if any.

    Feed-forward widths make up for what a change adds or takes, so that the sizes stay alike.
    """
    made = [
        Variant("base", "", same),
        Variant(
            "attention alone",
            "worse: convolution knows that sounds are local, attention has to learn it",
            partial(shaped, conv_kernel=0, ffn_dim=728),
        ),
        Variant(
            "sinusoidal positions",
            "a little worse: distances, not places, tell sounds apart",
            partial(shaped, positions="sinusoidal"),
        ),
        Variant(
            "CTC in the middle, too",
            "better: the lower layers hear sooner what they are for",
            partial(heard_in_the_middle, weight=0.3),
        ),
        Variant(
            "8x subsampling",
            "faster; later to align, and some texts have more pieces than frames",
            partial(shaped, stem=strided(2, 2, 2)),
        ),
        Variant(
            "400 pieces",
            "worse: each piece is seen a quarter as often",
            partial(shaped, vocab_size=400),
        ),
        Variant(
            "8x subsampling, 400 pieces",
            "worse than either change alone so early",
            partial(shaped, stem=strided(2, 2, 2), vocab_size=400),
        ),
        Variant(
            "deeper: 8 layers of 112",
            "slower a step; perhaps better",
            partial(shaped, encoder_layers=8, d_model=112, ffn_dim=448),
        ),
        Variant(
            "wider: 2 layers of 176",
            "faster a step; worse",
            partial(shaped, encoder_layers=2, d_model=176, ffn_dim=704),
        ),
    ]
    if synthetic:
        expected = "better, the decoder most of all: it reads more sentences"
        add = partial(with_speech, manifests=synthetic)
        made.append(Variant("with synthetic speech", expected, add))
    return made
