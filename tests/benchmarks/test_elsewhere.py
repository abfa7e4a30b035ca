import os
from functools import partial

import pytest

from benchmarks.elsewhere import Elsewhere
from benchmarks.rounds import MiscountError


class Runner:
    """Counts its runs; the last one that it can make fails."""

    def __init__(self, name: str, runs: int) -> None:
        if not runs:
            raise MiscountError("no runs")
        self.name, self.audio_seconds = name, 3.0
        self._left, self._ran = runs, 0

    def run(self) -> None:
        self._ran += 1
        if self._ran == self._left:
            raise MiscountError(f"{self.name} made too few")

    def facts(self) -> dict[str, int]:
        return {"runs": self._ran, "process": os.getpid()}


def test_it_runs_in_another_process() -> None:
    with Elsewhere(partial(Runner, "one", 9)) as runner:
        assert (runner.name, runner.audio_seconds) == ("one", 3.0)
        runner.run()
        runner.run()
        facts = runner.facts()
        assert facts["runs"] == 2
        assert facts["process"] != os.getpid()


def test_errors_come_back() -> None:
    with (
        Elsewhere(partial(Runner, "one", 1)) as runner,
        pytest.raises(MiscountError, match="one made too few"),
    ):
        runner.run()
    with pytest.raises(MiscountError, match="no runs"):
        Elsewhere(partial(Runner, "one", 0))
