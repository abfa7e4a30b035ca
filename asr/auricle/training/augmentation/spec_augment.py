"""Masks over features (Park et al. 2019)."""

from torch import Tensor, nn
from torchaudio.transforms import FrequencyMasking, TimeMasking

from auricle.training.config import AugmentationConfig


class SpecAugment(nn.Module):
    """Frequency and time masks (Park et al. 2019), each row its own: `x (B, T, n_mels)`."""

    def __init__(self, config: AugmentationConfig, n_mels: int) -> None:
        """Where the features are the samples themselves, `n_mels` is 1 and no bin is masked."""
        super().__init__()
        frequency = FrequencyMasking(config.frequency_width, iid_masks=True)
        masks = config.frequency_masks if n_mels > 1 else 0
        self.frequency = nn.ModuleList([frequency] * masks)
        self.time_masks = config.time_masks
        self.time_share = config.time_share

    def forward(self, x: Tensor) -> Tensor:
        """Zero (the mean) the masked bins and frames."""
        x = x.transpose(1, 2)[:, None]  # (B, 1, n_mels, T), as torchaudio wants it
        for mask in self.frequency:
            x = mask(x)
        widest = max(1, int(self.time_share * x.shape[3]))
        for _ in range(self.time_masks):
            x = TimeMasking(widest, iid_masks=True)(x)
        return x[:, 0].transpose(1, 2)
