"""The command against a real server."""

import json
from pathlib import Path

import pytest

from auricle_cli.commands.bench import exit_status
from auricle_cli.load import Arrival, LoadReport, RequestResult, Saturation, Traffic
from tests.cli.conftest import Auricle
from tests.server.fakes import wav

QUICK = ["--rate", "100", "--duration", "0.3", "--shortest", "0.1", "--longest", "0.5"]


def test_a_table_of_what_happened(auricle: Auricle, address: str) -> None:
    result = auricle("bench", "--server", address, *QUICK)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = dict(line.split("  ", 1) for line in result.stdout.splitlines())
    assert lines.keys() >= {"requests", "offered", "achieved", "latency", "first result"}
    assert "p99" in lines["latency"]


def test_json_has_the_figures(auricle: Auricle, address: str) -> None:
    flags = ["--garbage", "0.5", "--format", "json"]
    report = json.loads(auricle("bench", "--server", address, *QUICK, *flags).stdout)
    expected = sum(1 for _ in Traffic(rate=100, duration=0.3).arrivals())
    assert report["requests"] == expected
    assert report["answered"] + report["garbage_refused"] == expected
    assert report["garbage_refused"] > 0
    assert report["errors"] == {}
    assert report["batch_size"] == 3  # as the fake's receipts say
    assert report["padding_efficiency"] == 0.875


def test_recordings_are_cut(auricle: Auricle, address: str, tmp_path: Path) -> None:
    (tmp_path / "loud.wav").write_bytes(wav(1.5, level=0.5))
    flags = ["--format", "json", "--streams", "0"]
    report = json.loads(auricle("bench", "--server", address, *QUICK, *flags, "loud.wav").stdout)
    seconds = report["audio_seconds_per_second"] / report["answered_rate"]
    assert 0.1 < seconds < 0.5
    assert report["first_result"] is None


def test_failures_that_nobody_meant_are_exit_status_1(
    auricle: Auricle, address: str, tmp_path: Path
) -> None:
    (tmp_path / "text.flac").write_text("no audio at all")
    result = auricle("bench", "--server", address, *QUICK, "text.flac")
    assert result.exit_code == 1
    assert "error UNSUPPORTED_AUDIO" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.wav"], "no audio file at none.wav"),
        (["--server", "127.0.0.1:1"], "127.0.0.1:1"),
    ],
)
def test_what_cannot_be_done_is_said(
    auricle: Auricle, address: str, arguments: list[str], message: str
) -> None:
    result = auricle("bench", "--server", address, *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("auricle: ")
    assert message in result.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--rate", "0"], "'--rate'"),
        (["--garbage", "2"], "'--garbage'"),
        (["--shortest", "9", "--longest", "3"], "shortest"),
        (["--timeout", "0"], "--timeout"),
        (["--sweep", "--garbage", "0.1"], "--sweep goes without"),
        (["--max-tokens", "0"], "--max-tokens"),
    ],
)
def test_wrong_usage(auricle: Auricle, flags: list[str], message: str) -> None:
    result = auricle("bench", *flags)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_sweep_looks_for_the_limit(
    auricle: Auricle, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auricle_cli.load.sweep.DOUBLINGS", 2)
    result = auricle("bench", "--server", address, *QUICK, "--sweep")
    assert result.exit_code == 0
    assert "full at" in result.stdout
    answer = json.loads(
        auricle("bench", "--server", address, *QUICK, "--sweep", "--format", "json").stdout
    )
    assert 1 <= len(answer["runs"]) <= 2


def test_a_sweep_that_nobody_answers_says_what_came_instead(
    auricle: Auricle, address: str, tmp_path: Path
) -> None:
    noise = tmp_path / "noise.mp3"
    noise.write_bytes(bytes(range(256)))
    result = auricle("bench", "--server", address, *QUICK, "--sweep", str(noise))
    assert result.exit_code == 2
    assert "the server answered nothing" in result.stderr
    assert "UNSUPPORTED_AUDIO: " in result.stderr


def test_a_sweep_s_failures_are_its_purpose() -> None:
    failed = RequestResult(Arrival(0.5, 0.5, 1.0), 0.0, 1.0, "QUEUE_FULL")
    failing = LoadReport.of(Traffic(), [failed])
    assert exit_status(failing) == 1
    assert exit_status(Saturation((failing,))) == 0
