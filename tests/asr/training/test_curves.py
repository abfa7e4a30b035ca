"""The picture shows what the journal holds."""

import logging
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from auricle.training.curves import draw_curves, renew_curves
from auricle.training.journal import EVERY, Journal
from auricle.training.loss import Losses
from auricle.training.trainer import Trainer
from tests.asr.training.runs import tiny_run

pytest.importorskip("matplotlib")

PNG = b"\x89PNG"


@pytest.fixture(scope="module", autouse=True)
def pictures() -> None:
    """Runs of this module draw."""


def step(number: int, ctc: float = 2.0, attention: float = 4.0) -> dict[str, object]:
    return {"step": number, "ctc": ctc, "attention": attention, "norm": 1.0, "lr": 0.001}


def epoch(number: int, **wer: tuple[float, float]) -> dict[str, object]:
    return {"epoch": number, "step": 100 * number, "wer": wer}


def lines(journal: list[dict[str, object]], panel: int) -> dict[str, list[tuple[float, float]]]:
    axes = draw_curves(journal).axes[panel]
    return {
        str(line.get_label()): [
            (float(x), float(y)) for x, y in np.asarray(line.get_xydata(), dtype=float)
        ]
        for line in axes.get_lines()
    }


def test_losses_over_steps() -> None:
    found = lines([step(100), step(200, ctc=1.0), epoch(2, dev=(1.0, 1.0))], 0)
    assert found == {"ctc": [(100, 2), (200, 1)], "attention": [(100, 4), (200, 4)]}


def test_the_rate_over_steps() -> None:
    assert list(lines([step(100), step(200)], 1).values()) == [[(100, 0.001), (200, 0.001)]]


def test_each_dev_set_has_a_line_for_each_head() -> None:
    found = lines([epoch(1, a=(0.9, 0.8)), epoch(2, a=(0.7, 0.6), b=(0.5, 0.4))], 2)
    assert found == {
        "a, ctc": [(100, 0.9), (200, 0.7)],
        "a, attention": [(100, 0.8), (200, 0.6)],
        "b, ctc": [(200, 0.5)],
        "b, attention": [(200, 0.4)],
    }


def test_what_was_done_twice_counts_once() -> None:
    """A run that was killed at step 300 went on from step 100."""
    journal = [step(100, 9), step(200, 9), step(300, 9), step(200, 1), step(300, 2)]
    assert lines(journal, 0)["ctc"] == [(100, 9), (200, 1), (300, 2)]


def test_an_empty_journal_is_a_picture_too(tmp_path: Path) -> None:
    renew_curves(tmp_path)
    assert (tmp_path / "curves.png").read_bytes().startswith(PNG)


def test_a_run_renews_its_picture_after_each_epoch(tmp_path: Path) -> None:
    config = tiny_run(tmp_path, epochs=1)
    picture = config.output / "curves.png"
    trainer = Trainer(config)
    trainer.run()
    first = picture.read_bytes()
    assert first.startswith(PNG)
    Journal(config.output).step(EVERY, Losses(*torch.ones(3)), 1.0, 0.1)
    trainer.epoch_evaluator.epoch(trainer.state, trainer.world)
    assert picture.read_bytes() != first


def test_without_matplotlib_the_log_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in [each for each in sys.modules if each.startswith("matplotlib")]:
        monkeypatch.setitem(sys.modules, name, None)
    caplog.set_level(logging.INFO)
    renew_curves(tmp_path)
    assert "pip install 'auricle[train]'" in caplog.text
    assert list(tmp_path.iterdir()) == []
