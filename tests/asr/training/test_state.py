"""A run's state: saved and loaded, it goes on as if nothing had happened."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest
import torch

from auricle.model import SpeechTransformer
from auricle.training.config import OptimizerConfig
from auricle.training.state import TrainingState, new_state, rate
from auricle_types.errors import CheckpointMismatchError, StorageError
from tests.asr.tiny import tiny_config, tiny_model

FULL = Path("/dev/full")
CONFIG = OptimizerConfig(learning_rate=1e-2, warmup_steps=4, average_decay=0.5)


def fresh(seed: int = 0) -> TrainingState:
    torch.manual_seed(seed)
    return new_state(SpeechTransformer(tiny_config()), CONFIG)


def step(state: TrainingState, seed: int) -> None:
    generator = torch.manual_seed(seed)
    for weight in state.model.parameters():
        weight.grad = torch.randn(weight.shape, generator=generator)
    state.optimizer.step()
    state.schedule.step()
    state.average.update_parameters(state.model)
    state.step += 1


def weights(state: TrainingState) -> list[torch.Tensor]:
    return [*state.model.state_dict().values(), *state.averaged_model.state_dict().values()]


def test_loaded_goes_on_bit_for_bit(tmp_path: Path) -> None:
    straight = fresh()
    for seed in range(3):
        step(straight, seed)
    straight.epoch, straight.batch, straight.best_wer = 2, 7, 0.5
    straight.save(tmp_path / "state.pt")
    resumed = fresh(seed=1)
    assert not all(map(torch.equal, weights(straight), weights(resumed)))
    resumed.load(tmp_path / "state.pt")
    assert (resumed.epoch, resumed.batch, resumed.step, resumed.best_wer) == (2, 7, 3, 0.5)
    for seed in range(3, 6):
        step(straight, seed)
        step(resumed, seed)
    assert all(map(torch.equal, weights(straight), weights(resumed)))
    assert resumed.schedule.get_last_lr() == straight.schedule.get_last_lr()


def test_a_state_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, path = fresh(), tmp_path / "state.pt"
    state.save(path)
    before = path.read_bytes()

    def fail(values: object, target: BinaryIO) -> None:
        target.write(b"half")
        raise OSError("the disk is full")

    monkeypatch.setattr(torch, "save", fail)
    with pytest.raises(StorageError, match=r"state\.pt: cannot be written: the disk is full"):
        state.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
def test_a_full_disk_leaves_the_state_that_was_there(tmp_path: Path) -> None:
    state, path = fresh(), tmp_path / "state.pt"
    state.save(path)
    before = path.read_bytes()
    (tmp_path / "state.pt.partial").symlink_to(FULL)
    with pytest.raises(StorageError, match="No space left on device"):
        state.save(path)
    assert path.read_bytes() == before
    state.save(path)


def test_an_older_state_does_not_say_how_stale_it_is(tmp_path: Path) -> None:
    state, path = fresh(), tmp_path / "state.pt"
    state.best_wer, state.stale = 0.5, 3
    state.save(path)
    later = fresh(seed=1)
    later.load(path)
    assert (later.best_wer, later.stale) == (0.5, 3)
    saved = torch.load(path)
    del saved["stale"]
    torch.save(saved, path)
    later.load(path)
    assert (later.best_wer, later.stale) == (0.5, 0)


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    fresh().save(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointMismatchError, match="--restart"):
        fresh().load(path)


def test_the_rate_warms_up_and_falls() -> None:
    state = fresh()
    rates = []
    for seed in range(16):
        rates.append(float(state.schedule.get_last_lr()[0]))
        step(state, seed)
    assert rates[:4] == pytest.approx([0.0025, 0.005, 0.0075, 0.01])
    assert rates[15] == pytest.approx(0.01 * (4 / 16) ** 0.5)
    assert max(rates) == rates[3]


def test_the_average_follows_the_weights() -> None:
    state = fresh()
    before = copy.deepcopy(state.averaged_model.ctc.weight.detach())
    step(state, 0)  # the first update copies
    first = state.model.ctc.weight.detach().clone()
    assert torch.equal(state.averaged_model.ctc.weight, first)
    assert not torch.equal(before, first)
    step(state, 1)
    expected = 0.5 * first + 0.5 * state.model.ctc.weight.detach()
    torch.testing.assert_close(state.averaged_model.ctc.weight.detach(), expected)


def test_the_average_is_a_model_of_its_own() -> None:
    state = fresh()
    assert state.averaged_model is not state.model
    assert state.averaged_model.config == tiny_model().config


def test_the_rate_warms_up_then_falls_with_the_root_of_the_step() -> None:
    config = OptimizerConfig(warmup_steps=100)
    assert rate(0, config) == pytest.approx(0.01)
    assert rate(99, config) == 1.0
    assert rate(399, config) == pytest.approx(0.5)


def test_a_run_with_a_last_step_cools_down_to_nothing() -> None:
    config = OptimizerConfig(warmup_steps=100, last_step=500, cooldown_steps=200)
    endless = OptimizerConfig(warmup_steps=100)
    assert rate(300, config) == rate(300, endless)
    assert rate(400, config) == pytest.approx(0.5 * rate(400, endless))
    assert rate(500, config) == rate(600, config) == 0.0


def test_a_cosine_falls_from_the_warm_up_to_nothing() -> None:
    config = OptimizerConfig(decay="cosine", warmup_steps=100, last_step=500, cooldown_steps=0)
    assert rate(49, config) == pytest.approx(0.5)
    assert rate(99, config) == rate(100, config) == 1.0
    assert rate(200, config) == pytest.approx(0.5 * (1 + 2**-0.5))
    assert rate(300, config) == pytest.approx(0.5)
    assert rate(500, config) == rate(600, config) == 0.0


def test_a_cosine_cools_down_like_the_others() -> None:
    config = OptimizerConfig(decay="cosine", warmup_steps=100, last_step=500, cooldown_steps=200)
    without = replace(config, cooldown_steps=0)
    assert rate(300, config) == rate(300, without)
    assert rate(400, config) == pytest.approx(0.5 * rate(400, without))
