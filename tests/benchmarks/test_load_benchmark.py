import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from auricle_cli.load import Arrival, LoadReport, RequestResult, Saturation, Traffic
from auricle_client import Receipt
from benchmarks import load
from benchmarks.load import (
    CONTINUOUS,
    FULL_PLAN,
    SHARE,
    SMOKE_PLAN,
    STATIC,
    Findings,
    Plan,
    main,
    share_of,
)


def report(latencies: list[float], duration: float = 10.0) -> LoadReport:
    receipt = Receipt("m", batch_size=2, padding_ratio=0.05)
    ended = [
        RequestResult(Arrival(0.0, 0.5, 1.0), 0.0, latency, audio_seconds=5.0, receipt=receipt)
        for latency in latencies
    ]
    return LoadReport.of(Traffic(duration=duration), ended)


CALM = Findings(Saturation((report([1.0] * 20),)), report([2.0] * 60 + [5.0]))
SLOW = Findings(Saturation((report([1.0] * 10),)), report([4.0] * 60 + [9.0]))


def run(output: Path) -> str:
    done = CliRunner().invoke(main, ["--quick", "--threads", "1", "--output", str(output)])
    assert done.exit_code == 0, done.output
    return done.output


def test_both_are_offered_the_same_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, float | None]] = []

    def under_load(kind: str, plan: Plan, rate: float | None = None) -> Findings:
        assert plan is SMOKE_PLAN
        asked.append((kind, rate))
        return CALM if kind == CONTINUOUS else SLOW

    monkeypatch.setattr(load, "under_load", under_load)
    said = run(tmp_path / "load.json")
    assert asked == [(CONTINUOUS, None), (STATIC, SHARE * 2.0)]
    result = json.loads((tmp_path / "load.json").read_text())
    assert result["p99_over_p50"] == 2.5
    assert result["saturation_rate"] == 2.0
    assert result["saturation_over_static"] == 2.0
    assert result["steady_rate"] == 1.4
    assert result[STATIC]["steady"]["latency"]["p99"] == 9.0
    assert "95.0%" in said
    assert "latency" in said


def test_a_server_that_answered_nothing_is_still_offered_something() -> None:
    assert share_of(Saturation((report([]),))) > 0


def test_every_wait_of_the_full_run_is_bounded() -> None:
    plan = FULL_PLAN
    assert plan.steady.duration >= 60  # enough requests for a 99th percentile
    assert plan.sweep.duration * 6 + plan.steady.duration < 300  # each of two servers


@pytest.mark.slow
def test_a_smoke_run_with_real_servers(tmp_path: Path) -> None:
    run(tmp_path / "load.json")
    result = json.loads((tmp_path / "load.json").read_text())
    assert result["quick"] is True
    for kind in (CONTINUOUS, STATIC):
        assert result[kind]["steady"]["errors"] == {}
        assert result[kind]["saturation"]["runs"]
