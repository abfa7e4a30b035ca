import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import machine, results
from benchmarks.results import Result, table


def test_a_result_says_where_and_when(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "x.json"
    Result("x", quick=True, threads=2).write({"figure": 1.5}, path)
    written = json.loads(path.read_text())
    assert written["figure"] == 1.5
    assert (written["benchmark"], written["quick"]) == ("x", True)
    assert len(written["date"]) == len("2026-01-31")
    assert written["hardware"]["threads"] == 2
    assert written["hardware"]["cores"] >= 1
    assert {"python", "auricle", "torch"} <= written["versions"].keys()


def test_a_smoke_run_leaves_the_results_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    Result("x", quick=True, threads=1).write({}, None)
    assert list(tmp_path.iterdir()) == []
    Result("x", quick=False, threads=1).write({}, None)
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_versions_leave_out_what_is_not_there() -> None:
    found = machine.versions(["torch", "no-such-package-anywhere"])
    assert "torch" in found
    assert "no-such-package-anywhere" not in found


def test_the_processor_is_read_from_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("model name\t: Abacus 9\nflags\t\t: fpu avx512f avx2\n\nmodel name\t: Other\n")
    monkeypatch.setattr(machine, "CPU_INFO", info)
    found = machine.machine(threads=3)
    assert found["cpu"] == "Abacus 9"
    assert found["cpu_flags"] == ["avx2", "avx512f"]


def test_a_system_that_does_not_tell_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "CPU_INFO", tmp_path / "none")
    found = machine.machine(threads=1)
    assert isinstance(found["cpu"], str)
    assert found["cpu_flags"] == []


@given(st.lists(st.tuples(st.integers(), st.text("abc ", max_size=9)), max_size=5))
def test_a_table_has_a_line_a_row_all_of_one_width(rows: list[tuple[int, str]]) -> None:
    lines = table(("Number", "Word"), rows).splitlines()
    assert len(lines) == len(rows) + 2
    assert len({len(line) for line in lines}) == 1
    assert all(line.count("|") == 3 for line in lines)
