"""Matrix products in which a row's bits never depend on the other rows.

A library chooses its kernel by the number of rows, and kernels may add in another order. A request
then gets other bits, and now and then other words, as chance puts company beside it (He 2025,
"Defeating Nondeterminism in LLM Inference"). So on a CPU every product runs in blocks whose numbers
of rows are known to agree. This is measured for each kind of product, with one row at all places of
a block: a few blocks when a model is made ready, the others when they are first needed.
"""

import logging
import threading
from collections.abc import Iterator
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GROUP = 16  # a number of rows is rounded up to whole groups
LARGEST = 256  # rows of a block: a few of them fill every kernel, and few sizes need a trial
_SIZES = (128, 64, 32, GROUP)  # of the blocks into which others are divided
_REFERENCES = (GROUP, 64, LARGEST, 1)  # one row at a time always will do
_DISAGREE = "%s: %d rows at once would give other bits than %d, so they are divided"
_MISPLACED = "%s: among %d rows at once a row's bits depend on its place, so they are divided"
_INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}  # by bytes

logger = logging.getLogger(__name__)


class Kind(NamedTuple):
    """All that a library may choose a kernel by, but for the number of rows."""

    name: str
    inputs: int
    outputs: int
    dtype: torch.dtype
    biased: bool
    aligned: bool

    def __str__(self) -> str:
        dtype = str(self.dtype).removeprefix("torch.")
        return f"{self.name} products of {self.inputs} by {self.outputs} in {dtype}"


@runtime_checkable
class RowWise(Protocol):
    """A layer that makes each row of its output from one row of its input."""

    @property
    def kind(self) -> Kind:
        """Equal for layers whose products are computed alike."""
        ...

    @property
    def like(self) -> Tensor:
        """Anything `(..., K)` of the width, dtype and device of its input."""
        ...

    def product(self, x: Tensor) -> Tensor:
        """`x (..., K) -> (..., E)`."""
        ...


class Rows:
    """How one layer's products are divided into blocks."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[int, torch.dtype, int], tuple[int, ...]] = {}

    def multiply(self, layer: RowWise, x: Tensor) -> Tensor:
        """`x (..., K) -> (..., E)`, each row with the bits that it has alone.

        Elsewhere than on a CPU, and in training, all rows go through one product.
        """
        in_training = torch.is_grad_enabled() and layer.like.requires_grad
        if x.device.type != "cpu" or in_training:
            return layer.product(x)
        rows = x.reshape(-1, x.shape[-1])
        out = _in_blocks(layer, rows, self.blocks(layer, len(rows), x.dtype))
        return out.view(*x.shape[:-1], out.shape[-1])

    def blocks(self, layer: RowWise, rows: int, dtype: torch.dtype) -> tuple[int, ...]:
        """Rows of each block; together at least `rows`."""
        key = (rows, dtype, torch.get_num_threads())
        if key not in self._blocks:
            self._blocks[key] = _AGREEMENT.blocks(layer, max(1, -(-rows // GROUP)) * GROUP)
        return self._blocks[key]


class _Agreement:
    """Which blocks give a row the same bits, for each kind of product and number of threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._references: dict[tuple[Kind, int], tuple[int, Tensor]] = {}
        self._agrees: dict[tuple[Kind, int, int], bool] = {}

    def blocks(self, layer: RowWise, rows: int) -> tuple[int, ...]:
        """Blocks that agree, together at least `rows`, a number of whole groups."""
        blocks: list[int] = []
        with self._lock:
            while rows > 0:
                blocks.append(self._largest(layer, min(rows, LARGEST)))
                rows -= blocks[-1]
        return tuple(blocks)

    def _largest(self, layer: RowWise, rows: int) -> int:
        """The largest block of at most `rows`; the reference, where no whole groups agree."""
        key = layer.kind, torch.get_num_threads()
        reference, expected = self._reference(layer, key)
        for size in _sizes(rows):
            if (*key, size) not in self._agrees:
                self._agrees[*key, size] = agrees = bool((_outputs(layer, size) == expected).all())
                if not agrees:
                    logger.info(_DISAGREE, layer.kind, size, reference)
            if self._agrees[*key, size]:
                return size
        return reference

    def _reference(self, layer: RowWise, key: tuple[Kind, int]) -> tuple[int, Tensor]:
        """The smallest block in which all places are alike, and what a row becomes in it."""
        if key not in self._references:
            for size in _REFERENCES:
                outputs = _outputs(layer, size)
                if (outputs == outputs[0]).all():
                    break
                logger.info(_MISPLACED, layer.kind, size)
            self._references[key] = size, outputs[0]
        return self._references[key]


_AGREEMENT = _Agreement()


def check_rows(model: nn.Module, rows: int) -> None:
    """Find out now how `rows` are divided in each layer, not when the first request waits."""
    for layer in model.modules():
        if isinstance(layer, RowWise):
            _AGREEMENT.blocks(layer, rows)


@torch.inference_mode()
def _outputs(layer: RowWise, rows: int) -> Tensor:
    """The bits of a layer's outputs for the same input in all rows, as integers `(R, E)`."""
    width, dtype = layer.like.shape[-1], layer.like.dtype
    row = torch.randn(width, generator=torch.Generator().manual_seed(0)).to(dtype)
    out = layer.product(row.expand(rows, width).contiguous())
    return out.view(_INTEGERS[out.element_size()])


def _sizes(rows: int) -> Iterator[int]:
    """Of blocks of at most `rows`, the largest first: whole groups."""
    if rows >= GROUP:
        yield rows // GROUP * GROUP
    yield from (size for size in _SIZES if size < rows)


def _in_blocks(layer: RowWise, rows: Tensor, blocks: tuple[int, ...]) -> Tensor:
    if len(blocks) == 1:
        return layer.product(_filled(rows, blocks[0]))[: len(rows)]
    parts: list[Tensor] = []
    start = 0
    for size in blocks:
        parts.append(layer.product(_filled(rows[start : start + size], size)))
        start += size
    return torch.cat(parts)[: len(rows)]


def _filled(rows: Tensor, count: int) -> Tensor:
    """Zeros added below, up to `count`."""
    few = count - len(rows)
    return F.pad(rows, (0, 0, 0, few)) if few else rows
