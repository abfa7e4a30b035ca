"""Matrix products in which a row's bits never depend on the other rows.

A library chooses its kernel by the number of rows, and kernels may add in another order. A request
then gets other bits, and now and then other words, as chance puts company beside it (He 2025,
"Defeating Nondeterminism in LLM Inference"). So on a CPU every product runs in blocks whose numbers
of rows are known to agree. This is measured for each kind of product, with one row at all
places of a block: a few blocks when a model is made ready, the others when they are first needed.

Rounding to bfloat16 hides most differences between kernels, until one meets a request. So the trial
has weights whose products cancel: their sums would be zero but for rounding errors, and these show
the order in which a kernel adds.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

GROUP = 16  # a number of rows is rounded up to whole groups
LARGEST = 256  # rows of a block: a few of them fill every kernel, and few sizes need a trial
_SIZES = (128, 64, 32, GROUP)  # of the blocks into which others are divided
_REFERENCES = (GROUP, 32, 64, 1)  # one row at a time always will do
_MANY = 64  # rows that a reference should agree with, where it does not with the largest block
_COMPARED = 1024  # outputs of a trial: a vocabulary has many
_DIFFERENT = 64  # outputs of a trial, which repeat
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
    offset: int  # bytes of the weight's place beyond a multiple of 64

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

    def trial(self, weight: Tensor, bias: Tensor | None) -> "Product":
        """The product of a layer of this kind that has another `weight (E, K)` and `bias (E,)`."""
        ...


Product = Callable[[Tensor], Tensor]


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
        self._references: dict[tuple[Kind, int], int] = {}
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
        trial = cache(partial(_Trial, layer))  # made once something is not known
        if key not in self._references:
            self._references[key] = _reference(trial())
            self._try(LARGEST, trial(), key)  # which the reference was compared with
        for size in _sizes(rows):
            if (*key, size) not in self._agrees:
                self._try(size, trial(), key)
            if self._agrees[*key, size]:
                return size
        return self._references[key]

    def _try(self, size: int, trial: "_Trial", key: tuple[Kind, int]) -> None:
        reference = self._references[key]
        self._agrees[*key, size] = trial.agree(size, reference)
        if not self._agrees[*key, size]:
            logger.info(_DISAGREE, trial.kind, size, reference)


class _Trial:
    """What one row becomes in blocks of some sizes, in a layer of the same kind as another."""

    def __init__(self, layer: RowWise) -> None:
        self.kind = layer.kind
        weight, self._row = _cancelling(self.kind, layer.like.device)
        bias = weight.new_zeros(len(weight)) if self.kind.biased else None
        self._product = layer.trial(weight, bias)
        self._outputs: dict[int, Tensor] = {}

    def agree(self, size: int, other: int) -> bool:
        """Whether the row has the same bits at all places of both blocks."""
        return bool((self._output(size) == self._output(other)[0]).all())

    @torch.inference_mode()
    def _output(self, size: int) -> Tensor:
        """The bits of each place's outputs, as integers `(size, some)`."""
        if size not in self._outputs:
            out = self._product(self._row.expand(size, -1).contiguous())[:, :_COMPARED]
            self._outputs[size] = out.view(_INTEGERS[out.element_size()])
        return self._outputs[size]


def _reference(trial: _Trial) -> int:
    """The smallest block whose places are alike, if possible of those that many rows agree with."""
    alike: list[int] = []
    for size in _REFERENCES:
        if not trial.agree(size, size):
            logger.info(_MISPLACED, trial.kind, size)
            continue
        if trial.agree(LARGEST, size):
            return size
        alike.append(size)
    return next((size for size in alike if trial.agree(_MANY, size)), alike[0])


def _cancelling(kind: Kind, device: torch.device) -> tuple[Tensor, Tensor]:
    """A weight `(E, K)` and a row `(1, K)` whose products add up to zero in pairs."""
    random = torch.Generator().manual_seed(0)
    half = kind.inputs // 2
    order = torch.randperm(half, generator=random)
    values = torch.randn(min(kind.outputs, _DIFFERENT), half, generator=random)
    scales = torch.randint(-10, 11, (1, half), generator=random).exp2()
    odd = values.new_zeros(len(values), kind.inputs % 2)
    some = torch.cat([values, -values[:, order], odd], dim=1)
    row = torch.cat([scales, scales[:, order], odd[:1]], dim=1)
    weight = _placed(kind, device)
    for outputs in weight.split(len(some)):
        outputs.copy_(some[: len(outputs)])
    return weight, row.to(weight)


def _placed(kind: Kind, device: torch.device) -> Tensor:
    """Memory for a weight `(E, K)` that lies where `kind` says."""
    size = kind.outputs * kind.inputs
    memory = torch.empty(size + 64, dtype=kind.dtype, device=device)
    start = (kind.offset - memory.data_ptr()) % 64 // memory.element_size()
    return memory[start : start + size].view(kind.outputs, kind.inputs)


_AGREEMENT = _Agreement()


def check_rows(model: nn.Module, rows: int) -> None:
    """Find out now how `rows` are divided in each layer, not when the first request waits."""
    for layer in model.modules():
        if isinstance(layer, RowWise):
            _AGREEMENT.blocks(layer, rows)


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
