import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import server
from benchmarks.rounds import Standing
from benchmarks.server import CALLERS, ENGINE, SERVER, SMOKE_PLAN, Subject, main


def fake_race(_: server.Plan, subject: Subject) -> dict[str, Standing]:
    speed = 9.0 if subject.tokens is None else 8.0
    return {
        ENGINE: Standing([10.0], {}),
        CALLERS: Standing([9.5], {}),
        SERVER: Standing([speed], {"clients": 2}),
    }


def run(output: Path) -> str:
    done = CliRunner().invoke(main, ["--quick", "--threads", "1", "--output", str(output)])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_lower_ratio_is_the_claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "race", fake_race)
    said = run(tmp_path / "server.json")
    result = json.loads((tmp_path / "server.json").read_text())
    assert result["grpc_over_engine"] == 0.8
    assert result["grpc_over_engine_by_model"] == {"bundled": 0.9, "whisper-tiny": 0.8}
    assert result["grpc_over_callers"] == 0.8421
    assert result["models"]["bundled"][SERVER]["clients"] == 2
    assert result["clients"] == SMOKE_PLAN.clients
    assert "0.8" in said


@pytest.mark.slow
def test_a_smoke_run_with_a_real_server(tmp_path: Path) -> None:
    run(tmp_path / "server.json")
    result = json.loads((tmp_path / "server.json").read_text())
    assert result["quick"] is True
    assert result["grpc_over_engine"] > 0
    assert set(result["models"]) == {"bundled", "whisper-tiny"}
