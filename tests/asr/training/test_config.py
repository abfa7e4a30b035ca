"""Recipes: those that we ship, and what is wrong with others."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest

from auricle.config import FeatureConfig, strided
from auricle.training.config import (
    AugmentationConfig,
    DataConfig,
    FreshConfig,
    LossConfig,
    OptimizerConfig,
    ScheduleConfig,
    TeacherConfig,
    TrainingConfig,
    load_training_config,
)
from auricle_types.errors import InvalidOptionError

RECIPE = Path(__file__).parents[3] / "recipes" / "english.toml"
DEEPER = RECIPE.with_name("deeper.toml")
SMALLEST = """
output = "out"
[data]
train = ["a/train.jsonl"]
dev = ["/b/dev.jsonl"]
cache = "cache"
[model]
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "recipe.toml"
        path.write_text(text)
        return path

    return write


def test_our_recipe_loads() -> None:
    config = load_training_config(RECIPE)
    assert config.seed == 1
    assert config.output.is_absolute()
    assert config.data.train[0].name == "train.jsonl"
    assert len(config.data.dev) == 4
    assert config.model.name.startswith("auricle-english")
    assert config.model.transformer.vocab_size > 4
    assert config.data.max_seconds <= config.model.window_seconds
    assert config.augmentation.speeds == (0.9, 1.0, 1.1)


def test_the_deeper_model_is_the_english_one_grown() -> None:
    config, begun = load_training_config(DEEPER), load_training_config(RECIPE)
    assert config.init == begun.output / "last.safetensors"
    layers = begun.model.transformer.encoder_layers
    assert replace(config.model.transformer, encoder_layers=layers) == begun.model.transformer


def test_a_recipe_may_leave_out_what_has_a_default(write: Write, tmp_path: Path) -> None:
    config = load_training_config(write(SMALLEST))
    assert config.optimizer == OptimizerConfig()
    assert config.schedule == ScheduleConfig()
    assert config.output == tmp_path / "out"
    assert config.data.train == (tmp_path / "a" / "train.jsonl",)
    assert config.data.dev == (Path("/b/dev.jsonl"),)
    assert config.model.transformer.subsampling == 4


def test_the_model_table_is_flat(write: Write) -> None:
    table = 'name = "x"\nd_model = 64\nsubsampling_strides = [3]\nwindow_seconds = 9\n'
    config = load_training_config(write(SMALLEST + table))
    assert (config.model.name, config.model.window_seconds) == ("x", 9)
    assert config.model.transformer.d_model == 64
    assert config.model.transformer.stem == strided(3)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "it has no 'output'"),
        (SMALLEST.replace("[model]", ""), "it has no 'model'"),
        ("output = ", "recipe.toml"),
        ('output = "out"', "it has no 'data'"),
        ("sead = 1\n" + SMALLEST, "sead"),
        ('seed = "one"\n' + SMALLEST, "one"),
        (SMALLEST.replace('cache = "cache"', ""), "cache"),
        (SMALLEST.replace('["a/train.jsonl"]', "[]"), "train must list"),
        (SMALLEST.replace('["a/train.jsonl"]', '"a/train.jsonl"'), "train must list"),
        (SMALLEST.replace("[model]", 'batch_seconds = "much"\n[model]'), "batch_seconds"),
        (SMALLEST + "d_modell = 64", "d_modell"),
        (SMALLEST + "d_model = 63", "d_model"),
        (SMALLEST + 'd_model = "64"', "d_model"),
        (SMALLEST + "[optimiser]\nwarmup_steps = 3", "optimiser"),
        (SMALLEST + "[optimizer]\nwarmup = 3", "warmup"),
        (SMALLEST + '[schedule]\nepochs = "sixty"', "epochs"),
        (SMALLEST + "[schedule]\nepochs = 1.5", "epochs"),
        (SMALLEST + "[augmentation]\nspeeds = 1.0", "speeds"),
        (SMALLEST + "[augmentation]\nroom_probability = 1.5", "room_probability"),
        (SMALLEST + '[augmentation]\nempty_share = "some"', "empty_share"),
        (SMALLEST + "[augmentation]\nnoise_probability = -0.1", "noise_probability"),
        (SMALLEST + '[augmentation]\nnoise_kinds = ["purple"]', "noise_kinds"),
        (SMALLEST + "[augmentation]\nnoise_kinds = []", "noise_kinds"),
        (SMALLEST + '[augmentation]\nnoise_kinds = "pink"', "noise_kinds"),
        (SMALLEST + "[augmentation]\njoin_pause = [1.0, 0.1]", "join_pause"),
        (SMALLEST + "[augmentation]\njoin_pause = [0.1]", "join_pause"),
        (SMALLEST + "[augmentation]\nroom_rt60 = [0.0, 0.5]", "room_rt60"),
        (SMALLEST + '[augmentation]\nsilence_seconds = "long"', "silence_seconds"),
        (SMALLEST + "[augmentation]\nopus_bit_rates = [100, 6000]", "opus_bit_rates"),
        (SMALLEST + "[augmentation]\nopus_probability=0.7\nmu_law_probability=0.4", "more than 1"),
        (SMALLEST + '[optimizer]\ndecay = "linear"', "decay"),
        (SMALLEST + '[optimizer]\ndecay = "cosine"', "last_step"),
        (SMALLEST + '[optimizer]\ndecay = "cosine"\nlast_step = 800', "last_step"),
        (SMALLEST + "[loss]\nintermediate_ctc_weight = 1.1", "intermediate_ctc_weight"),
        (SMALLEST + '[loss]\nctc_weight = "half"', "ctc_weight"),
        (SMALLEST + "[schedule]\npatience = -1", "patience"),
        (SMALLEST + '[schedule]\npatience = "long"', "patience"),
        ("device = 0\n" + SMALLEST, "device"),
        ('compile = "yes"\n' + SMALLEST, "compile"),
        (SMALLEST.replace("[model]", 'on_bad = "ignore"\n[model]'), "on_bad"),
        (SMALLEST.replace("[model]", "on_bad = true\n[model]"), "on_bad"),
        (SMALLEST + "[model.features]\nmels = 40", "mels"),
        (SMALLEST + '[model.features]\nn_mels = "many"', "n_mels"),
        (SMALLEST + "features = 40", "a table"),
        (SMALLEST + "[model.tokens]\nend = 2", "model.tokens"),
    ],
)
def test_what_is_wrong_is_named(write: Write, text: str, named: str) -> None:
    with pytest.raises(InvalidOptionError, match="no valid recipe") as caught:
        load_training_config(write(text))
    assert named in str(caught.value)


def test_a_recipe_may_choose_the_features(write: Write) -> None:
    config = load_training_config(write(SMALLEST + "[model.features]\nn_mels = 40"))
    assert config.model.features == replace(FeatureConfig(), n_mels=40)


def test_our_recipe_names_every_entry_and_changes_no_batches() -> None:
    text = RECIPE.read_text(encoding="utf-8")
    kinds = (
        *(TrainingConfig, DataConfig, OptimizerConfig, LossConfig),
        *(AugmentationConfig, ScheduleConfig),
    )
    names = [field.name for kind in kinds for field in fields(kind)]
    assert [name for name in names if name not in text] == []
    config, off = load_training_config(RECIPE), AugmentationConfig()
    for name in ("join", "silence", "room", "clipping", "telephone", "mu_law", "opus"):
        assert getattr(config.augmentation, f"{name}_probability") == 0
    assert config.augmentation.empty_share == 0
    assert config.augmentation.noise_kinds == off.noise_kinds


def test_the_recipe_for_whisper_names_every_entry_of_its_teacher() -> None:
    path = RECIPE.with_name("whisper-tiny-en.toml")
    table = tomllib.loads(path.read_text(encoding="utf-8").replace("# model =", "model ="))
    assert table["teacher"].keys() == {field.name for field in fields(TeacherConfig)}
    assert table["optimizer"].keys() <= {field.name for field in fields(OptimizerConfig)}
    assert table["augmentation"].keys() <= {field.name for field in fields(AugmentationConfig)}


def test_what_our_recipe_only_mentions_is_valid(write: Write) -> None:
    """Its commented entries, switched on."""
    text = RECIPE.read_text(encoding="utf-8")
    switched_on, mentioned = re.subn(r"^# (\[?\w+(\]| = .*))$", r"\1", text, flags=re.MULTILINE)
    assert mentioned > 18
    config = load_training_config(write(switched_on))
    assert config.augmentation.room_probability > 0
    assert config.augmentation.noise_kinds == ("white", "pink", "babble")
    assert config.fresh is not None
    assert config.data.on_bad == "stop"


def test_what_is_new_is_off(write: Write) -> None:
    config = load_training_config(write(SMALLEST))
    assert (config.init, config.device, config.compile) == (None, "auto", False)
    assert (config.optimizer.decay, config.schedule.patience) == ("noam", 0)
    assert config.loss.intermediate_ctc_weight == 0.0


def test_entries_outside_of_tables(write: Write, tmp_path: Path) -> None:
    entries = 'init = "a/model.safetensors"\ndevice = "cpu"\ncompile = true\n'
    config = load_training_config(write(entries + SMALLEST))
    assert config.init == tmp_path / "a" / "model.safetensors"
    assert (config.device, config.compile) == ("cpu", True)


def test_speech_on_the_fly(write: Write, tmp_path: Path) -> None:
    section = '[fresh]\ntext = "a.xz"\nsources = "/b.xz"\nhours = 2\nengines = ["flite"]\n'
    fresh = load_training_config(write(SMALLEST + section)).fresh
    assert fresh == FreshConfig(tmp_path / "a.xz", 2, ("flite",), None, Path("/b.xz"))
    assert load_training_config(write(SMALLEST)).fresh is None


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ('text = "a"', "hours"),
        ("hours = 1.0", "text"),
        ('text = "a"\nhours = "1"', "hours must be like"),
        ('text = "a"\nhours = 1.0\nspeed = 2', "speed"),
        ("text = 1\nhours = 1.0", "unsupported operand"),
    ],
)
def test_speech_on_the_fly_that_is_not_valid(write: Write, section: str, message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        load_training_config(write(f"{SMALLEST}[fresh]\n{section}\n"))


def test_whole_numbers_are_numbers(write: Write) -> None:
    config = load_training_config(write(SMALLEST + "[optimizer]\nclip_norm = 2\n"))
    assert config.optimizer.clip_norm == 2


def test_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(InvalidOptionError, match=r"nothing\.toml"):
        load_training_config(tmp_path / "nothing.toml")
