"""What the decoder remembers: fixed slots, each with one hypothesis' keys and values.

A slot's keys and values of the encoder's output are written once, when it opens; those of its own
tokens grow by one a step. Two ways to lie in memory serve two kinds of device: `RaggedCache` where
computing padding costs more than starting an operation, `SlottedCache` where it is the other way.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


class StepView(Protocol):
    """What one step sees of a cache: some rows, each with its slot's past."""

    @property
    def positions(self) -> Tensor:
        """`(B,)` where each row's token goes."""
        ...

    def attend(self, layer: int, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Keep one token's keys and values; attend to all of the row's: `(B, H, 1, D // H)`."""
        ...

    def cross_attend(self, layer: int, query: Tensor) -> Tensor:
        """Attend to what the row's slot remembers of the encoder: `(B, H, 1, D // H)`."""
        ...


class DecoderCache(Protocol):
    """Slots, and the rows in which a step computes them."""

    slots: int
    max_frames: int  # that a slot may remember
    lens: list[int]  # tokens in each slot

    @property
    def device(self) -> torch.device:
        """The device on which the cache lies."""
        ...

    def open(self, slots: Sequence[int], memory: Tensor) -> None:
        """Begin hypotheses of one utterance, its memory `(layers, 2, H, N, D // H)`."""
        ...

    def close(self, slots: Sequence[int]) -> None:
        """Forget what the slots held."""
        ...

    def copy(self, source: int, target: int) -> None:
        """Let the hypothesis in `target` go on from the tokens of `source`: a beam forks."""
        ...

    def rewind(self, slots: Sequence[int]) -> None:
        """Begin the slots' hypotheses anew: their tokens are forgotten, their memory stays."""
        ...

    def memory(self, slot: int) -> Tensor:
        """What an open slot remembers of the encoder: `(layers, 2, H, N, D // H)`."""
        ...

    def fill(self, slot: int, kept: Tensor) -> None:
        """Let a slot hold the keys and values of its first tokens: `(layers, 2, H, U, D // H)`."""
        ...

    def bytes_of(self, frames: int) -> int:
        """Memory that an utterance of so many encoder frames takes when it opens."""
        ...

    def rows(self, slots: Sequence[int]) -> list[int]:
        """The slot of each row of a step for the open `slots`; some rows may be there unheard."""
        ...

    def view(self, rows: Sequence[int]) -> StepView:
        """What a step of these rows sees."""
        ...

    def advance(self, slots: Sequence[int]) -> None:
        """Count the token that a step has kept in each slot."""
        ...


def whole(count: int, group: int) -> int:
    """`count` rounded up to whole groups."""
    return -(-count // group) * group
