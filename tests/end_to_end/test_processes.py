"""`auricle serve --processes 2` as it is run: the same words, and no process is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from auricle import Recognizer
from auricle_client import Client
from auricle_types.errors import ServerUnavailableError

PATIENCE = 120.0
COMMAND = [sys.executable, "-m", "auricle_cli", "serve", "--port", "0", "--no-http"]
COMMAND += ["--processes", "2"]

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc here")


@contextmanager
def serving() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server's process and its address."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().rstrip().rpartition(" ")[2]
        finally:
            process.kill()


def children(process: subprocess.Popen[str]) -> set[int]:
    """The processes that it has started."""
    tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
    return {int(child) for task in tasks for child in task.read_text().split()}


def engines(process: subprocess.Popen[str]) -> set[int]:
    """Those of its processes that run a model."""
    return {each for each in children(process) if b"spawn_main" in command_line(each)}


def assert_gone(processes: set[int]) -> None:
    until(lambda: not any(runs(each) for each in processes))


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def runs(process: int) -> bool:
    """Whether it is there, and no zombie."""
    return bool(command_line(process))


def command_line(process: int) -> bytes:
    """Its arguments; nothing where it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_words_are_the_same_and_sigterm_ends_all(
    recognizer: Recognizer, samples: list[Path]
) -> None:
    with serving() as (process, address), Client(address) as client:
        with ThreadPoolExecutor(8) as callers:
            texts = list(callers.map(lambda sample: client.upload(sample).text, samples))
        assert texts == [each.text for each in recognizer.transcribe(samples)]
        begun = children(process)
        assert len(begun) >= 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert_gone(begun)


@pytest.mark.slow
def test_when_the_server_is_killed_its_processes_end() -> None:
    with serving() as (process, _):
        begun = children(process)
        assert len(begun) >= 2
        process.kill()
    assert_gone(begun)


@pytest.mark.slow
def test_a_stopped_process_costs_its_requests_at_most(
    recognizer: Recognizer, samples: list[Path]
) -> None:
    expected = recognizer.transcribe(samples[0]).text

    def text(_: int) -> str | None:
        try:
            return client.upload(samples[0], timeout=PATIENCE).text
        except ServerUnavailableError:
            return None

    with serving() as (process, address), Client(address) as client:
        stopped = min(engines(process))
        os.kill(stopped, signal.SIGSTOP)
        with ThreadPoolExecutor(8) as callers:
            assert set(callers.map(text, range(16))) <= {expected, None}
        assert_gone({stopped})
        assert text(0) == expected
        until(lambda: len(engines(process)) == 2)
        another = min(engines(process))
        os.kill(another, signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    assert_gone({another})
