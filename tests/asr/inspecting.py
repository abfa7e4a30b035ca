"""Attention computed by its formula, and figures to look into: helpers for tests, no tests."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auricle.inspection import Observation


@contextmanager
def inputs_of(module: nn.Module) -> Iterator[list[Tensor]]:
    """The first argument of each call."""
    inputs: list[Tensor] = []
    hook = module.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    yield inputs
    hook.remove()


def heads(x: Tensor, n_heads: int) -> Tensor:
    """`(T, D) -> (H, T, D // H)` in float64, without the model's own helpers."""
    return torch.stack([part.double() for part in x.chunk(n_heads, dim=-1)])


def direct(query: Tensor, key: Tensor) -> Tensor:
    """Attention's weights by their formula."""
    scores = torch.einsum("hud,hnd->hun", query, key) / math.sqrt(query.shape[-1])
    return scores.exp() / scores.exp().sum(dim=-1, keepdim=True)


def drawn(observation: Observation, name: str = "a.wav") -> Any:  # noqa: ANN401 - untyped
    """The figure."""
    pytest.importorskip("matplotlib")
    from auricle.inspection.picture import draw

    figure = draw(observation, name)
    figure.draw_without_rendering()
    return figure


def texts(panel: Any) -> list[str]:  # noqa: ANN401
    """What stands in a panel."""
    return [text.get_text() for text in panel.texts]
