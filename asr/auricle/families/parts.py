"""Parts: how our weights are made of those of a published checkpoint."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class WeightPart:
    """One of the published weights; None: zeros, for a bias that they do not have.

    `order` says which of its rows come first, second and so on, where ours stand otherwise.
    """

    name: str | None
    order: tuple[int, ...] | None = None


Source = tuple[WeightPart, ...]  # one above the other, each with the same number of rows
Sources = Mapping[str, Source]  # of each of our weights


def same(ours: str, theirs: str, *kinds: str) -> Iterator[tuple[str, Source]]:
    """Map weights that differ only in their names: `weight` and `bias`, or those of `kinds`."""
    for kind in kinds or ("weight", "bias"):
        yield f"{ours}.{kind}", (WeightPart(f"{theirs}.{kind}"),)


def renamed(sources: Sources, name: Callable[[str], str]) -> Sources:
    """Map the same weights in files that have other names for them."""
    return {
        ours: tuple(replace(part, name=part.name and name(part.name)) for part in source)
        for ours, source in sources.items()
    }


def stacked(ours: str, theirs: Iterable[str | None]) -> tuple[str, Source]:
    """Map one of our weights to several of theirs."""
    return ours, tuple(WeightPart(name) for name in theirs)


def assembled(
    shape: tuple[int, ...], parts: Iterable[Tensor | None], count: int, dtype: torch.dtype
) -> Tensor:
    """Assemble a weight of `shape` from `count` parts, each read when needed; None: zeros."""
    weight = torch.zeros(shape, dtype=dtype)
    for target, part in zip(weight.chunk(count), parts, strict=True):
        if part is not None:
            target.copy_(part)
    return weight
