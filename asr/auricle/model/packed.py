"""Linear layers whose weights lie as the processor's matrix product wants them.

oneDNN reorders a bfloat16 weight each time it is used; done once, a product of few rows, which is
all that a decoder step is, takes half the time. A GELU that follows is applied before the product
is rounded.
"""

from typing import cast

import torch
from torch import Tensor, nn

from auricle.model.layers import FeedForward
from auricle.model.linear import kind_of
from auricle.model.rows import GROUP, Kind, Product, Rows
from auricle.model.transformer import SpeechTransformer


class PackedLinear(nn.Module):
    """A linear layer for inference on a CPU, and maybe a GELU: `(..., D) -> (..., E)`."""

    def __init__(self, weight: Tensor, bias: Tensor | None, *, gelu: bool = False) -> None:
        super().__init__()
        self._activation: tuple[str, list[float], str] = (
            ("gelu", [], "none") if gelu else ("none", [], "")
        )
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), GROUP)  # noqa: SLF001
        self._bias = bias
        self._kind = kind_of("packed gelu" if gelu else "packed", weight, bias)
        self.like = weight.new_empty(0, weight.shape[1])
        self._rows = Rows()

    @property
    def kind(self) -> Kind:
        """Equal for layers whose products are computed alike."""
        return self._kind

    def forward(self, x: Tensor) -> Tensor:
        """The product, in inference with the same bits for a row in any company."""
        return self._rows.multiply(self, x)

    def product(self, x: Tensor) -> Tensor:
        """The product with the weight, the bias added, the activation applied."""
        product: Tensor = torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001
            x, self._weight, self._bias, *self._activation
        )
        return product

    def trial(self, weight: Tensor, bias: Tensor | None) -> Product:
        """The product of such a layer that has another weight."""
        return PackedLinear(weight, bias, gelu=self._activation[0] == "gelu").product


def has_bfloat16_products() -> bool:
    """Whether this processor multiplies bfloat16 matrices by instructions of its own."""
    supported: bool = torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001  # nothing public says
    return supported and torch.ops.mkldnn._is_mkldnn_bf16_supported()  # noqa: SLF001


def can_pack(model: SpeechTransformer) -> bool:
    """Whether there are packed products for this model, and it does not have them yet."""
    weight = model.decoder.embedding.weight
    is_ours = weight.device.type == "cpu" and weight.dtype == torch.bfloat16
    packed = isinstance(model.decoder.output, PackedLinear)
    return is_ours and not packed and has_bfloat16_products()


def pack(model: SpeechTransformer) -> None:
    """Pack every linear layer of `model`, for good: it can be neither trained nor saved then.

    Each plain layer goes when the packed one has come.
    """
    holders = [each for each in model.modules() if not isinstance(each, nn.Linear)]
    for module in holders:  # a list of the layers themselves would keep them
        if isinstance(module, FeedForward):
            wide = cast(nn.Linear, module[0])
            module[0] = PackedLinear(wide.weight, wide.bias, gelu=True)
            module[1] = nn.Identity()
        for name, child in module.named_children():
            if isinstance(child, nn.Linear):
                setattr(module, name, PackedLinear(child.weight, child.bias))
    model.decoder.output = PackedLinear(model.decoder.vectors.weight, None)
