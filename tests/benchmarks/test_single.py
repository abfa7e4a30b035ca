"""One recording at a time."""

import subprocess
import sys

import pytest

from benchmarks import readers, single
from benchmarks.peers.real import ONE_BY_ONE
from benchmarks.rounds import Standing
from benchmarks.single import COLD_OURS, COLD_PEER, Command, clip, cold, nearest, times
from tests.benchmarks.fakes import here, says
from tests.benchmarks.test_tapes import corpus


def test_the_clip_is_the_nearest_of_all_corpora() -> None:
    found = nearest([corpus(1.0, 9.0), corpus(2.0, 5.5, 4.0)], 5.0)
    assert found.seconds == [5.5]
    assert found.texts == ["word1"]


def test_seconds_are_medians_and_the_ratio_is_over_the_peer() -> None:
    standings = {"ours": Standing([5.0, 20.0, 10.0], {}), "peer": Standing([5.0, 5.0, 5.0], {})}
    found = times(standings, 5.0, "peer")
    assert found["seconds"] == {"ours": 0.5, "peer": 1.0}
    assert found["faster_than_peer"] == 2.0
    assert found["rounds"] == 3
    assert times(standings, 5.0, "absent")["faster_than_peer"] is None


def test_a_clip_is_read_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("whisper_normalizer", reason="whisper-normalizer is not installed")
    monkeypatch.setattr(readers, "Elsewhere", here)
    makes = readers.peers({"auricle": says(""), ONE_BY_ONE: says("")}, "model", 1)
    found = clip(makes, [corpus(4.0)], rounds=3)
    assert found["audio_seconds"] == 4.0
    assert found["seconds"].keys() == {"auricle", ONE_BY_ONE}


def test_a_command_is_a_process_that_must_succeed() -> None:
    Command("one", ["-c", ""], 1.0).run()
    with pytest.raises(subprocess.CalledProcessError):
        Command("one", ["-c", "import sys; sys.exit(3)"], 1.0).run()


def test_from_nothing_both_are_given_the_same_file(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: started.append(command))
    found = cold("bundled", "folder", 2, rounds=2)
    assert found["seconds"].keys() == {COLD_OURS, COLD_PEER}
    assert len(started) == 4
    assert all(command[0] == sys.executable for command in started)
    assert all(str(single.SCHOOL) in command for command in started)
    assert cold("bundled", None, 2, rounds=1)["seconds"].keys() == {COLD_OURS}
