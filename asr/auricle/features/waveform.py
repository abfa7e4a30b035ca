"""No features: for models whose input is the samples themselves."""

from torch import Tensor, nn

from auricle.config import FeatureConfig
from auricle.model.masks import length_mask


class Waveform(nn.Module):
    """Passes the samples of a padded batch of waveforms on."""

    def __init__(self, config: FeatureConfig) -> None:
        super().__init__()
        self.config = config

    def forward(self, samples: Tensor, lens: Tensor) -> tuple[Tensor, Tensor]:
        """Turn `samples (B, S)` into `x (B, S, 1)`, zero behind each row's end; `lens` stays."""
        return samples.masked_fill(~length_mask(lens, samples.shape[1]), 0.0)[..., None], lens
