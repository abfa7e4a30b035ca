"""A training run, as its TOML file describes it."""

import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from auricle.config import FeatureConfig, ModelConfig, TransformerConfig
from auricle.families import check_config
from auricle.pretrained import load_pretrained
from auricle.training.synthesis import DEFAULT_ENGINES, ENGINES
from auricle_types.errors import InvalidOptionError
from auricle_types.parsing import parse_toml

OnBad = Literal["stop", "skip"]
Decay = Literal["noam", "cosine"]
_FRESH_FILES = ("text", "punctuated", "sources")
NOISE_KINDS = ("white", "pink", "babble")
_BOUNDS = {  # of entries, or of both ends of a range
    "join_pause": (0.0, 60.0),
    "silence_seconds": (0.0, 60.0),
    "noise_snr_db": (-100.0, 200.0),
    "room_rt60": (0.05, 5.0),
    "clipping_db": (0.0, 60.0),
    "opus_bit_rates": (6_000.0, 256_000.0),
}


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Which speech, and how much of it makes a batch. Paths are absolute once loaded.

    `on_bad` says what becomes of speech that cannot be trained on: its audio is missing or
    damaged, its text empty or not in the language's letters, it is longer than the model's window
    or too short for its text. "stop" by default: a run takes hours, and whoever starts one would
    rather mend the data, or decide to go on with "skip", in its first minutes than learn from the
    finished model that a shard was cut short. Both list what was found.
    """

    train: tuple[Path, ...]
    dev: tuple[Path, ...]
    cache: Path
    batch_seconds: float = 80.0
    max_seconds: float = 18.0
    on_bad: OnBad = "stop"

    def __post_init__(self) -> None:
        if self.on_bad not in get_args(OnBad):
            raise InvalidOptionError(f'on_bad must be "stop" or "skip", not {self.on_bad!r}')


@dataclass(frozen=True, slots=True)
class FreshConfig:
    """Synthetic speech made on the fly, so many `hours` of it for each epoch.

    `text` holds the sentences, one a line; the rest is as for `auricle synthesize`.
    """

    text: Path
    hours: float
    engines: tuple[str, ...] = DEFAULT_ENGINES
    punctuated: Path | None = None
    sources: Path | None = None

    def __post_init__(self) -> None:
        _check_type("hours", self.hours, 1.0)
        if not 0 < self.hours < math.inf:
            raise InvalidOptionError(f"hours must be above 0, not {self.hours}")
        if not self.engines or not set(self.engines) <= ENGINES.keys():
            known = ", ".join(ENGINES)
            raise InvalidOptionError(f"engines must be some of {known}, not {self.engines!r}")


@dataclass(frozen=True, slots=True)
class TeacherConfig:
    """A model of whole windows is taught to go without the silence behind an utterance.

    The words are those of the `labels`, a folder that `auricle label` fills by the teacher `model`,
    or else by the recipe's `init`. Clips are followed by some silence between both
    `margin_seconds`; the exported model adds their mean.
    """

    labels: Path
    model: Path | None = None
    weight: float = 0.5  # of the divergence from the teacher, beside that of the words
    margin_seconds: tuple[float, float] = (0.0, 1.5)
    empty_weight: float = 4.0  # of clips without words, which have but one token

    def __post_init__(self) -> None:
        _check_share("weight", self.weight)
        _check_within("empty_weight", self.empty_weight, (0.0, 100.0))
        _check_within("margin_seconds", self.margin_seconds, (0.0, 30.0))
        if not isinstance(self.margin_seconds, tuple):
            raise InvalidOptionError("margin_seconds must be two numbers, the least and the most")


@dataclass(frozen=True, slots=True)
class OptimizerConfig:
    """AdamW with linear warm-up, then a `decay` of the rate.

    "noam" falls with 1 / sqrt(step) (Vaswani et al. 2017), so without horizon; "cosine" along half
    a wave from the end of the warm-up to zero at `last_step` (Loshchilov & Hutter 2017), which it
    needs. A run that has a `last_step` ends there, and over the `cooldown_steps` before it either
    rate falls linearly to zero, too.
    """

    learning_rate: float = 2e-3
    decay: Decay = "noam"
    warmup_steps: int = 800
    last_step: int = 0  # 0: none
    cooldown_steps: int = 1000
    weight_decay: float = 0.01
    clip_norm: float = 2.0
    average_decay: float = 0.999

    def __post_init__(self) -> None:
        if self.decay not in get_args(Decay):
            raise InvalidOptionError(f'decay must be "noam" or "cosine", not {self.decay!r}')
        if self.decay == "cosine" and self.last_step <= self.warmup_steps:
            raise InvalidOptionError('decay = "cosine" needs a last_step behind the warm-up')


@dataclass(frozen=True, slots=True)
class LossConfig:
    """`ctc_weight * CTC + (1 - ctc_weight) * attention` (Watanabe et al. 2017).

    Of CTC, `intermediate_ctc_weight` is that of the encoder's middle layer, by the same head (Lee &
    Watanabe 2021), so that a checkpoint has no weights for it.
    """

    ctc_weight: float = 0.5
    label_smoothing: float = 0.1
    intermediate_ctc_weight: float = 0.0

    def __post_init__(self) -> None:
        for name in ("ctc_weight", "intermediate_ctc_weight"):
            _check_share(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class AugmentationConfig:
    """What is done to clips, to waveforms, then to features (SpecAugment, Park et al. 2019).

    A clip is a row of a batch. What changes a recipe's batches is off until the recipe asks for
    it. A row goes through at most one of telephone, mu-law and Opus. Seconds, decibels, bits a
    second.
    """

    join_probability: float = 0.0  # that a clip goes on with further utterances
    join_pause: tuple[float, float] = (0.1, 1.0)  # between two of them
    silence_probability: float = 0.0  # of silence before and behind the words
    silence_seconds: float = 1.0  # at most, at either end
    empty_share: float = 0.0  # clips without words, for each clip that has some
    speeds: tuple[float, ...] = (0.9, 1.0, 1.1)
    gain_db: float = 9.0
    noise_snr_db: tuple[float, float] = (10.0, 40.0)
    noise_probability: float = 0.3
    noise_kinds: tuple[str, ...] = ("white",)  # a noisy row has one of them
    room_probability: float = 0.0
    room_rt60: tuple[float, float] = (0.15, 0.6)  # until the echo has fallen by 60 dB
    clipping_probability: float = 0.0
    clipping_db: float = 12.0  # of the peak, at most
    telephone_probability: float = 0.0  # 300 to 3400 Hz
    mu_law_probability: float = 0.0  # G.711, a telephone's
    opus_probability: float = 0.0
    opus_bit_rates: tuple[float, float] = (6_000.0, 16_000.0)
    frequency_masks: int = 2
    frequency_width: int = 20
    time_masks: int = 3
    time_share: float = 0.05

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            if name.endswith(("_probability", "_share")):
                _check_share(name, getattr(self, name))
        for name, bounds in _BOUNDS.items():
            _check_within(name, getattr(self, name), bounds)
        if not self.noise_kinds or not set(self.noise_kinds) <= set(NOISE_KINDS):
            raise InvalidOptionError(f"noise_kinds must be of {NOISE_KINDS}: {self.noise_kinds!r}")
        if self.telephone_probability + self.mu_law_probability + self.opus_probability > 1:
            raise InvalidOptionError("telephone, mu_law and opus_probability sum to more than 1")


@dataclass(frozen=True, slots=True)
class ScheduleConfig:
    """How long, and how often the state is saved.

    `patience` ends a run after so many epochs in a row without a better WER on dev (0: never).
    """

    epochs: int = 60
    checkpoint_steps: int = 200
    patience: int = 0

    def __post_init__(self) -> None:
        _check_epochs("patience", self.patience)


T = TypeVar("T", str, bool)
S = TypeVar("S", FeatureConfig, OptimizerConfig, LossConfig, AugmentationConfig, ScheduleConfig)


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
    init: Path | None = None  # a checkpoint to begin with, as fine-tuning does
    fresh: FreshConfig | None = None
    teacher: TeacherConfig | None = None
    device: str = "auto"  # cpu, cuda, or cuda where there is one
    compile: bool = False  # by torch.compile

    def __post_init__(self) -> None:
        if self.teacher and self.fresh:
            raise InvalidOptionError("[fresh] speech has no labels: leave it or [teacher] out")
        if self.teacher and self.model.tokenizer != "whisper":
            raise InvalidOptionError("[teacher] is for Whisper models, which hear whole windows")


def load_training_config(path: Path) -> TrainingConfig:
    """Read a recipe. One without `[model]` takes the model of its `init`, of whatever family.

    Raises:
        InvalidOptionError: an entry is missing, unknown or ill-typed.
        ModelError: that model cannot be read.
    """
    try:
        table = parse_toml(path.read_text(encoding="utf-8-sig"))
        return _training_config(table, path.resolve().parent)
    except KeyError as error:
        raise InvalidOptionError(f"{path}: no valid recipe: it has no {error}") from error
    except (OSError, TypeError, ValueError) as error:
        raise InvalidOptionError(f"{path}: no valid recipe: {error}") from error


def _training_config(table: dict[str, Any], base: Path) -> TrainingConfig:
    unknown = table.keys() - {field.name for field in fields(TrainingConfig)}
    if unknown:
        raise ValueError(f"unknown entries: {', '.join(sorted(unknown))}")
    init = (base / table["init"]).resolve() if "init" in table else None
    teacher = _teacher_config(table["teacher"], base) if "teacher" in table else None
    return TrainingConfig(
        seed=int(table.get("seed", 1)),
        init=init,
        output=(base / table["output"]).resolve(),
        data=_data_config(table["data"], base),
        model=_taught(_model(table, init), teacher),
        optimizer=_section(OptimizerConfig, table.get("optimizer", {})),
        loss=_section(LossConfig, table.get("loss", {})),
        augmentation=_section(AugmentationConfig, table.get("augmentation", {})),
        schedule=_section(ScheduleConfig, table.get("schedule", {})),
        fresh=_fresh_config(table["fresh"], base) if "fresh" in table else None,
        teacher=teacher,
        device=_typed(table, "device", "auto"),
        compile=_typed(table, "compile", False),
    )


def _section(kind: type[S], table: dict[str, Any]) -> S:
    """A table whose entries all have defaults, which say of what type each one is."""
    if not isinstance(table, dict):
        raise TypeError(f"{table!r} stands where a table belongs")
    section = kind(**_tuples(table))
    for field in fields(section):
        _check_type(field.name, getattr(section, field.name), field.default)
    return section


def _typed(table: dict[str, Any], name: str, default: T) -> T:
    value = table.get(name, default)
    if not isinstance(value, type(default)):
        raise TypeError(f"{name} must be like {default!r}, not {value!r}")
    return value


def _check_type(name: str, value: object, like: object) -> None:
    accepted = (int, float) if isinstance(like, float) else type(like)
    if not isinstance(value, accepted) or isinstance(value, bool):
        raise TypeError(f"{name} must be like {like!r}, not {value!r}")


def _check_epochs(name: str, value: object) -> None:
    if not isinstance(value, int) or value < 0:
        raise InvalidOptionError(f"{name} must be a number of epochs, not {value!r}")


def _check_share(name: str, value: object) -> None:
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise InvalidOptionError(f"{name} must be 0 to 1, not {value!r}")


def _check_within(name: str, value: object, bounds: tuple[float, float]) -> None:
    """A number within `bounds`, or the least and the most of a range within them."""
    ends = value if isinstance(value, tuple) else (value, value)
    if len(ends) != 2 or not all(isinstance(end, (int, float)) for end in ends):
        raise InvalidOptionError(f"{name} must be a number or two, not {value!r}")
    if not bounds[0] <= ends[0] <= ends[1] <= bounds[1]:
        raise InvalidOptionError(f"{name} must be within {bounds}, not {value!r}")


def _data_config(table: dict[str, Any], base: Path) -> DataConfig:
    def paths(name: str) -> tuple[Path, ...]:
        if not table[name] or not isinstance(table[name], list):
            raise ValueError(f"{name} must list at least one manifest")
        return tuple((base / path).resolve() for path in table[name])

    cache = (base / table["cache"]).resolve()
    rest = {k: v for k, v in table.items() if k not in ("train", "dev", "cache")}
    config = DataConfig(paths("train"), paths("dev"), cache, **rest)
    for name in ("batch_seconds", "max_seconds"):
        _check_type(name, getattr(config, name), 1.0)
    return config


def _fresh_config(table: dict[str, Any], base: Path) -> FreshConfig:
    if not isinstance(table, dict):
        raise TypeError(f"{table!r} stands where a table belongs")
    files = {name: (base / table[name]).resolve() for name in _FRESH_FILES if name in table}
    return FreshConfig(**_tuples(table) | files)


def _teacher_config(table: dict[str, Any], base: Path) -> TeacherConfig:
    if not isinstance(table, dict):
        raise TypeError(f"{table!r} stands where a table belongs")
    paths = {name: (base / table[name]).resolve() for name in ("labels", "model") if name in table}
    return TeacherConfig(**_tuples(table) | paths)


def _taught(model: ModelConfig, teacher: TeacherConfig | None) -> ModelConfig:
    """As it is exported."""
    if teacher is None:
        return model
    margin = sum(teacher.margin_seconds) / 2
    return replace(model, short_context=True, audio_context="auto", margin_seconds=margin)


def _model(table: dict[str, Any], init: Path | None) -> ModelConfig:
    if "model" in table or init is None:
        return _model_config(table["model"])
    return load_pretrained(init).model.config


def _model_config(table: dict[str, Any]) -> ModelConfig:
    """The flat `[model]` table, split into the transformer's dimensions and the model's own."""
    dims = {field.name for field in fields(TransformerConfig)} | {"subsampling_strides"}
    transformer = _tuples({name: value for name, value in table.items() if name in dims})
    rest = {name: value for name, value in table.items() if name not in (*dims, "features")}
    for name, value in rest.items():
        if isinstance(value, dict):
            raise TypeError(f"[model.{name}] is not a table of recipes: leave it out")
    features = _section(FeatureConfig, table.get("features", {}))
    config = ModelConfig(
        features=features, transformer=TransformerConfig.from_dict(transformer), **rest
    )
    check_config(config)
    return config


def _tuples(table: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in table.items()
    }
