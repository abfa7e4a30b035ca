"""A training run, as its TOML file describes it."""

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

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
    """AdamW with linear warm-up, then 1 / sqrt(step) (Vaswani et al. 2017), so without horizon.

    A run that is given one, `last_step`, ends there, and its rate falls linearly to zero over the
    `cooldown_steps` before it.
    """

    learning_rate: float = 2e-3
    warmup_steps: int = 800
    last_step: int = 0  # 0: none
    cooldown_steps: int = 1000
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


S = TypeVar("S", OptimizerConfig, LossConfig, AugmentationConfig, ScheduleConfig)


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
    unknown = table.keys() - {field.name for field in fields(TrainingConfig)}
    if unknown:
        raise ValueError(f"unknown entries: {', '.join(sorted(unknown))}")
    return TrainingConfig(
        seed=int(table.get("seed", 1)),
        output=(base / table["output"]).resolve(),
        data=_data_config(table["data"], base),
        model=_model_config(table["model"]),
        optimizer=_section(OptimizerConfig, table.get("optimizer", {})),
        loss=_section(LossConfig, table.get("loss", {})),
        augmentation=_section(AugmentationConfig, table.get("augmentation", {})),
        schedule=_section(ScheduleConfig, table.get("schedule", {})),
    )


def _section(kind: type[S], table: dict[str, Any]) -> S:
    """A table whose entries all have defaults, which say of what type each one is."""
    section = kind(**_tuples(table))
    for field in fields(section):
        _check_type(field.name, getattr(section, field.name), field.default)
    return section


def _check_type(name: str, value: object, like: object) -> None:
    accepted = (int, float) if isinstance(like, float) else type(like)
    if not isinstance(value, accepted) or isinstance(value, bool):
        raise TypeError(f"{name} must be like {like!r}, not {value!r}")


def _data_config(table: dict[str, Any], base: Path) -> DataConfig:
    def paths(name: str) -> tuple[Path, ...]:
        if not table[name] or not isinstance(table[name], list):
            raise ValueError(f"{name} must list at least one manifest")
        return tuple((base / path).resolve() for path in table[name])

    cache = (base / table["cache"]).resolve()
    rest = {k: v for k, v in table.items() if k not in ("train", "dev", "cache")}
    for name, value in rest.items():
        _check_type(name, value, 1.0)
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
