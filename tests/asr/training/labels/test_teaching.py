"""A teacher labels a recipe's speech, and a student of short contexts learns from it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from auricle.checkpoint import load_checkpoint, save_checkpoint
from auricle.pretrained import load_pretrained
from auricle.training.config import AugmentationConfig, TrainingConfig, load_training_config
from auricle.training.journal import read_journal
from auricle.training.labels import label, read_labels
from auricle.training.labels.teacher import Teacher
from auricle.training.speech import load_speech
from auricle.training.teacher_labels import TeacherLabels
from auricle.training.trainer import Trainer
from auricle.vocabulary import with_merges
from auricle_types.errors import InvalidOptionError, ManifestError
from tests.asr.families.peers import hub_folder, small_whisper
from tests.asr.tiny import SENTENCES
from tests.asr.tokenizer.unicode_lines import short_vocabulary
from tests.asr.training.runs import EVERYTHING, PLAIN, tiny_run, write_recipe

VARIED = replace(EVERYTHING, join_probability=0.0)  # the small decoder has no places for two texts

pytest.importorskip("whisper_normalizer", reason="whisper-normalizer is not installed")


def taught_recipe(
    folder: Path, teacher: str = "", augmentation: AugmentationConfig = PLAIN
) -> Path:
    """Whose init is a small random Whisper."""
    (folder / "whisper").mkdir()
    init = hub_folder(small_whisper(), folder / "whisper", short_vocabulary())
    path = write_recipe(tiny_run(folder, augmentation=augmentation, epochs=1), folder / "a.toml")
    head, _, rest = path.read_text().partition("[model]")
    path.write_text(
        f'init = "{init}"\n{head}[teacher]\nlabels = "labels"\n{teacher}\n'
        f"[optimizer]{rest.partition('[optimizer]')[2]}"
    )
    return path


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a random teacher says is like no reference."""
    monkeypatch.setattr("auricle.training.labels.teacher.LEAST_SIMILAR", 0.0)
    monkeypatch.setattr("auricle.training.teacher_labels.LEAST_AGREEMENT", 0.0)


@pytest.mark.usefixtures("trusted")
def test_labels_are_the_teachers_opinion_of_the_corrected_text(tmp_path: Path) -> None:
    recipe = taught_recipe(tmp_path)
    assert label(recipe) == len(SENTENCES)
    config = load_training_config(recipe)
    labels = read_labels(tmp_path / "labels" / "speech-train")
    assert len(labels) == len(SENTENCES)
    for each in labels.values():
        assert short_vocabulary().decode(each.tokens.tolist()) == each.text
        assert int(each.tokens[-1]) == config.model.tokens.end
        assert len(each.likely) == len(each.tokens)
        assert (each.log_probs.exp().sum(dim=1) < 1.01).all()
        assert short_vocabulary().spell(each.tokens[:1].tolist()).startswith(" ")


@pytest.mark.usefixtures("trusted")
def test_a_run_that_was_interrupted_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auricle.training.labels.run.CHUNK", 3)
    recipe = taught_recipe(tmp_path)
    assert label(recipe) == len(SENTENCES)
    folder = tmp_path / "labels" / "speech-train"
    whole = {path: path.read_bytes() for path in sorted(folder.iterdir())}
    assert len(whole) == 3
    list(whole)[1].unlink()
    assert label(recipe) == 3
    assert {path: path.read_bytes() for path in sorted(folder.iterdir())} == whole
    assert label(recipe) == 0


def test_whom_nobody_understands_is_left_out(tmp_path: Path) -> None:
    recipe = taught_recipe(tmp_path)
    config = load_training_config(recipe)
    assert config.init
    teacher = Teacher(load_pretrained(config.init), torch.device("cpu"), str.lower)
    assert teacher.label(load_speech(config)[:2]) == {}


def teacher_labels(config: TrainingConfig) -> TeacherLabels:
    assert config.teacher
    return TeacherLabels(config, config.teacher, load_speech(config), short_vocabulary())


@pytest.mark.usefixtures("trusted")
def test_it_learns_and_says_that_it_was_taught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auricle.training.journal.EVERY", 1)
    recipe = taught_recipe(tmp_path, "margin_seconds = [0.0, 0.5]", VARIED)
    label(recipe)
    config = load_training_config(recipe)
    Trainer(config).run()
    steps = [line for line in read_journal(config.output) if "teacher" in line]
    assert steps
    found = load_checkpoint(config.output / "last.safetensors").model.config
    assert found.short_context
    assert (found.audio_context, found.margin_seconds) == ("auto", 0.25)


@pytest.mark.usefixtures("trusted")
def test_a_student_may_have_fewer_tokens(tmp_path: Path) -> None:
    recipe = taught_recipe(tmp_path)
    label(recipe)
    cut = with_merges(load_pretrained(tmp_path / "whisper"), 600)
    save_checkpoint(tmp_path / "cut.safetensors", cut.model, cut.tokenizer)
    _, _, rest = recipe.read_text().partition("\n")
    recipe.write_text(f'init = "cut.safetensors"\n{rest}')
    config = load_training_config(recipe)
    Trainer(config).run()
    found = load_checkpoint(config.output / "last.safetensors")
    assert found.tokenizer.vocab_size == cut.tokenizer.vocab_size
    assert found.model.config.short_context


def test_labels_of_other_tokens_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auricle.training.labels.teacher.LEAST_SIMILAR", 0.0)
    recipe = taught_recipe(tmp_path)
    label(recipe)
    with pytest.raises(ManifestError, match="not those of the model"):
        teacher_labels(load_training_config(recipe))


@pytest.mark.usefixtures("trusted")
def test_each_batch_hears_another_silence(tmp_path: Path) -> None:
    recipe = taught_recipe(tmp_path, "margin_seconds = [0.1, 0.5]")
    label(recipe)
    taught = teacher_labels(load_training_config(recipe))
    margins = {taught.listener().margin_seconds for _ in range(20)}
    assert len(margins) > 10
    assert all(0.1 <= margin <= 0.5 for margin in margins)


@pytest.mark.usefixtures("trusted")
def test_speech_without_labels_is_left_out(tmp_path: Path) -> None:
    recipe = taught_recipe(tmp_path)
    label(recipe)
    config = load_training_config(recipe)
    taught, speech = teacher_labels(config), load_speech(config)
    strangers = [(corpus, replace(each, name="other")) for corpus, each in speech[:2]]
    found = taught.labelled([*speech[2:], *strangers])
    assert [each.name for _, each in found] == [each.name for _, each in speech[2:]]
    assert all(each.text[0].isupper() for _, each in found)
    with pytest.raises(ManifestError, match="labels of other speech"):
        taught.labelled(strangers)


def test_training_without_labels_says_how_to_make_them(tmp_path: Path) -> None:
    config = load_training_config(taught_recipe(tmp_path))
    with pytest.raises(ManifestError, match="auricle label"):
        Trainer(config)


@pytest.mark.parametrize(
    "entry", ["weight = 2.0", "margin_seconds = 1.0", "margin_seconds = [2.0, 1.0]", "colour = 1"]
)
def test_a_teacher_that_cannot_be(tmp_path: Path, entry: str) -> None:
    with pytest.raises(InvalidOptionError):
        load_training_config(taught_recipe(tmp_path, entry))


def test_only_a_recipe_with_a_teacher_can_be_labelled(tmp_path: Path) -> None:
    recipe = write_recipe(tiny_run(tmp_path), tmp_path / "recipe.toml")
    with pytest.raises(InvalidOptionError, match="has no \\[teacher\\]"):
        label(recipe)


def test_a_model_of_our_own_has_no_teacher(tmp_path: Path) -> None:
    path = write_recipe(tiny_run(tmp_path), tmp_path / "recipe.toml")
    path.write_text(f'{path.read_text()}\n[teacher]\nlabels = "labels"\n')
    with pytest.raises(InvalidOptionError, match="Whisper"):
        load_training_config(path)
