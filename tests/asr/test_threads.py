import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from auricle.threads import in_own_thread, wait_passively
from auricle_types.errors import InferenceError

ROOT = Path(__file__).parents[2]


def test_the_result_comes_from_a_thread_that_has_ended() -> None:
    worker = in_own_thread(threading.current_thread)
    assert worker is not threading.current_thread()
    assert not worker.is_alive()


def test_errors_come_out() -> None:
    def fail() -> None:
        raise InferenceError("no")

    with pytest.raises(InferenceError, match="no"):
        in_own_thread(fail)


def test_waiting_threads_sleep_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    wait_passively()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    wait_passively()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


@pytest.mark.parametrize("module", ["auricle_cli.main", "benchmarks"])
def test_whoever_starts_a_process_says_so_before_torch_is_there(module: str) -> None:
    code = f"import os, sys, {module}; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["PASSIVE", "False"]
