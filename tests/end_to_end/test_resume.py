"""Ctrl-C in the middle of a long file: the next run goes on, and gives what one run gives."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from auricle.config import SAMPLE_RATE
from auricle_cli.interruption import INTERRUPTED
from benchmarks.recordings import speech

PATIENCE = 240


@pytest.fixture(autouse=True)
def heeding_ctrl_c() -> Iterator[None]:
    """Processes that a shell starts in the background ignore Ctrl-C, and so would ours."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Some minutes of speech; some sentences follow each other without a pause."""
    pauses = [np.zeros(SAMPLE_RATE * number // 10, np.float32) for number in (0, 4, 9)]
    parts = [part for number, clip in enumerate(speech(60)) for part in (clip, pauses[number % 3])]
    path = tmp_path / "talk.flac"
    soundfile.write(path, np.concatenate(parts), SAMPLE_RATE)
    return path


def transcribing(recording: Path, folder: Path) -> subprocess.Popen[bytes]:
    flags = ["--output-dir", str(folder), "--format", "json", "--format", "srt"]
    command = [sys.executable, "-m", "auricle_cli", "transcribe", *flags, str(recording)]
    return subprocess.Popen(command, stderr=subprocess.PIPE)


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.mark.slow
def test_an_interrupted_file_goes_on_where_it_was(recording: Path, tmp_path: Path) -> None:
    journal = tmp_path / "resumed" / "talk.partial.jsonl"
    with transcribing(recording, tmp_path / "resumed") as process:
        try:
            end = time.monotonic() + PATIENCE
            while lines(journal) < 3 and process.poll() is None and time.monotonic() < end:
                time.sleep(0.02)  # another process writes it
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == INTERRUPTED
        finally:
            process.kill()
    assert lines(journal) >= 3
    assert [path.name for path in journal.parent.iterdir()] == [journal.name]
    for folder in ("resumed", "whole"):
        with transcribing(recording, tmp_path / folder) as process:
            assert process.wait(PATIENCE) == 0
    assert {path.name for path in journal.parent.iterdir()} == {"talk.json", "talk.srt"}
    resumed, whole = ((tmp_path / each / "talk.srt").read_text() for each in ("resumed", "whole"))
    assert resumed == whole
    assert len(whole) > 1000
