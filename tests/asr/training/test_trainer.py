"""Training lowers the loss, resumes bit for bit, and leaves a model that recognises."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from auricle.checkpoint import load_checkpoint
from auricle.config import ModelConfig
from auricle.errors import InvalidOptionError
from auricle.recognizer import Recognizer
from auricle.training.config import TrainingConfig
from auricle.training.loss import Losses, joint_loss
from auricle.training.trainer import Trainer, train
from tests.asr.tiny import SENTENCES, VOCAB_SIZE, tiny_config
from tests.asr.training.runs import PLAIN, UTTERANCES, tiny_run, utterance

Step = Callable[[Trainer, list[int]], Losses]


class PowerCutError(Exception):
    """A power cut."""


def loss_of(trainer: Trainer) -> float:
    """On the whole corpus, without augmentation or dropout."""
    trainer.state.model.eval()
    x, x_lens = trainer._features(list(range(UTTERANCES)))
    texts = [trainer.tokenizer.encode(u.text) for _, u in trainer.utterances]
    with torch.no_grad():
        return float(joint_loss(trainer.state.model, x, x_lens, texts, trainer.config.loss).total)


def test_steps_lower_the_loss(tmp_path: Path) -> None:
    trainer = Trainer(tiny_run(tmp_path, augmentation=PLAIN))
    losses = [loss_of(trainer)]
    for _ in range(4):
        trainer._step(list(range(UTTERANCES)))
        losses.append(loss_of(trainer))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] - 0.1


def run(config: TrainingConfig, *, resume: bool = True) -> Trainer:
    trainer = Trainer(config)
    trainer.run(resume=resume)
    return trainer


def stop_before(monkeypatch: pytest.MonkeyPatch, last: int) -> None:
    step: Step = Trainer._step

    def stopping(trainer: Trainer, rows: list[int]) -> Losses:
        if trainer.state.step == last:
            raise PowerCutError
        return step(trainer, rows)

    monkeypatch.setattr(Trainer, "_step", stopping)


def everything(trainer: Trainer) -> list[torch.Tensor]:
    state = trainer.state
    moments = [
        value for slot in state.optimizer.state_dict()["state"].values() for value in slot.values()
    ]
    weights = [*state.model.state_dict().values(), *state.average.state_dict().values()]
    return [*weights, *moments]


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    """Two epochs without interruption."""
    return run(tiny_run(tmp_path_factory.mktemp("straight")))


@pytest.mark.parametrize("last", [1, 2, 3, 4, 5, 7])
def test_a_resumed_run_is_the_uninterrupted_one(
    straight: Trainer, tmp_path: Path, last: int
) -> None:
    """Stopped where nothing was saved yet, at a saved step, between two, and in epoch two."""
    config = tiny_run(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        stop_before(patch, last)
        with pytest.raises(PowerCutError):
            run(config)
    resumed = run(config)
    assert resumed.state.step == straight.state.step > 7
    assert all(map(torch.equal, everything(resumed), everything(straight)))
    assert resumed.state.best_wer == straight.state.best_wer
    exported = (config.output / "last.safetensors").read_bytes()
    assert exported == (straight.config.output / "last.safetensors").read_bytes()


def test_a_run_ends_at_its_last_step(tmp_path: Path) -> None:
    config = tiny_run(tmp_path)
    ended = run(replace(config, optimizer=replace(config.optimizer, last_step=3)))
    assert ended.state.step == 3
    assert (config.output / "last.safetensors").exists()


def test_another_seed_is_another_run(straight: Trainer, tmp_path: Path) -> None:
    other = run(replace(tiny_run(tmp_path), seed=2))
    assert not all(map(torch.equal, everything(other), everything(straight)))


def test_a_finished_run_has_nothing_to_do(straight: Trainer, tmp_path: Path) -> None:
    again = Trainer(straight.config)
    again.run(resume=True)
    assert again.state.step == straight.state.step
    assert all(map(torch.equal, everything(again), everything(straight)))


def test_a_fresh_run_forgets_the_last_one(tmp_path: Path) -> None:
    config = tiny_run(tmp_path, epochs=1)
    first, second = run(config), run(config, resume=False)
    assert first.state.step == second.state.step
    assert all(map(torch.equal, everything(first), everything(second)))


def test_the_exported_model_recognises(straight: Trainer) -> None:
    for name in ("best.safetensors", "last.safetensors"):
        path = straight.config.output / name
        assert load_checkpoint(path).model.config == straight.config.model
        with Recognizer.from_pretrained(path, device="cpu") as recognizer:
            assert recognizer.transcribe(utterance(0)).duration == 2.0


def test_the_last_export_is_the_average(straight: Trainer) -> None:
    exported = load_checkpoint(straight.config.output / "last.safetensors").model.state_dict()
    for name, weight in straight.state.averaged_model.state_dict().items():
        assert torch.equal(exported[name], weight.bfloat16().float()), name


def test_the_journal_has_an_epochs_wer(straight: Trainer) -> None:
    lines = (straight.config.output / "journal.jsonl").read_text().splitlines()
    epochs = [json.loads(line) for line in lines]
    assert [line["epoch"] for line in epochs] == [1, 2]
    assert all(rate >= 0 for line in epochs for rate in line["wer"]["dev"])


def test_a_step_without_finite_gradients_leaves_the_weights(tmp_path: Path) -> None:
    trainer = Trainer(tiny_run(tmp_path, augmentation=PLAIN))
    trainer._step([0, 1])
    before = [weight.clone() for weight in trainer.state.model.state_dict().values()]
    weight = trainer.state.model.ctc.weight
    handle = weight.register_hook(lambda gradient: gradient * float("nan"))
    trainer._step([0, 1])
    handle.remove()
    after = list(trainer.state.model.state_dict().values())
    assert all(map(torch.equal, before, after))
    assert trainer.state.step == 2


def tiny_config_of(vocab_size: int) -> ModelConfig:
    """Fewer texts yield a smaller vocabulary."""
    config = tiny_config()
    return replace(config, transformer=replace(config.transformer, vocab_size=vocab_size))


def test_utterances_that_are_too_long_are_left_out(tmp_path: Path) -> None:
    config = tiny_run(tmp_path)
    config = replace(config, data=replace(config.data, max_seconds=1.5))
    trainer = Trainer(replace(config, model=tiny_config_of(40)))
    assert 0 < len(trainer.utterances) < UTTERANCES
    assert all(u.seconds <= 1.5 for _, u in trainer.utterances)


def test_the_tokenizer_is_learnt_once(tmp_path: Path) -> None:
    config = tiny_run(tmp_path)
    first = Trainer(config).tokenizer
    assert first.vocab_size == VOCAB_SIZE
    assert first.decode(first.encode(SENTENCES[3])) == SENTENCES[3]
    assert Trainer(config).tokenizer.serialized == first.serialized


def test_a_bad_recipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("seed = 1")
    with pytest.raises(InvalidOptionError, match=r"recipe\.toml"):
        train(tmp_path / "recipe.toml")
