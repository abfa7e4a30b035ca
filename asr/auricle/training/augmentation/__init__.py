"""What training does to speech that a listener would not mind. Draws from torch's generator.

Waveforms go through `speed -> rooms -> gain -> noise -> clipping -> channel`, as sound goes from
a mouth through a room and a microphone to a wire; features through SpecAugment.
"""

from auricle.training.augmentation.seed import seed_everything
from auricle.training.augmentation.spec_augment import SpecAugment
from auricle.training.augmentation.waveform import WaveformAugmentation

__all__ = ["SpecAugment", "WaveformAugmentation", "seed_everything"]
