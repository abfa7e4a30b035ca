"""Training lowers the loss, resumes bit for bit, and leaves a model that recognises."""

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, ctc_loss
from torch.nn.utils import clip_grad_norm_
from torchaudio.functional import add_noise
from torchaudio.transforms import SpeedPerturbation

from auricle.checkpoint import load_checkpoint
from auricle.config import ModelConfig
from auricle.recognizer import Recognizer
from auricle.tokenizer import Tokenizer
from auricle.training.arithmetic import arithmetic
from auricle.training.augmentation import seed_everything
from auricle.training.clips import Clip
from auricle.training.config import AugmentationConfig, TrainingConfig
from auricle.training.distributed import World
from auricle.training.epoch_evaluator import EpochEvaluator
from auricle.training.loss import IGNORE, Losses, joint_loss
from auricle.training.state import TrainingState
from auricle.training.trainer import Trainer, train
from auricle_types.errors import InvalidOptionError, ManifestError
from tests.asr.tiny import SENTENCES, VOCAB_SIZE, padded, tiny_config
from tests.asr.training.runs import EVERYTHING, PLAIN, UTTERANCES, tiny_run, utterance

Step = Callable[[Trainer, list[Clip]], Losses]


class PowerCutError(Exception):
    """A power cut."""


def loss_of(trainer: Trainer) -> float:
    """On the whole corpus, without augmentation or dropout."""
    trainer.state.model.eval()
    clips = trainer._clips()
    x, x_lens = trainer._features(clips)
    texts = [trainer.tokenizer.encode(trainer._text(clip)) for clip in clips]
    with torch.no_grad():
        return float(joint_loss(trainer.state.model, x, x_lens, texts, trainer.config.loss).total)


def test_steps_lower_the_loss(tmp_path: Path) -> None:
    trainer = Trainer(tiny_run(tmp_path, augmentation=PLAIN))
    losses = [loss_of(trainer)]
    for _ in range(4):
        trainer._step(trainer._clips())
        losses.append(loss_of(trainer))
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] - 0.1


def run(config: TrainingConfig, *, resume: bool = True) -> Trainer:
    trainer = Trainer(config, resume=resume)
    trainer.run()
    return trainer


def stop_before(monkeypatch: pytest.MonkeyPatch, last: int) -> None:
    step: Step = Trainer._step

    def stopping(trainer: Trainer, clips: list[Clip]) -> Losses:
        if trainer.state.step == last:
            raise PowerCutError
        return step(trainer, clips)

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


@pytest.mark.parametrize("last", [1, 2, 3, 7])
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


@pytest.fixture(scope="module")
def augmented(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    """Two epochs without interruption, with all augmentation."""
    return run(tiny_run(tmp_path_factory.mktemp("augmented"), augmentation=EVERYTHING))


@pytest.mark.parametrize("last", [6])
def test_a_run_with_all_augmentation_resumes_bit_for_bit(
    augmented: Trainer, tmp_path: Path, last: int
) -> None:
    config = tiny_run(tmp_path, augmentation=EVERYTHING)
    with pytest.MonkeyPatch.context() as patch:
        stop_before(patch, last)
        with pytest.raises(PowerCutError):
            run(config)
    resumed = run(config)
    assert resumed.state.step == augmented.state.step > 6
    assert all(map(torch.equal, everything(resumed), everything(augmented)))
    assert all(value.isfinite().all() for value in everything(augmented))


def test_what_is_off_leaves_batches_and_bits(tmp_path: Path) -> None:
    """Clips are the utterances, and a batch's features those of speed, gain and white noise."""
    trainer = Trainer(tiny_run(tmp_path))
    clips = trainer._clips()
    assert [clip.utterances for clip in clips] == [(index,) for index in range(UTTERANCES)]
    assert [clip.seconds for clip in clips] == [u.seconds for _, u in trainer.utterances]
    augment, spec_augment = trainer.augment, trainer.spec_augment
    seed_everything(1, 2, 3)
    found, found_lens = trainer._features(clips[2:5])
    seed_everything(1, 2, 3)
    waveforms = [torch.from_numpy(corpus.samples(u)) for corpus, u in trainer.utterances[2:5]]
    samples, lens = plain_augmentation(*padded(waveforms), augment.speed)
    x, x_lens = trainer.features(samples, lens)
    assert torch.equal(found, spec_augment(x))
    assert torch.equal(found_lens, x_lens)


def test_a_step_is_what_the_recipe_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Features, loss and update written out, without anything that is off by default.

    In float32: the two may multiply in other shapes, and half precision would hide a difference.
    """
    monkeypatch.setattr("auricle.training.arithmetic.has_fast_bfloat16", lambda: False)
    trainer, plain = (Trainer(tiny_run(tmp_path / name)) for name in ("new", "old"))
    for _ in range(2):
        trainer._step(trainer._clips()[:3])
        plain_step(plain, plain._clips()[:3])
    for found, expected in zip(everything(trainer), everything(plain), strict=True):
        torch.testing.assert_close(found, expected)


def plain_step(trainer: Trainer, clips: list[Clip]) -> None:
    state = trainer.state
    seed_everything(1, state.epoch, state.batch)
    x, x_lens = trainer._features(clips)
    rows = [torch.tensor(trainer.tokenizer.encode(trainer._text(clip))) for clip in clips]
    start, end = torch.tensor([Tokenizer.start_id]), torch.tensor([Tokenizer.end_id])
    inputs, _ = padded([torch.cat([start, row]) for row in rows], Tokenizer.blank_id)
    targets, _ = padded([torch.cat([row, end]) for row in rows], IGNORE)
    state.model.train()
    with arithmetic(x.device):
        logits, ctc_logits, lens = state.model(x, x_lens, inputs)
        attention = cross_entropy(
            logits.float().flatten(0, 1), targets.flatten(), label_smoothing=0.1
        )
        text_lens = torch.tensor([len(row) for row in rows])
        log_probs = ctc_logits.float().log_softmax(dim=-1).transpose(0, 1)
        ctc = ctc_loss(log_probs, torch.cat(rows), lens, text_lens, reduction="sum")
        (0.5 * (ctc / text_lens.sum()) + 0.5 * attention).backward()
    clip_grad_norm_(state.model.parameters(), 2.0)
    state.optimizer.step()
    state.optimizer.zero_grad()
    state.schedule.step()
    state.average.update_parameters(state.model)
    state.step, state.batch = state.step + 1, state.batch + 1


def test_a_run_that_is_killed_while_it_validates_does_not_repeat_the_epoch(
    straight: Trainer, tmp_path: Path
) -> None:
    def power_cut(epoch_evaluator: EpochEvaluator, state: TrainingState, world: World) -> None:
        raise PowerCutError

    config = tiny_run(tmp_path, checkpoint_steps=1000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EpochEvaluator, "epoch", power_cut)
        with pytest.raises(PowerCutError):
            run(config)
    resumed = Trainer(config)
    assert (resumed.state.epoch, resumed.state.step) == (0, straight.state.step // 2)
    resumed.run()
    assert all(map(torch.equal, everything(resumed), everything(straight)))
    assert resumed.state.best_wer == straight.state.best_wer


def test_a_run_that_is_killed_at_its_last_step_is_still_validated(tmp_path: Path) -> None:
    config = tiny_run(tmp_path, checkpoint_steps=1)
    config = replace(config, optimizer=replace(config.optimizer, last_step=3))
    stopped = Trainer(config)
    stopped._epoch()
    run(config)
    assert (config.output / "last.safetensors").exists()


def deadly_run(config: TrainingConfig, threads: int) -> None:
    """A run whose process is killed in its sixth step."""
    torch.set_num_threads(threads)
    step = Trainer._step

    def deadly(self: Trainer, clips: list[Clip]) -> Losses:
        if self.state.step == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(self, clips)

    Trainer._step = deadly  # type: ignore[method-assign]  # the process ends with it
    Trainer(config).run()


@pytest.mark.usefixtures("quick_processes")
def test_a_run_that_is_killed_goes_on_from_its_last_state(
    straight: Trainer, tmp_path: Path
) -> None:
    """By SIGKILL, in a process of its own, with as many threads: they decide the bits."""
    config = tiny_run(tmp_path)
    arguments = (config, torch.get_num_threads())
    killed = get_context("forkserver").Process(target=deadly_run, args=arguments)
    killed.start()
    killed.join(120)
    assert killed.exitcode == -signal.SIGKILL
    resumed = Trainer(config)
    assert resumed.state.step == 4
    resumed.run()
    assert all(map(torch.equal, everything(resumed), everything(straight)))


@pytest.mark.gpu
@pytest.mark.parametrize("compiled", [False, True])
def test_a_run_on_a_gpu_lowers_the_loss_and_goes_on(tmp_path: Path, compiled: bool) -> None:
    config = replace(tiny_run(tmp_path, epochs=1), device="cuda", compile=compiled)
    first = run(config)
    assert all(value.isfinite().all() for value in everything(first))
    exported = load_checkpoint(config.output / "last.safetensors").model
    assert exported.ctc.weight.device.type == "cpu"
    longer = replace(config.schedule, epochs=8)
    resumed = Trainer(replace(config, schedule=longer, augmentation=PLAIN))
    assert resumed.state.model.ctc.weight.device.type == "cuda"
    assert all(map(torch.equal, everything(resumed), everything(first)))
    losses = [float(resumed._step(resumed._clips()).total) for _ in range(8)]
    assert losses[-1] < losses[0]


def plain_augmentation(
    samples: Tensor, lens: Tensor, speed: SpeedPerturbation
) -> tuple[Tensor, Tensor]:
    """All that there was before rooms, codecs and the like: the bits of older runs."""
    config = AugmentationConfig()
    samples, lens = speed(samples, lens)
    rows = samples.shape[0]
    gain = torch.empty(rows, 1).uniform_(-config.gain_db, config.gain_db)
    samples = samples * 10 ** (gain / 20)
    snr = torch.empty(rows).uniform_(*config.noise_snr_db)
    quiet = torch.rand(rows) >= config.noise_probability
    noise = torch.randn_like(samples)
    return add_noise(samples, noise, snr.masked_fill(quiet, 100.0), lens), lens.long()


def test_joined_and_wordless_clips_have_their_texts(tmp_path: Path) -> None:
    trainer = Trainer(tiny_run(tmp_path, augmentation=EVERYTHING))
    clips = trainer._clips()
    texts = [trainer._text(clip) for clip in clips]
    assert "" in texts
    joined = next(clip for clip in clips if len(clip.utterances) > 1)
    said = [trainer.utterances[index][1].text for index in joined.utterances]
    assert trainer._text(joined) == " ".join(said)
    assert len(trainer._waveform(joined)) == joined.samples


def test_clips_fit_the_model_s_window(tmp_path: Path) -> None:
    config = tiny_run(tmp_path, augmentation=replace(EVERYTHING, join_probability=1.0))
    trainer = Trainer(config)
    longest = max(clip.seconds for clip in trainer._clips())
    assert 3.0 < longest <= config.model.window_seconds < config.data.max_seconds


def test_bad_speech_stops_a_run_or_is_skipped(tmp_path: Path) -> None:
    config = tiny_run(tmp_path)
    (manifest,) = config.data.train
    row = {"audio_filepath": "part/99.wav", "text": "lost", "shard": "0.tar"}
    manifest.write_text(manifest.read_text() + json.dumps(row) + "\n")
    with pytest.raises(ManifestError, match=r"audio missing: 1 \(0\.tar holds no part/99\.wav\)"):
        Trainer(config)
    skipping = Trainer(replace(config, data=replace(config.data, on_bad="skip")))
    assert len(skipping.utterances) == UTTERANCES


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
    again.run()
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
    trainer._step(trainer._clips()[:2])
    before = [weight.clone() for weight in trainer.state.model.state_dict().values()]
    weight = trainer.state.model.ctc.weight
    handle = weight.register_hook(lambda gradient: gradient * float("nan"))
    trainer._step(trainer._clips()[:2])
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
    config = replace(config, data=replace(config.data, max_seconds=1.9))
    trainer = Trainer(replace(config, model=tiny_config_of(40)))
    assert 0 < len(trainer.utterances) < UTTERANCES
    assert all(u.seconds <= 1.9 for _, u in trainer.utterances)


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
