"""A process that loads its model may take its time, but not be silent for ever."""

import logging
import math
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from auricle.engine import Engine
from auricle.engine.processes import heartbeat
from auricle.engine.processes.remote import RemoteEngine
from auricle_types.errors import EngineStoppedError
from auricle_types.options import EngineConfig
from tests.asr.engine.fakes import PATIENCE, FakeRunner

LOADS = 4.0  # seconds

pytestmark = pytest.mark.usefixtures("quick_processes")


def slow() -> tuple[Engine, object]:
    logging.getLogger("tests.loading").warning("loading")
    time.sleep(LOADS)
    return Engine(FakeRunner(allowed=math.inf), EngineConfig(), model_id="fake"), "loaded"


@contextmanager
def loading(caplog: pytest.LogCaptureFixture) -> Iterator[RemoteEngine]:
    """An engine that has begun to load."""
    engine = RemoteEngine(slow, threads=1)
    try:
        end = time.monotonic() + PATIENCE
        while "loading" not in caplog.messages:
            assert time.monotonic() < end
            time.sleep(0.01)
        yield engine
    finally:
        engine.close(drain=False)


def test_who_gives_signs_of_life_may_load_for_long(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loading(caplog) as engine:
        monkeypatch.setattr(heartbeat, "LOADING_SILENCE", LOADS / 2)
        assert engine.ready() == "loaded"


def test_who_is_stopped_while_it_loads_is_killed(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loading(caplog) as engine:
        os.kill(engine._process.pid or 0, signal.SIGSTOP)
        monkeypatch.setattr(heartbeat, "LOADING_SILENCE", 1.0)
        with pytest.raises(EngineStoppedError, match="-9"):
            engine._ready.result(PATIENCE)
        assert not engine._process.is_alive()
    assert "has not answered" in caplog.text
