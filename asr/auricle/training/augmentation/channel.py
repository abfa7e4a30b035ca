"""The wire between the microphone and us: a telephone, G.711, or Opus at a low rate."""

import torch
from torch import Tensor, nn
from torchaudio.functional import highpass_biquad, resample

from auricle.config import SAMPLE_RATE
from auricle.training.augmentation.codecs import mu_law, opus
from auricle.training.config import AugmentationConfig

TELEPHONE_RATE = 8_000  # Hz
LOWEST, HIGHEST = 300, 3_400  # Hz


class Channel(nn.Module):
    """Sends some rows through one of the channels; each keeps its length and place in time."""

    def __init__(self, config: AugmentationConfig) -> None:
        super().__init__()
        self.telephone = config.telephone_probability
        self.mu_law = self.telephone + config.mu_law_probability
        self.opus = self.mu_law + config.opus_probability
        self.bit_rates = config.opus_bit_rates

    def forward(self, samples: Tensor, lens: Tensor) -> Tensor:
        """`samples (B, S)`, `lens (B,)` of them valid."""
        if not self.opus:
            return samples
        draws = torch.rand(len(samples)).tolist()
        bit_rates = torch.empty(len(samples)).uniform_(*self.bit_rates).tolist()
        samples = samples.clone()
        for row, draw, bit_rate, length in zip(
            samples, draws, bit_rates, lens.tolist(), strict=True
        ):
            row[: int(length)] = self._send(row[: int(length)], draw, bit_rate)
        return samples

    def _send(self, samples: Tensor, draw: float, bit_rate: float) -> Tensor:
        if draw < self.telephone:
            return widen(narrow(samples), len(samples))
        if draw < self.mu_law:
            coded = mu_law(narrow(samples).numpy(), TELEPHONE_RATE)
            return widen(torch.from_numpy(coded), len(samples))
        if draw < self.opus:
            return torch.from_numpy(opus(samples.numpy(), round(bit_rate)))
        return samples


def narrow(samples: Tensor) -> Tensor:
    """`samples (S,)` as a telephone hears them, `(ceil(S / 2),)` at 8 kHz, full scale at 1."""
    low = resample(
        samples,
        SAMPLE_RATE,
        TELEPHONE_RATE,
        lowpass_filter_width=32,
        rolloff=2 * HIGHEST / TELEPHONE_RATE,
    )
    return highpass_biquad(low, TELEPHONE_RATE, LOWEST)  # type: ignore[no-any-return]


def widen(samples: Tensor, size: int) -> Tensor:
    """Samples at 8 kHz back at 16 kHz, the first `size` of them."""
    return resample(samples, TELEPHONE_RATE, SAMPLE_RATE)[:size]  # type: ignore[no-any-return]
