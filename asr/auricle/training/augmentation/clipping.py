"""A microphone that is too close."""

import torch
from torch import Tensor, nn

from auricle.model.masks import length_mask
from auricle.training.config import AugmentationConfig


class Clipping(nn.Module):
    """Cuts the peaks of some rows off, up to `clipping_db` below the highest."""

    def __init__(self, config: AugmentationConfig) -> None:
        super().__init__()
        self.probability = config.clipping_probability
        self.db = config.clipping_db

    def forward(self, samples: Tensor, lens: Tensor) -> Tensor:
        """`samples (B, S)`, `lens (B,)` of them valid."""
        if not self.probability:
            return samples
        depth = torch.empty(len(samples), 1).uniform_(0.0, self.db)
        whole = torch.rand(len(samples), 1) >= self.probability
        valid = samples * length_mask(lens, samples.shape[1])
        limit = valid.abs().amax(dim=1, keepdim=True) * 10 ** (-depth / 20)
        limit = limit.masked_fill(whole, torch.inf)
        return torch.minimum(torch.maximum(samples, -limit), limit)
