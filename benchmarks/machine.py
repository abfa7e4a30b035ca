"""What a result must say of where and when it was measured."""

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from auricle.version import __version__

CPU_INFO = Path("/proc/cpuinfo")
TELLING_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
SCHEDULING = {os.SCHED_OTHER: "normal", os.SCHED_FIFO: "FIFO", os.SCHED_RR: "round robin"}


def machine(threads: int) -> dict[str, Any]:
    """The hardware, and how much of it was used."""
    fields = _cpu_info()
    return {
        "cpu": fields.get("model name", platform.processor() or platform.machine()),
        "cpu_flags": [flag for flag in TELLING_FLAGS if flag in fields.get("flags", "").split()],
        "cores": os.cpu_count(),
        "threads": threads,
        "scheduling": SCHEDULING.get(os.sched_getscheduler(0), "other"),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of Python, Auricle and those of `packages` that are here."""
    found = {"python": platform.python_version(), "auricle": __version__}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def today() -> str:
    """The date, in UTC."""
    return datetime.now(UTC).date().isoformat()


def _cpu_info() -> dict[str, str]:
    """The fields of the first processor; none where the system does not tell."""
    if not CPU_INFO.exists():
        return {}
    first = CPU_INFO.read_text(encoding="utf-8").split("\n\n", maxsplit=1)[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}
