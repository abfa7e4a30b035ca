"""A training run, as its TOML file describes it."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from auricle.config import ModelConfig, TransformerConfig
from auricle.errors import InvalidOptionError


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Which speech, and how much of it makes a batch. Paths are absolute once loaded."""

    train: tuple[Path, ...]
    dev: tuple[Path, ...]
    cache: Path
    batch_seconds: float = 80.0
    max_seconds: float = 18.0


@dataclass(frozen=True, slots=True)
class OptimizerConfig:
    """AdamW with linear warm-up, then 1 / sqrt(step) (Vaswani et al. 2017), so without horizon."""

    learning_rate: float = 2e-3
    warmup_steps: int = 800
    weight_decay: float = 0.01
    clip_norm: float = 2.0
    average_decay: float = 0.999


@dataclass(frozen=True, slots=True)
class LossConfig:
    """`ctc_weight * CTC + (1 - ctc_weight) * attention` (Watanabe et al. 2017)."""

    ctc_weight: float = 0.5
    label_smoothing: float = 0.1


@dataclass(frozen=True, slots=True)
class AugmentationConfig:
    """What is done to the waveform, then to the features (SpecAugment, Park et al. 2019)."""

    speeds: tuple[float, ...] = (0.9, 1.0, 1.1)
    gain_db: float = 9.0
    noise_snr_db: tuple[float, float] = (10.0, 40.0)
    noise_probability: float = 0.3
    frequency_masks: int = 2
    frequency_width: int = 20
    time_masks: int = 3
    time_share: float = 0.05


@dataclass(frozen=True, slots=True)
class ScheduleConfig:
    """How long, and how often the state is saved."""

    epochs: int = 60
    checkpoint_steps: int = 200


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything `auricle train` needs to know."""

    output: Path
    data: DataConfig
    model: ModelConfig
    optimizer: OptimizerConfig
    loss: LossConfig
    augmentation: AugmentationConfig
    schedule: ScheduleConfig
    seed: int = 1


def load_training_config(path: Path) -> TrainingConfig:
    """Read a recipe. Raises InvalidOptionError on a missing, unknown or ill-typed entry."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return _training_config(table, path.resolve().parent)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InvalidOptionError(f"{path}: no valid recipe: {error}") from error


def _training_config(table: dict[str, Any], base: Path) -> TrainingConfig:
    return TrainingConfig(
        seed=table.get("seed", 1),
        output=(base / table["output"]).resolve(),
        data=_data_config(table["data"], base),
        model=_model_config(table["model"]),
        optimizer=OptimizerConfig(**table.get("optimizer", {})),
        loss=LossConfig(**table.get("loss", {})),
        augmentation=AugmentationConfig(**_tuples(table.get("augmentation", {}))),
        schedule=ScheduleConfig(**table.get("schedule", {})),
    )


def _data_config(table: dict[str, Any], base: Path) -> DataConfig:
    def paths(name: str) -> tuple[Path, ...]:
        return tuple((base / path).resolve() for path in table[name])

    cache = (base / table["cache"]).resolve()
    rest = {k: v for k, v in table.items() if k not in ("train", "dev", "cache")}
    return DataConfig(paths("train"), paths("dev"), cache, **rest)


def _model_config(table: dict[str, Any]) -> ModelConfig:
    """The flat `[model]` table, split into the transformer's dimensions and the model's own."""
    dims = {field.name for field in fields(TransformerConfig)}
    transformer = _tuples({name: value for name, value in table.items() if name in dims})
    rest = {name: value for name, value in table.items() if name not in dims}
    return ModelConfig(transformer=TransformerConfig(**transformer), **rest)


def _tuples(table: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in table.items()
    }
