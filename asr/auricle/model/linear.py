"""The model's linear layers: torch's own, whose rows do not depend on each other in inference."""

from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from auricle.model.rows import Kind, Product, Rows


def kind_of(name: str, weight: Tensor, bias: Tensor | None) -> Kind:
    """What a library may choose the kernel of a product with `weight (E, K)` by."""
    outputs, inputs = weight.shape
    return Kind(name, inputs, outputs, weight.dtype, bias is not None, weight.data_ptr() % 64)


def linear(weight: Tensor, bias: Tensor | None) -> Product:
    """The product with `weight (E, K)`, the bias added."""
    return partial(F.linear, weight=weight, bias=bias)


class Linear(nn.Linear):
    """A linear layer: `x (..., K) -> (..., E)`."""

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True) -> None:
        super().__init__(in_features, out_features, bias=bias)
        self._rows = Rows()

    @property
    def kind(self) -> Kind:
        """Equal for layers whose products are computed alike."""
        return kind_of("linear", self.weight, self.bias)

    @property
    def like(self) -> Tensor:
        """The weight, which has the width, dtype and device of the input."""
        return self.weight

    def product(self, x: Tensor) -> Tensor:
        """The product with the weight, the bias added."""
        return F.linear(x, self.weight, self.bias)

    def trial(self, weight: Tensor, bias: Tensor | None) -> Product:
        """The product of such a layer that has another weight."""
        return linear(weight, bias)

    def forward(self, x: Tensor) -> Tensor:
        """The product, in inference on a CPU with the same bits for a row in any company."""
        return self._rows.multiply(self, x)
