import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks import contention
from benchmarks.report import contention as written


class Fake:
    """Stands for `subprocess.run`: its speed is the number of its call."""

    def __init__(self) -> None:
        self.environments: list[Mapping[str, str]] = []

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
        assert command[0] == sys.executable
        self.environments.append(options["env"])
        return subprocess.CompletedProcess(command, 0, f"{len(self.environments)}.0")


def test_ways_take_turns_and_medians_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake()
    monkeypatch.setattr(subprocess, "run", fake)
    monkeypatch.setattr(contention, "BUSY", (0, 1))
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    found = list(contention.speeds(2, 3, "bundled", 4))
    ways = list(contention.WAYS)
    assert [(one.way, one.busy) for one in found] == [(w, b) for b in (0, 1) for w in ways]
    assert [one.speed for one in found] == [5.0, 6.0, 7.0, 8.0, 17.0, 18.0, 19.0, 20.0]
    spinning, _, passive, single = fake.environments[:4]
    assert "OMP_WAIT_POLICY" not in spinning  # what is set here does not count there
    assert passive["OMP_WAIT_POLICY"] == "PASSIVE"
    assert (passive["OMP_NUM_THREADS"], single["OMP_NUM_THREADS"]) == ("2", "1")


def test_busy_processes_end_with_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, command: list[str]) -> None:
            super().__init__(command)
            begun.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    with contention.computing(2):
        assert [process.poll() for process in begun] == [None, None]
    assert all(process.poll() is not None for process in begun)


def test_the_table_has_a_column_for_each_number_of_busy_processes() -> None:
    speeds = [{"way": way, "busy": busy, "speed": 1.5} for busy in (0, 2) for way in ("a", "b")]
    (table,) = written({"model": "bundled", "speeds": speeds})
    assert "beside 0 busy" in table
    assert table.count("1.5") == 4
