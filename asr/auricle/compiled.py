"""Machine code for the loops that numpy has no operation for."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Machine code, kept beside the source or in NUMBA_CACHE_DIR where one of them can be written.

    No fast maths: the same row has the same bits whoever is beside it. Python's lock is held:
    a call takes microseconds, and to get the lock back may take longer.
    """
    return _compiled(function, nogil=False)


def compiled_unlocked(function: Callable[P, R]) -> Callable[P, R]:
    """As `compiled`, for calls of a tenth of a millisecond and more: others may run meanwhile."""
    return _compiled(function, nogil=True)


def _compiled(function: Callable[P, R], *, nogil: bool) -> Callable[P, R]:
    try:
        return cast(Callable[P, R], numba.njit(cache=True, nogil=nogil)(function))
    except RuntimeError:
        return cast(Callable[P, R], numba.njit(nogil=nogil)(function))
