"""A server of our own for as long as it is needed, in a process beside this one."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from auricle_cli.failure import Failure

STOP_SECONDS = 30  # what a server gets to finish after SIGTERM


@contextmanager
def running_server(options: Sequence[str] = (), *, module: str = "auricle_cli") -> Iterator[str]:
    """The address of an `auricle serve` on a free port; it is stopped at the end, come what may.

    `module` is what runs as the command.

    Raises Failure when it does not start; it says why on the standard error output itself.
    """
    command = [sys.executable, "-m", module, "serve", "--host", "127.0.0.1", "--port", "0"]
    command += ["--no-http"]  # nobody asks by it
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        try:
            yield _address(process.stdout.readline() if process.stdout else "")
        finally:
            _stop(process)


def _address(line: str) -> str:
    match = re.search(r" on (\S+:\d+)$", line.rstrip())
    if match is None:
        raise Failure("the server did not start")
    return match[1]


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
