"""What training does to speech that a listener would not mind. Draws from torch's generator."""

import random

import torch
from torch import Tensor, nn
from torchaudio.functional import add_noise
from torchaudio.transforms import FrequencyMasking, SpeedPerturbation, TimeMasking

from auricle.config import SAMPLE_RATE
from auricle.training.config import AugmentationConfig


class WaveformAugmentation(nn.Module):
    """Speed, gain and white noise: `samples (B, S), lens (B,) -> samples (B, S'), lens (B,)`."""

    def __init__(self, config: AugmentationConfig) -> None:
        super().__init__()
        self.config = config
        self.speed = SpeedPerturbation(SAMPLE_RATE, config.speeds)

    def forward(self, samples: Tensor, lens: Tensor) -> tuple[Tensor, Tensor]:
        """One speed for the batch; gain and noise drawn for each row."""
        samples, lens = self.speed(samples, lens)
        rows = samples.shape[0]
        gain = torch.empty(rows, 1).uniform_(-self.config.gain_db, self.config.gain_db)
        samples = samples * 10 ** (gain / 20)
        low, high = self.config.noise_snr_db
        snr = torch.empty(rows).uniform_(low, high)
        quiet = torch.rand(rows) >= self.config.noise_probability
        noise = torch.randn_like(samples)
        return add_noise(samples, noise, snr.masked_fill(quiet, 100.0), lens), lens.long()


class SpecAugment(nn.Module):
    """Frequency and time masks (Park et al. 2019), each row its own: `x (B, T, n_mels)`."""

    def __init__(self, config: AugmentationConfig) -> None:
        super().__init__()
        frequency = FrequencyMasking(config.frequency_width, iid_masks=True)
        self.frequency = nn.ModuleList([frequency] * config.frequency_masks)
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


def seed_everything(*parts: int) -> None:
    """Make all that follows a function of `parts`: a resumed run needs no saved generators."""
    seed = hash(parts) & 0x7FFF_FFFF
    torch.manual_seed(seed)
    random.seed(seed)
