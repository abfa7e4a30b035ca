"""openai-whisper's `whisper.timing` without machine code: a helper for tests, no tests.

Numba would compile its time warping for ten seconds in each process, for calls of milliseconds.
"""

import importlib
from typing import Any

import pytest

pytest.importorskip("whisper", reason="openai-whisper is not installed")

timing: Any = importlib.import_module("whisper.timing")
for _name in ("backtrace", "dtw_cpu"):
    _compiled = getattr(timing, _name)
    setattr(timing, _name, getattr(_compiled, "py_func", _compiled))
