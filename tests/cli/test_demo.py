"""The demo against a server whose recogniser is fake."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from auricle_cli import server_process
from auricle_cli.commands import demo
from auricle_cli.failure import Failure
from auricle_cli.server_process import running_server
from tests.cli.conftest import Auricle
from tests.server.fakes import wav


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, address: str) -> list[Sequence[str]]:
    """The options of each server that was started; it is the fake one."""
    starts: list[Sequence[str]] = []

    @contextmanager
    def running(options: Sequence[str]) -> Iterator[str]:
        starts.append(options)
        try:
            yield address
        finally:
            starts.append("stopped")

    monkeypatch.setattr(demo, "running_server", running)
    return starts


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    folder = tmp_path / "samples"
    folder.mkdir()
    (folder / "one.wav").write_bytes(wav(1.0, level=0.5))
    line = {"audio_filepath": "one.wav", "text": "Level five hundred, beam 1."}
    (folder / "manifest.jsonl").write_text(json.dumps(line))
    return folder


def test_samples(auricle: Auricle, started: list[Sequence[str]], samples: Path) -> None:
    result = auricle("demo", "--model", "m")
    assert result.exit_code == 0
    assert "samples/one.wav (1.0 s)\n  recognised: level 500 beam 1\n" in result.stdout
    assert "\n  reference:  Level five hundred, beam 1.\n" in result.stdout
    assert "\nWER 40.00%" in result.stdout  # one of five words was deleted, one substituted
    assert started == [["--model", "m", "--log-level", "warning"], "stopped"]


def test_anybodys_recording(auricle: Auricle, started: list[Sequence[str]], tmp_path: Path) -> None:
    (tmp_path / "mine.wav").write_bytes(wav(2.0))
    result = auricle("demo", "mine.wav", "none.wav")
    assert result.exit_code == 1
    assert "mine.wav (2.0 s)\n  recognised: level 250 beam 1 level 250 beam 1\n" in result.stdout
    assert "WER" not in result.stdout
    assert result.stderr == "auricle: none.wav: no such file\n"


def test_bad_samples_count_as_failures(
    auricle: Auricle, started: list[Sequence[str]], samples: Path
) -> None:
    (samples / "one.wav").write_text("no audio")
    result = auricle("demo")
    assert result.exit_code == 2
    assert "WER 100.00%" in result.stdout


def test_without_samples_no_server_is_started(
    auricle: Auricle, started: list[Sequence[str]]
) -> None:
    result = auricle("demo")
    assert result.exit_code == 2
    assert "samples/manifest.jsonl" in result.stderr
    assert started == []


# --- the server's process ------------------------------------------------------------------------

SPEAKS = "import time; print('auricle: serving m on 127.0.0.1:99', flush=True); time.sleep(60)"


def stand_in(monkeypatch: pytest.MonkeyPatch, code: str) -> list[subprocess.Popen[str]]:
    """Start `python -c code` wherever a server would be started."""
    processes: list[subprocess.Popen[str]] = []
    popen = subprocess.Popen

    def start(command: list[str], **options: object) -> subprocess.Popen[str]:
        assert command[1:4] == ["-m", "auricle_cli", "serve"]
        processes.append(popen([sys.executable, "-c", code], **options))  # type: ignore[call-overload]
        return processes[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    return processes


def test_the_server_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    processes = stand_in(monkeypatch, SPEAKS)
    with running_server() as address:
        assert address == "127.0.0.1:99"
        assert processes[0].poll() is None
    assert processes[0].poll() == -signal.SIGTERM


def test_the_server_is_stopped_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    processes = stand_in(monkeypatch, SPEAKS)
    with pytest.raises(KeyError), running_server():
        raise KeyError
    assert processes[0].poll() is not None


def test_a_server_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    processes = stand_in(monkeypatch, "raise SystemExit(2)")
    with pytest.raises(Failure, match="did not start"), running_server():
        pass
    assert processes[0].poll() == 2


def test_a_server_that_does_not_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    processes = stand_in(monkeypatch, deaf + SPEAKS)
    monkeypatch.setattr(server_process, "STOP_SECONDS", 0.2)
    with running_server():
        pass
    assert processes[0].poll() == -signal.SIGKILL
