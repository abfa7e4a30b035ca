"""The memory of this process, as Linux tells it."""

import re
from pathlib import Path

PROCESS = Path("/proc/self")


def resident() -> float:
    """MiB in memory now."""
    return _field("VmRSS")


def peak() -> float:
    """The most MiB that were in memory since `reset_peak`."""
    return _field("VmHWM")


def reset_peak() -> None:
    """Begin anew: what is in memory now is the most."""
    (PROCESS / "clear_refs").write_text("5", encoding="ascii")


def _field(name: str) -> float:
    status = (PROCESS / "status").read_text(encoding="ascii", errors="replace")
    match = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    if match is None:
        raise OSError(f"{PROCESS}/status has no {name}: this needs Linux")
    return int(match[1]) / 1024
