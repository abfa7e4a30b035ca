"""The stem: strided convolutions over time, from features to the encoder's frames.

Every convolution sees zeros behind each utterance's end, as it would if that were alone. Each is a
matrix product over windows: unlike the convolution kernels, it gives the same frame the same bits
in whatever company.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from auricle.config import Convolution
from auricle.model.linear import kind_of
from auricle.model.rows import Kind, Product, Rows

_ALIGNED = 4  # float32 rows that begin at other addresses round in another way


class Stem(nn.Module):
    """Strided convolutions over time: `x (B, T, n_mels) -> (B, N, D)`."""

    def __init__(self, n_mels: int, d_model: int, stem: tuple[Convolution, ...]) -> None:
        super().__init__()
        widths = [n_mels] + [conv.width * d_model for conv in stem]
        convs = nn.ModuleList(
            Windowed(widths[i], widths[i + 1], conv.kernel, conv.stride, bias=conv.bias)
            for i, conv in enumerate(stem)
        )
        norms = nn.ModuleList(
            UtteranceNorm(width) if conv.norm else nn.Identity()
            for conv, width in zip(stem, widths[1:], strict=True)
        )
        self.convs = cast(Sequence[nn.Module], convs)
        self.norms = cast(Sequence[nn.Module], norms)
        self.stem = stem

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """`x (B, T, n_mels)`, `mask (B, T)` true at real frames -> `(B, N, D)`, `(B, N)`.

        `N` is `T` over the strides, rounded up.
        """
        for conv, norm, dims in zip(self.convs, self.norms, self.stem, strict=True):
            windows = _windows(x.masked_fill(~mask[..., None], 0.0), dims)
            x = _activated(conv(windows), dims)
            mask = _whole(mask, dims)
            if isinstance(norm, UtteranceNorm):
                x = norm(x, mask)
        return x, mask


class Windowed(nn.Conv1d):
    """A convolution that is given its windows: `(B, N, kernel * C) -> (B, N, D)`."""

    def __init__(
        self, width: int, out: int, kernel: int, stride: int, *, bias: bool = True
    ) -> None:
        super().__init__(width, out, kernel, stride, bias=bias)
        self._rows = Rows()

    @property
    def matrix(self) -> Tensor:
        """The weight `(D, kernel * C)`, in the order of a window."""
        return self.weight.transpose(1, 2).flatten(1)

    @property
    def kind(self) -> Kind:
        """Equal for layers whose products are computed alike."""
        return kind_of("linear", self.like, self.bias)

    @property
    def like(self) -> Tensor:
        """The matrix, which has the width, dtype and device of the input."""
        return self.matrix

    def product(self, x: Tensor) -> Tensor:
        """The product of each window with the weight, the bias added."""
        return _aligned_linear(x, self.matrix, self.bias)

    def trial(self, weight: Tensor, bias: Tensor | None) -> Product:
        """The product of such a layer that has another weight."""
        return partial(_aligned_linear, weight=weight, bias=bias)

    def forward(self, windows: Tensor) -> Tensor:
        """The product, in inference on a CPU with the same bits for a row in any company."""
        return self._rows.multiply(self, windows)


def _aligned_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    few = -weight.shape[1] % _ALIGNED
    if few:
        x, weight = F.pad(x, (0, few)), F.pad(weight, (0, few))
    return F.linear(x, weight, bias)


class UtteranceNorm(nn.GroupNorm):
    """GroupNorm of one group: each utterance over all its frames and channels, and no others."""

    def __init__(self, width: int) -> None:
        super().__init__(1, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]  # masked
        """`x (B, T, D)`, `mask (B, T)` true at real frames, a run for each utterance.

        One after the other, so that no shape depends on company. What is no utterance is zero.
        """
        normed = torch.zeros_like(x)
        for here in _runs(mask):
            each = F.layer_norm(x[here], x[here].shape, eps=self.eps)  # of all its numbers
            normed[here] = torch.addcmul(self.bias, each, self.weight)
        return normed


def _windows(x: Tensor, dims: Convolution) -> Tensor:
    """`x (B, T, C)` -> `(B, ceil(T / stride), kernel * C)`, zeros where they reach outside.

    Frame after frame, as they lie in memory: to gather them by channel takes several times as long.
    """
    count = -(-x.shape[1] // dims.stride)
    behind = (count - 1) * dims.stride + dims.kernel - x.shape[1] - dims.padding
    x = F.pad(x, (0, 0, dims.padding, behind))  # cuts off what no window reaches
    return x.unfold(1, dims.kernel, dims.stride).transpose(2, 3).flatten(2)


def _activated(x: Tensor, dims: Convolution) -> Tensor:
    return x.tanh() if dims.activation == "tanh" else F.gelu(x)


def _whole(mask: Tensor, dims: Convolution) -> Tensor:
    """`mask (B, T)` -> `(B, ceil(T / stride))`: windows that lie in an utterance and its padding.

    Utterances in one row are too far apart for a window to reach two (`TransformerConfig.gap`).
    """
    reach = dims.kernel - 1 - 2 * dims.padding
    ends = F.pad(mask[:, reach:], (0, reach))
    return (mask & ends)[:, :: dims.stride]


def _runs(mask: Tensor) -> Iterator[tuple[int, slice]]:
    """Where `mask (B, T)` is true without a break: rows, and the frames in them."""
    edges = F.pad(mask, (1, 1)).int().diff(dim=1)  # 1 where a run begins, -1 behind its end
    starts, ends = ((edges == edge).nonzero().tolist() for edge in (1, -1))
    for (row, start), (_, end) in zip(starts, ends, strict=True):
        yield row, slice(start, end)
