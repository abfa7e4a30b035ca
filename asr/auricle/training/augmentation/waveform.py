"""The way of sound from mouth to wire."""

import torch
from torch import Tensor, nn
from torchaudio.transforms import SpeedPerturbation

from auricle.config import SAMPLE_RATE
from auricle.training.augmentation.channel import Channel
from auricle.training.augmentation.clipping import Clipping
from auricle.training.augmentation.noise import Noise
from auricle.training.augmentation.rooms import Rooms
from auricle.training.config import AugmentationConfig


class WaveformAugmentation(nn.Module):
    """`samples (B, S), lens (B,) -> samples (B, S'), lens (B,)`.

    Rooms, clipping and channels draw nothing while they are off.
    """

    def __init__(self, config: AugmentationConfig) -> None:
        super().__init__()
        self.gain_db = config.gain_db
        self.speed = SpeedPerturbation(SAMPLE_RATE, config.speeds)
        self.rooms = Rooms(config)
        self.noise = Noise(config)
        self.clipping = Clipping(config)
        self.channel = Channel(config)

    def forward(self, samples: Tensor, lens: Tensor) -> tuple[Tensor, Tensor]:
        """One speed for the batch; everything else drawn for each row."""
        samples, lens = self.speed(samples, lens)
        samples = self.rooms(samples, lens)
        gain = torch.empty(samples.shape[0], 1).uniform_(-self.gain_db, self.gain_db)
        samples = self.noise(samples * 10 ** (gain / 20), lens)
        samples = self.channel(self.clipping(samples, lens), lens)
        return samples, lens.long()
