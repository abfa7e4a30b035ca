"""What crosses to another process means the same on any clock."""

import pickle
import time

import pytest

from auricle.engine.processes.messages import Submit
from tests.asr.engine.fakes import request


def test_a_deadline_crosses_as_the_seconds_that_remain(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = request(deadline=time.monotonic() + 5)
    sent = Submit.of(1, asked, block=True)
    assert sent.remaining is not None
    assert 4 < sent.remaining <= 5
    received = pickle.loads(pickle.dumps(sent))
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)  # the other process's clock
    assert received.request().deadline == 1000.0 + sent.remaining


def test_no_deadline_is_none() -> None:
    asked = request()
    sent = Submit.of(1, asked, block=False)
    assert sent.remaining is None
    assert sent.request().deadline is None
