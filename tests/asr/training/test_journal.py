import json
import math
from pathlib import Path

import torch

from auricle.training.journal import EVERY, Journal, read_journal
from auricle.training.loss import Losses

LOSSES = Losses(torch.tensor(3.0), attention=torch.tensor(4.0), ctc=torch.tensor(2.0))


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def test_one_step_in_many_is_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for step in range(1, 2 * EVERY + 2):
        journal.step(step, LOSSES, 1.5, 0.001)
    expected = {"ctc": 2.0, "attention": 4.0, "norm": 1.5, "lr": 0.001}
    assert lines(tmp_path) == [{"step": EVERY, **expected}, {"step": 2 * EVERY, **expected}]


def test_every_epoch_is_written(tmp_path: Path) -> None:
    Journal(tmp_path).epoch(3, 12, {"dev": (0.75, 0.5)})
    assert lines(tmp_path) == [{"epoch": 3, "step": 12, "wer": {"dev": [0.75, 0.5]}}]


def test_a_journal_is_continued(tmp_path: Path) -> None:
    Journal(tmp_path).epoch(1, 10, {})
    Journal(tmp_path).step(EVERY, LOSSES, math.nan, 0.1)
    assert [line["step"] for line in lines(tmp_path)] == [10, EVERY]


def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.epoch(1, 10, {})
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write('{"step": 2\n')
    journal.epoch(2, 20, {})
    assert [line["step"] for line in read_journal(tmp_path)] == [10, 20]
    assert list(read_journal(tmp_path / "nothing")) == []
