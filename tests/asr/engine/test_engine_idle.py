"""An idle engine gives freed memory back to the system."""

import threading

import pytest

from tests.asr.engine.fakes import PATIENCE, FakeRunner, MakeEngine, request


@pytest.fixture
def returned(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    event = threading.Event()
    monkeypatch.setattr("auricle.engine.engine.return_freed_memory", event.set)
    return event


def test_freed_memory_is_returned_once_there_is_no_work(
    make_engine: MakeEngine,
    runner: FakeRunner,
    returned: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("auricle.engine.engine.IDLE_SECONDS", 0.01)
    runner.allow()
    engine = make_engine()
    assert returned.wait(PATIENCE)
    returned.clear()
    engine.submit(request(0.25, 2.0)).result(PATIENCE)
    assert returned.wait(PATIENCE)


def test_freed_memory_is_returned_now_and_then_while_there_is_work(
    make_engine: MakeEngine,
    runner: FakeRunner,
    returned: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("auricle.engine.engine.IDLE_SECONDS", 3600.0)
    monkeypatch.setattr("auricle.engine.engine.BUSY_SECONDS", 0.0)
    runner.allow()
    make_engine().submit(request(0.25, 2.0)).result(PATIENCE)
    assert returned.wait(PATIENCE)


def test_an_engine_that_is_closed_does_not_wait_until_it_is_idle(
    make_engine: MakeEngine, returned: threading.Event
) -> None:
    engine = make_engine()
    engine.close()
    assert not returned.is_set()
