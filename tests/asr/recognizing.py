"""Helpers for tests of the recogniser, no tests: what to compare, and a gate before the device."""

import io
import threading
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from auricle.config import SAMPLE_RATE
from auricle.engine import Engine, ModelRunner
from auricle.engine.request import Job
from auricle.engine.serving import Serving
from auricle_types.transcript import Transcript

PATIENCE = 60.0


def wav(samples: npt.NDArray[np.float32]) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE, format="WAV", subtype="FLOAT")
    return buffer.getvalue()


def content(transcript: Transcript) -> tuple[object, ...]:
    """What must not depend on who else is there; the receipt may."""
    return transcript.text, transcript.segments  # their confidences too, to the last bit


class Gate:
    """Holds the device thread until a test lets it go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.busy, self.open, self.joined = threading.Event(), threading.Event(), 0
        join = ModelRunner.join

        def wait_and_join(runner: ModelRunner, jobs: Sequence[Job]) -> float:
            self.joined += len(jobs)
            self.busy.set()
            assert self.open.wait(PATIENCE)
            return join(runner, jobs)

        monkeypatch.setattr(ModelRunner, "join", wait_and_join)


def runner_of(engine: Serving) -> ModelRunner:
    """What computes for an engine in this process."""
    assert isinstance(engine, Engine)
    assert isinstance(engine._runner, ModelRunner)
    return engine._runner
