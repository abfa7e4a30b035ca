"""A stand-in for CUDA graphs, for tests on a CPU: it repeats operations, not Python.

As in a graph, whatever Python has decided while recording stays decided, every tensor stays where
it is, and nothing may be read back from the device.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_Operation = Callable[..., Any]
READS = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)


class Tape(TorchDispatchMode):
    """Keeps each operation with its arguments and results while it is entered."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self._calls: list[tuple[_Operation, tuple[Any, ...], Mapping[str, Any], Any]] = []

    def __torch_dispatch__(
        self,
        func: _Operation,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        if func in READS:
            raise RuntimeError(f"{func} waits for the device: it cannot be recorded")
        out = func(*args, **(kwargs or {}))
        self._calls.append((func, args, kwargs or {}, out))
        return out

    def replay(self) -> None:
        """The same again, the results where they were."""
        for func, args, kwargs, out in self._calls:
            again = func(*args, **kwargs)
            for old, new in zip(tree_leaves(out), tree_leaves(again), strict=True):
                if isinstance(old, Tensor) and not _share(old, new):
                    old.copy_(new)


def tape_recorder(run: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Record `run` on a tape, after a run that must do no harm, as `CudaRecorder` does."""
    run()
    tape = Tape()
    with tape:
        out = run()

    def replay() -> Tensor:
        tape.replay()
        return out

    return replay


def _share(one: Tensor, other: Tensor) -> bool:
    return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()
