"""What a decoding process may take from the system."""

import resource
from pathlib import Path

MEMORY = 256 << 20  # bytes beside those of the idle process; all formats did with 16 MiB
FILES = 32  # descriptors; an idle process has 8, and a temporary file may come


def confine(max_file_bytes: int) -> None:
    """Bound this process; a file that it writes has at most `max_file_bytes`."""
    _lower(resource.RLIMIT_CORE, 0)  # a core file would hold the audio
    _lower(resource.RLIMIT_NOFILE, FILES)
    _lower(resource.RLIMIT_FSIZE, max_file_bytes)
    _lower(resource.RLIMIT_DATA, _data_bytes() + MEMORY)


def _lower(limit: int, value: int) -> None:
    _, hard = resource.getrlimit(limit)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value))


def _data_bytes() -> int:
    """The private, writable memory that is mapped now, as RLIMIT_DATA counts it."""
    pages = int(Path("/proc/self/statm").read_text().split()[5])
    return pages * resource.getpagesize()
