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
    try:
        return cast(Callable[P, R], numba.njit(cache=True)(function))
    except RuntimeError:
        return cast(Callable[P, R], numba.njit(function))
