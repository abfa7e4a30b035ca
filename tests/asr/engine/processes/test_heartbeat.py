"""When a process counts as one that does not answer any more."""

import threading
from collections.abc import Iterator

import pytest

from auricle.engine.processes import heartbeat
from auricle.engine.processes.heartbeat import Heartbeat
from tests.asr.engine.fakes import PATIENCE

BEATS = 4  # that may be missed


class Other:
    """Stands for the other process; answers while it has answers left."""

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.asked = 0
        self.has_unread = False
        self.killed = threading.Event()
        self.waited = threading.Event()  # for more beats than may be missed
        self.heartbeat = Heartbeat(self.ask, lambda: self.has_unread, self.killed.set)

    def ask(self) -> None:
        self.asked += 1
        if self.asked <= self.answers:
            self.heartbeat.note_message()
        if self.asked == self.answers + 3 * BEATS:
            self.waited.set()


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heartbeat, "BEAT", 0.005)
        patch.setattr(heartbeat, "SILENCE", BEATS * 0.005)
        patch.setattr(heartbeat, "LOADING_SILENCE", 3600.0)
        yield


@pytest.mark.parametrize("answers", [0, 1, 7])
def test_who_answers_no_more_is_given_up(answers: int, caplog: pytest.LogCaptureFixture) -> None:
    other = Other(answers)
    other.heartbeat.note_loaded()
    other.heartbeat.start()
    assert other.killed.wait(PATIENCE)
    assert other.asked == answers + BEATS


def test_who_has_answered_but_was_not_read_stays() -> None:
    other = Other(0)
    other.has_unread = True
    other.heartbeat.note_loaded()
    other.heartbeat.start()
    assert other.waited.wait(PATIENCE)
    assert not other.killed.is_set()
    other.has_unread = False
    assert other.killed.wait(PATIENCE)


def test_who_has_ended_is_not_asked_again() -> None:
    other = Other(1000)
    other.heartbeat.note_loaded()
    other.heartbeat.stop()
    other.heartbeat.start()
    assert not other.killed.wait(0.1)
    assert other.asked <= 1


def test_who_loads_is_not_asked_and_given_up_later(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Other(0)
    other.heartbeat.start()
    assert not other.killed.wait(4 * BEATS * 0.005)  # longer than one that has loaded may be silent
    monkeypatch.setattr(heartbeat, "LOADING_SILENCE", BEATS * 0.005)
    assert other.killed.wait(PATIENCE)
    assert not other.asked
