"""Ctrl-C: status 130, one line, no traceback, and no waiting for threads that cannot be woken."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from auricle_cli.interruption import INTERRUPTED
from auricle_server import ServerConfig
from tests.client.conftest import serving
from tests.server.fakes import FakeRecognizer, wav

PATIENCE = 60


@pytest.fixture
def recognizer() -> FakeRecognizer:
    return FakeRecognizer()


@pytest.fixture
def address(recognizer: FakeRecognizer) -> Iterator[str]:
    with serving(recognizer, ServerConfig(port=0)) as address:
        yield address


@pytest.fixture(autouse=True, scope="module")
def heeding_ctrl_c() -> Iterator[None]:
    """Tests that a shell starts in the background ignore Ctrl-C, and so would their processes."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """An `auricle` process, killed at the end of a test that failed."""
    command = [sys.executable, "-m", "auricle_cli", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def interrupted(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """The exit status after Ctrl-C and what was said; the standard input stays open."""
    process.send_signal(signal.SIGINT)
    status = process.wait(PATIENCE)
    assert process.stderr is not None
    return status, process.stderr.read()


def test_while_a_server_works(address: str, recognizer: FakeRecognizer, tmp_path: Path) -> None:
    recognizer.hold = True
    path = tmp_path / "a.wav"
    path.write_bytes(wav(1.0))
    with running("transcribe", "--server", address, str(path), str(path)) as process:
        assert recognizer.came.wait(PATIENCE)
        assert interrupted(process) == (INTERRUPTED, b"auricle: interrupted\n")


def test_while_it_waits_for_the_standard_input(address: str) -> None:
    with running("transcribe", "--server", address, "--stream", "-") as process:
        assert process.stdin is not None
        process.stdin.write(wav(100)[:400_000])  # more is to come, but does not
        process.stdin.flush()
        assert process.stdout is not None
        assert process.stdout.read(5) == b"level"
        assert interrupted(process) == (INTERRUPTED, b"auricle: interrupted\n")


HEEDLESS = """
import sys, time
from auricle_cli import interruption
interruption.CLEANING_SECONDS = 0.1
if sys.argv[1:]:
    sys.stderr.close()
with interruption.interruptible():
    while True:
        try:
            print("ready", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            pass
"""


HANDLED = """
import time
from auricle_cli import interruption
interruption.CLEANING_SECONDS = 2
with interruption.interruptible():
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        pass
time.sleep(3)
"""


MISTAKEN = """
import time
from auricle_cli import interruption
with interruption.interruptible():
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        raise ValueError("lost") from None
"""


@pytest.mark.parametrize(
    ("program", "arguments", "expected"),
    [
        (MISTAKEN, [], (INTERRUPTED, b"auricle: interrupted\n")),
        (HEEDLESS, [], (INTERRUPTED, b"auricle: interrupted\n")),
        (HEEDLESS, ["nobody reads"], (INTERRUPTED, b"")),
        (HANDLED, [], (0, b"")),
    ],
)
def test_where_a_library_swallows_the_exception(
    program: str, arguments: list[str], expected: tuple[int, bytes]
) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, stdout=pipe, stderr=pipe) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            assert interrupted(process) == expected
        finally:
            process.kill()
