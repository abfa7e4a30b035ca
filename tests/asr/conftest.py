"""What tests of the recogniser share."""

import multiprocessing
from collections.abc import Iterator

import pytest

from auricle.engine.processes.remote import RemoteEngine


@pytest.fixture(scope="module")
def quick_processes() -> Iterator[None]:
    """Engines' processes begin as forks of one that has imported torch, not by importing it."""
    multiprocessing.set_forkserver_preload(
        [
            "auricle.recognizer",
            "auricle.training.trainer",
            "tests.asr.engine.fakes",
        ]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RemoteEngine, "context", multiprocessing.get_context("forkserver"))
        yield
