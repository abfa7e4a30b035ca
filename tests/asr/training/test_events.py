"""TensorBoard sees what the journal says."""

import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from auricle.training.events import Events, scalars

STEP = {"step": 100, "ctc": 2.0, "attention": 4.0, "norm": 1.5, "lr": 0.001}
EPOCH = {"epoch": 1, "step": 130, "wer": {"dev": (0.75, 0.5), "an4": (0.25, 0.125)}}


def read(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values by tag."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events: Any = accumulator.EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    tags = events.Tags()["scalars"]
    return {tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in tags}


def test_lines_become_scalars() -> None:
    assert dict(scalars(STEP)) == {
        "loss/ctc": 2.0,
        "loss/attention": 4.0,
        "gradient_norm": 1.5,
        "rate": 0.001,
    }
    assert dict(scalars(EPOCH)) == {
        "wer_ctc/dev": 0.75,
        "wer_attention/dev": 0.5,
        "wer_ctc/an4": 0.25,
        "wer_attention/an4": 0.125,
    }


def test_they_are_in_the_files_at_once(tmp_path: Path) -> None:
    events = Events(tmp_path)
    assert not (tmp_path / "tensorboard").exists()
    events.add(STEP)
    events.add(EPOCH)
    found = read(tmp_path)
    assert found["loss/ctc"] == [(100, 2.0)]
    assert found["wer_attention/an4"] == [(130, 0.125)]


def test_a_run_that_goes_on_replaces_what_it_repeats(tmp_path: Path) -> None:
    killed = Events(tmp_path)
    for step in (100, 200, 300):
        killed.add(STEP | {"step": step, "ctc": 9.0})
    resumed = Events(tmp_path)
    resumed._open(200)
    for step in (200, 300):
        resumed.add(STEP | {"step": step})
    losses = read(tmp_path)["loss/ctc"]
    assert (100, 9.0) in losses
    assert losses[-1] == (300, 2.0)


def test_without_tensorboard_the_log_says_so_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    caplog.set_level(logging.INFO)
    events = Events(tmp_path)
    events.add(STEP)
    events.add(EPOCH)
    assert caplog.text.count("pip install 'auricle[train]'") == 1
    assert list(tmp_path.iterdir()) == []
