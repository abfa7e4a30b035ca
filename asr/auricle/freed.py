"""Memory that was freed, but that the C library keeps for itself."""

import ctypes
from contextlib import suppress


def return_freed_memory() -> None:
    """Give it back to the system, where the C library can (glibc); it takes some milliseconds."""
    with suppress(AttributeError, OSError, TypeError):  # TypeError: Windows has no CDLL(None)
        ctypes.CDLL(None).malloc_trim(0)
