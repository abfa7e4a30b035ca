import mmap
from pathlib import Path

import numpy as np
import pytest

from benchmarks import memory

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="not Linux")
LARGE = 64  # MiB


def test_what_is_held_is_resident() -> None:
    before = memory.resident()
    with mmap.mmap(-1, LARGE * 2**20) as held:  # never what an allocator still had
        np.frombuffer(held, np.uint8)[:] = 1
        assert memory.resident() - before > 0.9 * LARGE


def test_a_peak_is_remembered_until_it_is_reset() -> None:
    memory.reset_peak()
    before = memory.peak()
    held = np.ones(LARGE * 2**20, np.uint8)
    del held
    assert memory.peak() - before > 0.9 * LARGE
    memory.reset_peak()
    assert memory.peak() - before < 0.5 * LARGE


def test_another_system_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PROCESS", tmp_path)
    (tmp_path / "status").write_text("Name:\tpython\n")
    with pytest.raises(OSError, match="needs Linux"):
        memory.resident()


def test_the_figure_is_read_in_mib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "PROCESS", tmp_path)
    (tmp_path / "status").write_text("VmHWM:\t    4096 kB\nVmRSS:\t    2048 kB\n")
    assert (memory.peak(), memory.resident()) == (4.0, 2.0)
