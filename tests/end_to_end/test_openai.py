"""The package openai, unmodified, against a server: the acceptance programs beside the repository.

The package may lie in another environment, whose Python OPENAI_PYTHON names.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parents[3] / "shared" / "clients"
CLIENT = os.environ.get("OPENAI_PYTHON", sys.executable if find_spec("openai") else "")
SERVER = [sys.executable, "-m", "auricle_cli", "serve", "--port", "0", "--http-port", "0"]
PATIENCE = 600.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PROGRAMS.is_dir(), reason="no shared/clients"),
    pytest.mark.skipif(not CLIENT, reason="the package openai is not installed"),
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed"),
]


@pytest.mark.parametrize(
    ("program", "limits"),
    [
        ("openai_http.py", ["--largest", "300000000", "--long-seconds", "15000"]),
        ("openai_realtime.py", []),
    ],
)
def test_the_package_openai_is_served(program: str, limits: list[str]) -> None:
    with subprocess.Popen(SERVER, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            ports = re.findall(r"listening on 127\.0\.0\.1:(\d+)", _log_until_http(server))
            done = subprocess.run(
                [CLIENT, str(PROGRAMS / program), f"http://127.0.0.1:{ports[1]}/v1", *limits],
                stdout=subprocess.PIPE,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            assert done.returncode == 0, done.stdout
        finally:
            server.send_signal(signal.SIGTERM)
            log = server.communicate(timeout=60)[1]
    assert "Traceback" not in log
    assert server.returncode == 0


def _log_until_http(server: subprocess.Popen[str]) -> str:
    """Read the log up to the second port, which is that of HTTP."""
    assert server.stderr is not None
    read = ""
    for line in server.stderr:
        read += line
        if read.count("listening on") == 2:
            return read
    raise AssertionError(read)
