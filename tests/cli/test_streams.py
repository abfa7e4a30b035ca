"""Standard streams that are closed, full, or whose reader went away."""

import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")


def run(arguments: str, redirection: str) -> subprocess.CompletedProcess[str]:
    command = f"{sys.executable} -m auricle_cli {arguments} {redirection}"
    return subprocess.run(
        ["sh", "-c", command], check=False, stderr=subprocess.PIPE, text=True, timeout=120
    )


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("arguments", ["models list", "--help"])
def test_a_full_disk_is_one_line_and_two(arguments: str) -> None:
    done = run(arguments, f">{FULL}")
    assert done.returncode == 2
    assert done.stderr == (
        "auricle: the standard output cannot be written: No space left on device\n"
    )


def test_a_closed_output_is_one_line_and_two() -> None:
    done = run("transcribe none.wav", ">&-")
    assert done.returncode == 2
    assert done.stderr == (
        "auricle: the standard output is closed: let it go to a file or a terminal\n"
    )


def test_a_closed_input_is_one_line_and_two() -> None:
    done = run("transcribe -", "<&-")
    assert done.returncode == 2
    assert done.stderr == "auricle: -: the standard input is closed\n"


def test_a_reader_that_goes_away_is_no_word() -> None:
    done = run("models list", "| true")
    assert done.stderr == ""
