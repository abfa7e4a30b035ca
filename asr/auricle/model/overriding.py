"""Torch functions that do something else for a while, in this thread alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch.overrides import TorchFunctionMode

Call = Callable[..., Any]


class Overriding(TorchFunctionMode):
    """Within it, `override(func, args, kwargs)` is called in place of each torch function."""

    def __init__(self, override: Call) -> None:
        super().__init__()
        self._override = override

    def __torch_function__(
        self,
        func: Call,
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever `func` returns
        return self._override(func, args, dict(kwargs or {}))
