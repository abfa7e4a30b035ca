"""Published models are trained on as our own are: their losses are those of the peers' code."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tokenizers
import torch
from torch import Tensor

from auricle.checkpoint import load_checkpoint
from auricle.pretrained import load_pretrained
from auricle.recognizer import Recognizer
from auricle.tokenizer.folder import TOKENIZER
from auricle.training.config import TrainingConfig, load_training_config
from auricle.training.journal import read_journal
from auricle.training.loss import joint_loss
from auricle.training.trainer import Trainer
from auricle_types.errors import CheckpointMismatchError, ManifestError
from auricle_types.options import DecodingOptions
from tests.asr.families.peers import (
    hub_folder,
    hub_moonshine,
    openai_file,
    openai_model,
    save,
    small_whisper,
    transformers,
)
from tests.asr.tokenizer.unicode_lines import short_vocabulary
from tests.asr.training.runs import PLAIN, tiny_run, utterance, write_recipe

KINDS = ("whisper", "moonshine")
LETTERS = "abcdefghijklmnopqrstuvwxyz' "


def published(kind: str, folder: Path) -> Path:
    """A small random one with a vocabulary that can spell."""
    folder.mkdir(exist_ok=True)
    if kind == "whisper":
        return hub_folder(small_whisper(), folder, short_vocabulary())
    save(hub_moonshine(), folder)
    described = json.loads((folder / TOKENIZER).read_text())
    vocab = described["model"]["vocab"]
    spelled = {f"p{number}": letter for number, letter in enumerate(LETTERS, start=10)}
    described["model"]["vocab"] = {spelled.get(piece, piece): id_ for piece, id_ in vocab.items()}
    (folder / TOKENIZER).write_text(tokenizers.Tokenizer.from_str(json.dumps(described)).to_str())
    return folder


def fine_tuning(kind: str, folder: Path, **changes: object) -> TrainingConfig:
    init = published(kind, folder / kind)
    config = replace(tiny_run(folder, augmentation=PLAIN), init=init)
    return replace(config, model=load_pretrained(init).model.config, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_and_is_saved_as_what_it_was(kind: str, tmp_path: Path) -> None:
    config = fine_tuning(kind, tmp_path)
    config = replace(config, schedule=replace(config.schedule, epochs=4))
    config = replace(config, optimizer=replace(config.optimizer, learning_rate=3e-3))
    trainer = Trainer(config)
    first = loss_of(trainer)
    trainer.run()
    assert loss_of(trainer) < 0.9 * first
    found = load_checkpoint(config.output / "last.safetensors")
    assert found.model.config == config.model
    assert found.tokenizer.serialized == trainer.tokenizer.serialized
    with Recognizer.from_checkpoint(found, device="cpu", dtype="float32") as recognizer:
        options = DecodingOptions(guards=False, fallback=False)
        assert recognizer.transcribe(utterance(0), options=options).receipt.tokens


Batch = tuple[Tensor, Tensor, list[list[int]]]  # x, x_lens, tokens


def batch_of(trainer: Trainer, count: int) -> Batch:
    """The first clips of an epoch."""
    clips = trainer._clips()[:count]
    texts = [trainer.tokenizer.encode(trainer._text(clip)) for clip in clips]
    return (*trainer._features(clips), texts)


@torch.no_grad()
def loss_of(trainer: Trainer, batch: Batch | None = None) -> float:
    """Of a batch; by default of the first two utterances."""
    config = trainer.config
    x, x_lens, texts = batch or batch_of(trainer, 2)
    special = config.model.tokens
    return float(joint_loss(trainer.network, x, x_lens, texts, config.loss, special=special).total)


@pytest.mark.parametrize("kind", KINDS)
def test_the_journal_names_the_head_that_there_is(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auricle.training.journal.EVERY", 1)
    config = fine_tuning(kind, tmp_path)
    Trainer(replace(config, schedule=replace(config.schedule, epochs=1))).run()
    lines = list(read_journal(config.output))
    steps = [line for line in lines if "attention" in line]
    assert steps
    assert not any("ctc" in line for line in steps)
    ((ctc, attention),) = [line["wer"]["dev"] for line in lines if "wer" in line][-1:]
    assert ctc is None
    assert attention >= 0


def unsmoothed(kind: str, folder: Path) -> Trainer:
    config = fine_tuning(kind, folder)
    return Trainer(replace(config, loss=replace(config.loss, label_smoothing=0.0)))


@torch.no_grad()
def their_loss(trainer: Trainer, batch: Batch, peer: Callable[[Tensor, Tensor], Tensor]) -> float:
    """By a peer's logits `(1, U, V)` of features `(T, n_mels)` and what it is told, `(1, U)`."""
    special, said = trainer.config.model.tokens, []
    for row, length, text in zip(*batch, strict=True):
        logits = peer(row[:length], torch.tensor([[*special.start, *text]]))[0]
        log_probs = logits[len(special.start) - 1 :].log_softmax(dim=-1)
        said.append(log_probs[range(len(text) + 1), [*text, special.end]])
    return -float(torch.cat(said).mean())


def test_whispers_loss_is_openais(tmp_path: Path) -> None:
    trainer, peer = unsmoothed("whisper", tmp_path), small_whisper()
    batch = batch_of(trainer, 3)
    expected = their_loss(trainer, batch, lambda x, fed: peer(x.T[None], fed))
    assert loss_of(trainer, batch) == pytest.approx(expected, abs=1e-4)
    assert len(trainer.config.model.tokens.start) > 1


def test_moonshines_loss_is_that_of_transformers(tmp_path: Path) -> None:
    """Each utterance alone: their stem does not mask its padding."""
    trainer = unsmoothed("moonshine", tmp_path)
    peer = transformers.MoonshineForConditionalGeneration.from_pretrained(trainer.config.init)
    batch = batch_of(trainer, 3)

    def logits(x: Tensor, fed: Tensor) -> Tensor:
        found: Tensor = peer.eval()(input_values=x[None, :, 0], decoder_input_ids=fed).logits
        return found

    assert loss_of(trainer, batch) == pytest.approx(their_loss(trainer, batch, logits), abs=1e-4)
    assert len(set(map(len, batch[2]))) > 1


def openais(folder: Path) -> Path:
    return openai_file(folder, openai_model())


@pytest.mark.parametrize("kind", ["whisper", pytest.param("openai", marks=pytest.mark.slow)])
def test_a_recipe_without_a_model_takes_that_of_its_init(kind: str, tmp_path: Path) -> None:
    init = openais(tmp_path) if kind == "openai" else published(kind, tmp_path / kind)
    path = write_recipe(tiny_run(tmp_path), tmp_path / "recipe.toml")
    head, _, rest = path.read_text().partition("[model]")
    path.write_text(f'init = "{init}"\n{head}[optimizer]{rest.partition("[optimizer]")[2]}')
    assert load_training_config(path).model == load_pretrained(init).model.config


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
