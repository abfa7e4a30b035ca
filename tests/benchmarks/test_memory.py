import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import memory

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="not Linux")
LARGE = 64  # MiB


@contextmanager
def held() -> Iterator[None]:
    """Holds memory that no allocator had before or keeps afterwards."""
    with mmap.mmap(-1, LARGE * 2**20) as pages:
        for page in range(0, len(pages), mmap.PAGESIZE):
            pages[page] = 1
        yield


def test_what_is_held_is_resident() -> None:
    before = memory.resident()
    with held():
        assert memory.resident() - before > 0.9 * LARGE


def test_a_peak_is_remembered_until_it_is_reset() -> None:
    memory.reset_peak()
    before = memory.peak()
    with held():
        pass
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
