"""Published models are trained on as our own are: their losses are those of the peers' code."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import tokenizers
import torch

from auricle.checkpoint import load_checkpoint
from auricle.config import DecodingOptions
from auricle.errors import CheckpointMismatchError, ManifestError
from auricle.families import load_pretrained
from auricle.recognizer import Recognizer
from auricle.tokenizer.folder import WHOLE
from auricle.training.config import TrainingConfig, load_training_config
from auricle.training.journal import read_journal
from auricle.training.loss import joint_loss
from auricle.training.trainer import Trainer
from tests.asr.families.peers import (
    hub_moonshine,
    openai_file,
    openai_model,
    save,
    transformers,
)
from tests.asr.training.runs import PLAIN, tiny_run, utterance, write_recipe

pytestmark = pytest.mark.filterwarnings(  # openai-whisper leaves its table open
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
KINDS = ("whisper", "moonshine")
LETTERS = "abcdefghijklmnopqrstuvwxyz' "


def published(kind: str, folder: Path) -> Path:
    """A small random one with a vocabulary that can spell."""
    folder.mkdir(exist_ok=True)
    if kind == "whisper":
        return openai_file(folder, openai_model())
    save(hub_moonshine(), folder)
    described = json.loads((folder / WHOLE).read_text())
    vocab = described["model"]["vocab"]
    spelled = {f"p{number}": letter for number, letter in enumerate(LETTERS, start=10)}
    described["model"]["vocab"] = {spelled.get(piece, piece): id_ for piece, id_ in vocab.items()}
    (folder / WHOLE).write_text(tokenizers.Tokenizer.from_str(json.dumps(described)).to_str())
    return folder


def fine_tuning(kind: str, folder: Path, **changes: object) -> TrainingConfig:
    init = published(kind, folder / kind)
    config = replace(tiny_run(folder, augmentation=PLAIN), init=init)
    return replace(config, model=load_pretrained(init).model.config, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_and_is_saved_as_what_it_was(kind: str, tmp_path: Path) -> None:
    config = fine_tuning(kind, tmp_path)
    config = replace(config, schedule=replace(config.schedule, epochs=6))
    config = replace(config, optimizer=replace(config.optimizer, learning_rate=3e-3))
    trainer = Trainer(config)
    first = loss_of(trainer)
    trainer.run()
    assert loss_of(trainer) < 0.9 * first
    found = load_checkpoint(config.output / "last.safetensors")
    assert found.model.config == config.model
    assert found.tokenizer.serialized == trainer.tokenizer.serialized
    with Recognizer(found, device="cpu", dtype="float32") as recognizer:
        options = DecodingOptions(guards=False, fallback=False)
        assert recognizer.transcribe(utterance(0), options=options).receipt.tokens


def loss_of(trainer: Trainer) -> float:
    """Of the first two utterances."""
    clips = trainer._clips()[:2]
    with torch.no_grad():
        x, x_lens = trainer._features(clips)
        texts = [trainer.tokenizer.encode(trainer._text(clip)) for clip in clips]
        special = trainer.config.model.tokens
        loss = trainer.config.loss
        return float(joint_loss(trainer.network, x, x_lens, texts, loss, special=special).total)


@pytest.mark.parametrize("kind", KINDS)
def test_the_journal_names_the_head_that_there_is(kind: str, tmp_path: Path) -> None:
    config = fine_tuning(kind, tmp_path)
    config = replace(config, optimizer=replace(config.optimizer, last_step=100), data=config.data)
    config = replace(config, schedule=replace(config.schedule, epochs=100))
    Trainer(config).run()
    lines = list(read_journal(config.output))
    steps = [line for line in lines if "attention" in line]
    assert steps
    assert not any("ctc" in line for line in steps)
    ((ctc, attention),) = [line["wer"]["dev"] for line in lines if "wer" in line][-1:]
    assert ctc is None
    assert attention >= 0


def test_whispers_loss_is_openais(tmp_path: Path) -> None:
    config = fine_tuning("whisper", tmp_path)
    config = replace(config, loss=replace(config.loss, label_smoothing=0.0))
    trainer = Trainer(config)
    clips = trainer._clips()[:3]
    x, x_lens = trainer._features(clips)
    texts = [trainer.tokenizer.encode(trainer._text(clip)) for clip in clips]
    found = joint_loss(trainer.network, x, x_lens, texts, config.loss, special=config.model.tokens)
    special, peer, said = config.model.tokens, openai_model(), []
    for row, text in zip(x, texts, strict=True):
        fed = torch.tensor([[*special.start, *text]])
        logits = peer(row.T[None], fed)[0, len(special.start) - 1 :]
        said.append(logits.log_softmax(dim=-1)[range(len(text) + 1), [*text, special.end]])
    assert len(special.start) > 1
    assert float(found.total.detach()) == pytest.approx(
        -float(torch.cat(said).mean().detach()), abs=1e-4
    )


def test_moonshines_loss_is_that_of_transformers(tmp_path: Path) -> None:
    """Each utterance alone: their stem does not mask its padding."""
    config = fine_tuning("moonshine", tmp_path)
    config = replace(config, loss=replace(config.loss, label_smoothing=0.0))
    trainer = Trainer(config)
    clips = trainer._clips()[:3]
    x, x_lens = trainer._features(clips)
    texts = [trainer.tokenizer.encode(trainer._text(clip)) for clip in clips]
    special = config.model.tokens
    found = joint_loss(trainer.network, x, x_lens, texts, config.loss, special=special)
    peer = transformers.MoonshineForConditionalGeneration.from_pretrained(config.init).eval()
    said = []
    for row, length, text in zip(x, x_lens.tolist(), texts, strict=True):
        fed = torch.tensor([[*special.start, *text]])
        logits = peer(input_values=row[None, :length, 0], decoder_input_ids=fed).logits[0]
        said.append(logits.log_softmax(dim=-1)[range(len(text) + 1), [*text, special.end]])
    assert len(set(map(len, texts))) > 1
    assert float(found.total.detach()) == pytest.approx(
        -float(torch.cat(said).mean().detach()), abs=1e-4
    )


def test_a_recipe_without_a_model_takes_that_of_its_init(tmp_path: Path) -> None:
    config = fine_tuning("whisper", tmp_path)
    path = write_recipe(config, tmp_path / "recipe.toml")
    head, _, rest = path.read_text().partition("[model]")
    path.write_text(f'init = "{config.init}"\n{head}[optimizer]{rest.partition("[optimizer]")[2]}')
    assert load_training_config(path).model == config.model


def test_what_the_decoder_has_no_place_for_is_named(tmp_path: Path) -> None:
    config = fine_tuning("whisper", tmp_path)
    transformer = replace(config.model.transformer, max_tokens=8)
    config = replace(config, model=replace(config.model, transformer=transformer), init=None)
    folder = config.output
    folder.mkdir()
    (folder / "tokenizer.model").write_bytes(
        load_pretrained(published("whisper", tmp_path)).tokenizer.serialized
    )
    with pytest.raises(ManifestError, match="text too long for the decoder"):
        Trainer(config)


def test_a_recipe_s_own_model_is_no_whisper(tmp_path: Path) -> None:
    init = published("whisper", tmp_path / "whisper")
    with pytest.raises(CheckpointMismatchError, match=r"leave \[model\] out"):
        Trainer(replace(tiny_run(tmp_path), init=init))
