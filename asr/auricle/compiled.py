"""Machine code for the loops that numpy has no operation for, made when it is first called.

Numba is imported then, too: it takes as long as a fifth of all that a command imports, and a model
without CTC in float32 never needs it.
"""

import functools
from collections.abc import Callable
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


class Compiled(Generic[P, R]):
    """A function that becomes machine code, with those of its kind that it calls.

    The code is kept beside the source or in NUMBA_CACHE_DIR where one of them can be written.
    """

    def __init__(self, function: Callable[P, R], **options: Any) -> None:  # noqa: ANN401
        """Of `function`, with numba's `options`."""
        functools.update_wrapper(self, function)
        self._function = cast(FunctionType, function)
        self._options = options

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """What the function returns."""
        result: R = self.machine_code(*args, **kwargs)
        return result

    @functools.cached_property
    def machine_code(self) -> Any:  # noqa: ANN401  # numba has no types
        """Numba's dispatcher, which compiles for the types that it is called with."""
        from numba import njit

        try:
            return njit(self._linked(), cache=True, **self._options)
        except RuntimeError:  # nowhere to keep it
            return njit(self._linked(), **self._options)

    def _linked(self) -> FunctionType:
        """The function, with machine code in place of the other `Compiled` that it names."""
        function = self._function
        scope = dict(function.__globals__)
        for name in function.__code__.co_names:
            if isinstance(called := scope.get(name), Compiled):
                scope[name] = called.machine_code
        return FunctionType(function.__code__, scope, function.__name__)


def compiled(function: Callable[P, R]) -> Compiled[P, R]:
    """Machine code that holds Python's lock: to get that back may take longer than a call."""
    return Compiled(function)


def compiled_unlocked(function: Callable[P, R]) -> Compiled[P, R]:
    """As `compiled`, for calls of a tenth of a millisecond and more: others may run meanwhile."""
    return Compiled(function, nogil=True)


def compiled_sums(function: Callable[P, R]) -> Compiled[P, R]:
    """As `compiled_unlocked`, for sums whose order the compiler chooses, once and for all calls."""
    return Compiled(function, nogil=True, fastmath={"reassoc", "contract", "nsz"})
