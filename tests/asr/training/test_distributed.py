"""Processes that divide a batch among them train as one that has it to itself."""

import copy
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed

from auricle.training.config import LossConfig, TrainingConfig
from auricle.training.distributed import World, world_of
from auricle.training.loss import ALL, Losses, joint_loss
from auricle.training.trainer import Trainer
from auricle_types.errors import InvalidOptionError, TrainingInterruptedError
from tests.asr.tiny import features, tiny_model
from tests.asr.training.runs import PLAIN, tiny_run, write_recipe

CPU = torch.device("cpu")
ROOT = Path(__file__).parents[3]
TEXTS = [[5, 6, 7], [8], [], [11], [12, 13, 14, 15, 16], [4, 4]]
# What `torchrun` starts: the command, and then the weights of each process for the test.
WORKER = """
import os, sys, torch
from auricle.training.trainer import Trainer
from auricle_cli.main import main
run = Trainer.run
def run_and_tell(trainer):
    run(trainer)
    torch.save(trainer.state.model.state_dict(), f"{sys.argv[2]}/{os.environ['RANK']}.pt")
Trainer.run = run_and_tell
main(["train", sys.argv[1]], standalone_mode=False)
"""


class PowerCutError(Exception):
    """A power cut."""


def worlds(size: int) -> list[World]:
    return [World(CPU, rank, size) for rank in range(size)]


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_every_row_is_one_process_s(size: int) -> None:
    rows = [row for world in worlds(size) for row in world.rows(range(6))]
    assert sorted(rows) == list(range(6))


def test_a_process_without_a_row_of_its_own_takes_part_and_does_not_count() -> None:
    spare = World(CPU, 2, 4)
    assert spare.rows(["a", "b"]) == ["a"]
    share = spare.share([[5]], [[5], [6]])
    assert (share.ctc, share.attention) == (0.0, 0.0)


def test_alone_nothing_changes() -> None:
    alone = World(CPU)
    model, losses = tiny_model(), Losses(*torch.rand(3))
    assert alone.first
    assert alone.wrap(model) is model
    assert alone.share(TEXTS, TEXTS) == ALL
    assert alone.joined(losses) is losses
    assert alone.agree(0.5, 2.0) == [0.5, 2.0]
    assert (alone.any(True), alone.any(False)) == (True, False)
    assert alone.seed() == ()


def test_each_has_random_numbers_of_its_own_the_first_one_the_run_s() -> None:
    assert [world.seed() for world in worlds(3)] == [(), (1,), (2,)]


def gradients(world: World) -> tuple[list[Tensor], Losses]:
    """Of this process' rows alone, and their losses."""
    model = copy.deepcopy(tiny_model()).requires_grad_(True)
    x, x_lens = features(model.config)
    rows = world.rows(range(len(TEXTS)))
    texts = [TEXTS[row] for row in rows]
    share = world.share(texts, TEXTS)
    losses = joint_loss(model, x[rows], x_lens[rows], texts, LossConfig(), share)
    losses.total.backward()
    return [weight.grad for weight in model.parameters() if weight.grad is not None], losses


@pytest.mark.parametrize("size", [2, 4, 7])
def test_the_mean_of_their_gradients_is_the_batch_s(size: int) -> None:
    """Also with more processes than rows."""
    expected, whole = gradients(World(CPU))
    parts = [gradients(world) for world in worlds(size)]
    for index, gradient in enumerate(expected):
        mean = torch.stack([part[index] for part, _ in parts]).mean(dim=0)
        torch.testing.assert_close(mean, gradient, atol=1e-5, rtol=1e-3)
    for name in ("total", "ctc", "attention"):
        mean = torch.stack([getattr(losses, name).detach() for _, losses in parts]).mean()
        torch.testing.assert_close(mean, getattr(whole, name).detach())


def test_one_process_is_a_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with world_of("cpu") as world:
        assert world == World(CPU)
    with pytest.raises(InvalidOptionError, match="device"), world_of("tpu"):
        pass


def test_a_process_group_of_one_rank_each_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real calls by gloo, with nobody else there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    group = {"RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    for name, value in (group | {"LOCAL_RANK": "0", "WORLD_SIZE": "1"}).items():
        monkeypatch.setenv(name, value)
    distributed.init_process_group("gloo")
    try:
        world = World(CPU, 0, 2)  # as if there were another one that adds nothing
        losses = world.joined(Losses(*torch.tensor([2.0, 4.0, 6.0])))
        assert float(losses.total) == 1
        assert losses.heads == {"attention": 2.0, "ctc": 3.0}
        assert world.agree(0.5, 3.0) == [0.5, 3.0]
        assert (world.any(True), world.any(False)) == (True, False)
        with world.first_alone():
            pass
    finally:
        distributed.destroy_process_group()


def test_the_others_learn_that_the_first_one_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []

    def agree(world: World, *values: float) -> list[float]:
        told.extend(values)
        return [1.0]

    monkeypatch.setattr(World, "agree", agree)
    first, other = worlds(2)
    with pytest.raises(PowerCutError), first.first_alone():
        raise PowerCutError
    assert told == [1.0]  # that it failed
    with pytest.raises(TrainingInterruptedError, match="says why"), other.first_alone():
        pytest.fail("it went on")


def torchrun(config: TrainingConfig, folder: Path) -> list[dict[str, Tensor]]:
    """Train by two processes; the weights that each of them has at the end."""
    folder.mkdir(exist_ok=True)
    (folder / "worker.py").write_text(WORKER)
    recipe = write_recipe(config, folder / "recipe.toml")
    options = ["--standalone", "--nproc-per-node", "2", str(folder / "worker.py")]
    command = [sys.executable, "-m", "torch.distributed.run", *options, str(recipe), str(folder)]
    rooms = [str(ROOT / room) for room in ("asr", "proto", "server", "client", ".")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(rooms), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, check=False, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


def calm(folder: Path, epochs: int) -> TrainingConfig:
    """A run in which nothing is drawn but the batches."""
    config = tiny_run(folder, epochs=epochs, augmentation=PLAIN)
    transformer = replace(config.model.transformer, dropout=0.0)
    return replace(config, model=replace(config.model, transformer=transformer))


@pytest.mark.slow
def test_two_processes_train_as_one_and_resume(tmp_path: Path) -> None:
    alone = Trainer(calm(tmp_path / "alone", 2))
    before = {name: weight.clone() for name, weight in alone.state.model.state_dict().items()}
    alone.run()
    torchrun(calm(tmp_path / "two", 1), tmp_path / "workers")
    first, second = torchrun(calm(tmp_path / "two", 2), tmp_path / "workers")  # goes on
    moved = apart = 0.0
    for name, weight in alone.state.model.state_dict().items():
        assert torch.equal(first[name], second[name]), name
        moved += float((weight - before[name]).square().sum())
        apart += float((weight - first[name]).square().sum())
    assert apart < 0.05**2 * moved  # the forward pass is in bfloat16, and Adam enlarges rounding
    output = tmp_path / "two" / "run"
    assert {"state.pt", "journal.jsonl", "last.safetensors"} <= {p.name for p in output.iterdir()}
    assert len((output / "journal.jsonl").read_text().splitlines()) == 2  # one writes


@pytest.mark.slow
def test_two_processes_agree_with_random_augmentation(tmp_path: Path) -> None:
    first, second = torchrun(tiny_run(tmp_path / "two", epochs=1), tmp_path / "workers")
    assert all(torch.equal(first[name], second[name]) for name in first)
