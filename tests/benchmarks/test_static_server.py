import sys
from collections.abc import Sequence

import pytest
import torch

from auricle import host
from auricle.engine import ModelRunner, Request
from auricle.engine.request import Job, Room
from benchmarks import static_server
from benchmarks.static_server import StaticRunner
from benchmarks.workload import QUICK, SMOKE, exactly, talker


def runner_in_use() -> object:
    return vars(host)["ModelRunner"]


def jobs(tokens: Sequence[int]) -> list[Job]:
    samples = QUICK.samples()[0]
    return [Job(Request(samples, exactly(count)), 0.0) for count in tokens]


def test_nobody_joins_before_the_last_one_has_ended() -> None:
    runner = StaticRunner(talker(SMOKE).model, torch.device("cpu"))
    idle = runner.room
    assert idle.slots > 1
    short, long = jobs([1, 3])
    runner.join([short, long])
    assert runner.room == Room(slots=0, cache_bytes=0)
    assert [job for job, _ in runner.step()] == [short]
    assert runner.room == Room(slots=0, cache_bytes=0)
    ended = [job for _ in range(2) for job, _ in runner.step()]
    assert ended == [long]
    assert runner.room == idle


def test_the_command_line_runs_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[object] = []
    monkeypatch.setattr(static_server, "auricle", lambda: used.append(runner_in_use()))
    static_server.main()
    assert used == [StaticRunner]
    assert runner_in_use() is ModelRunner


def test_it_does_what_the_command_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["auricle", "serve", "--help"])
    with pytest.raises(SystemExit, match="0"):
        static_server.main()
    assert "--max-encode-seconds" in capsys.readouterr().out
