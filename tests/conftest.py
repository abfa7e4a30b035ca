"""What tests of every room may ask for."""

import fcntl
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from auricle.threads import wait_passively

wait_passively()  # before anything imports torch
if "PYTEST_XDIST_WORKER" in os.environ:  # a core each: others are at work beside this process
    os.environ["OMP_NUM_THREADS"] = "1"
if "OMP_NUM_THREADS" in os.environ:  # else numba's parallel code, openai-whisper's, resets OpenMP
    os.environ["NUMBA_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"]

# No test times anything: others may be at work beside it.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """Modules and tests stay: no later collection of garbage needs to look at them again."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _machine_code() -> None:
    """One worker compiles, which takes most of a minute; the others find the code in the cache."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    from auricle.decoding import ctc_prefix
    from auricle.families.whisper import word_times

    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ctc_prefix.compile_now()
        word_times.compile_now()


@pytest.fixture(scope="module")
def all_is_speech() -> Iterator[None]:
    """The VAD hears words in whatever it is given: tiny models talk on noise, and should."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("vad", "segmenter"):
            patch.setattr(f"auricle.segmentation.{module}.has_word", lambda speech: True)
        yield
