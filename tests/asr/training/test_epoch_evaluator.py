"""Which epoch was the best, and when to stop waiting for a better one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from auricle.training.config import TrainingConfig
from auricle.training.distributed import World
from auricle.training.epoch_evaluator import EpochEvaluator
from auricle.training.trainer import Trainer
from tests.asr.training.runs import tiny_run, write_dev


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """WERs that the epochs of a run have, the last one from then on."""
    rates: list[float] = []

    def endless() -> Iterator[float]:
        yield from rates
        while True:
            yield rates[-1]

    told = endless()
    monkeypatch.setattr(EpochEvaluator, "_wer", lambda epoch_evaluator, state: next(told))
    return rates


def waiting(folder: Path, patience: int, epochs: int = 6) -> TrainingConfig:
    config = tiny_run(folder, epochs=epochs)
    config = replace(config, data=replace(config.data, batch_seconds=100.0))  # a batch an epoch
    return replace(config, schedule=replace(config.schedule, patience=patience))


@pytest.mark.parametrize(
    ("patience", "wers", "epochs"),
    [
        (0, [0.5, 0.9], 6),
        (1, [0.5, 0.9], 2),
        (1, [0.9, 0.5, 0.5], 3),
        (2, [0.5, 0.6, 0.4, 0.4, 0.4], 5),
        (2, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4], 6),
    ],
)
def test_a_run_ends_when_nothing_gets_better(
    tmp_path: Path, rates: list[float], patience: int, wers: list[float], epochs: int
) -> None:
    rates += wers
    trainer = Trainer(waiting(tmp_path, patience))
    trainer.run()
    assert trainer.state.epoch == epochs
    assert trainer.state.best_wer == min(wers)


def test_it_stays_ended_and_goes_on_with_more_patience(tmp_path: Path, rates: list[float]) -> None:
    rates += [0.5]
    Trainer(waiting(tmp_path, 2)).run()
    again = Trainer(waiting(tmp_path, 2))
    again.run()
    assert (again.state.epoch, again.state.stale) == (3, 2)
    patient = Trainer(waiting(tmp_path, 4))
    patient.run()
    assert (patient.state.epoch, patient.state.stale) == (5, 4)


def test_the_best_model_is_kept(tmp_path: Path, rates: list[float]) -> None:
    rates += [0.5, 0.6]
    config = waiting(tmp_path, 0, epochs=1)
    Trainer(config).run()
    best = (config.output / "best.safetensors").read_bytes()
    Trainer(waiting(tmp_path, 0, epochs=2)).run()
    assert (config.output / "best.safetensors").read_bytes() == best
    assert (config.output / "last.safetensors").read_bytes() != best


def test_the_wer_is_attention_s_mean_over_the_dev_sets(tmp_path: Path) -> None:
    config = tiny_run(tmp_path, epochs=1)
    dev = (*config.data.dev, write_dev(tmp_path / "other", "other", count=3))
    trainer = Trainer(replace(config, data=replace(config.data, dev=dev)))
    epoch_evaluator = trainer.epoch_evaluator
    rates = [
        epoch_evaluator._validator.wer(trainer.state.averaged_model.eval(), each)
        for each in epoch_evaluator._dev
    ]
    assert epoch_evaluator._wer(trainer.state) == pytest.approx(sum(wer for _, wer in rates) / 2)


def test_only_the_first_process_judges_and_the_others_believe_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(tiny_run(tmp_path))
    monkeypatch.setattr(World, "agree", lambda world, *values: [0.25, 3.0])
    trainer.epoch_evaluator.epoch(trainer.state, World(torch.device("cpu"), rank=1, size=2))
    assert (trainer.state.best_wer, trainer.state.stale) == (0.25, 3)
    assert not (tmp_path / "run" / "last.safetensors").exists()
