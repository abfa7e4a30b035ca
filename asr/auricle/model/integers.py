"""Weights as 8-bit integers that share a scale in groups."""

from typing import NamedTuple, Self

from torch import Tensor

from auricle.model.weight_only import weight_scales

GROUP = 64  # numbers of a row that share a scale, where it splits into as many; else the row does


class Integers(NamedTuple):
    """A weight `(E, ...)`, each of whose rows is `G` groups of numbers.

    A scale for each 64 numbers of a row moves Whisper-tiny's words a quarter as far (by the
    divergence of its logits) as one for each row, at a sixteenth of the size.
    """

    integers: Tensor  # int8, of the weight's shape
    scales: Tensor  # float32 `(E, G)`

    @classmethod
    def of(cls, weight: Tensor) -> Self:
        """The nearest to a float32 `weight`; each group's largest number becomes 127."""
        rows = weight.flatten(1)
        width = rows.shape[1]
        groups = rows.unflatten(1, (-1, width if width % GROUP else GROUP))  # (E, G, K // G)
        scales = weight_scales(groups)  # (E, G, 1)
        integers = (groups / scales).round_().char()
        return cls(integers.view(weight.shape), scales.flatten(1))

    def restored(self) -> Tensor:
        """The weight that they stand for, in float32."""
        groups = self.integers.flatten(1).unflatten(1, (self.scales.shape[1], -1))
        restored: Tensor = groups * self.scales[..., None]
        return restored.view(self.integers.shape)
