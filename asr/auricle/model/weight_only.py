"""Linear layers whose weights take a byte a number, for devices whose memory is what is short."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MOST = 127.0  # the largest of 8 bits, symmetric
LEAST = 1e-12  # a row's scale is never 0


class WeightOnlyLinear(nn.Module):
    """A linear layer for inference anywhere: `(..., D) -> (..., E)`, the weight alone in 8 bits.

    Its integers, with a scale for each output, become the activations' numbers in each product,
    and bfloat16 holds them as they are: so it saves memory, no time.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        """From a float32 `weight (E, D)`."""
        super().__init__()
        scales = weight_scales(weight)  # (E, 1)
        self._weight = (weight / scales).round_().to(torch.int8)
        self._scales = scales.flatten()
        self._bias = torch.zeros_like(self._scales) if bias is None else bias.float()

    def forward(self, x: Tensor) -> Tensor:
        """The product with the weight, the bias added, in the numbers of `x`."""
        product = F.linear(x, self._weight.to(x.dtype)).float()
        return torch.addcmul(self._bias, product, self._scales).to(x.dtype)


def weight_scales(rows: Tensor, most: float = MOST) -> Tensor:
    """`(R, D) -> (R, 1)`: what takes each row's largest number to `most`."""
    return rows.abs().amax(dim=-1, keepdim=True).div_(most).clamp_(LEAST)
