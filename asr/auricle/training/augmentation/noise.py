"""Noise at a random distance from the speech: white, pink, or other people."""

import torch
from torch import Tensor, nn
from torchaudio.functional import add_noise

from auricle.training.augmentation.fft import fast_size
from auricle.training.config import AugmentationConfig

TALKERS = 6  # in a babble, some of them the same person at another moment


class Noise(nn.Module):
    """Adds noise to some rows, each with its own ratio and one of `noise_kinds`."""

    def __init__(self, config: AugmentationConfig) -> None:
        super().__init__()
        self.snr_db = config.noise_snr_db
        self.probability = config.noise_probability
        self.kinds = config.noise_kinds

    def forward(self, samples: Tensor, lens: Tensor) -> Tensor:
        """`samples (B, S)`, `lens (B,)` of them valid."""
        snr = torch.empty(len(samples)).uniform_(*self.snr_db)
        quiet = torch.rand(len(samples)) >= self.probability
        noise = torch.randn_like(samples)
        if self.kinds != ("white",):
            self._colour(noise, samples, lens, ~quiet)
        noisy: Tensor = add_noise(samples, noise, snr.masked_fill(quiet, 100.0), lens)
        return noisy

    def _colour(self, noise: Tensor, samples: Tensor, lens: Tensor, noisy: Tensor) -> None:
        """Put another kind in place of the white noise of some of the `noisy` rows."""
        drawn = torch.randint(len(self.kinds), (len(samples),)).tolist()
        for row in noisy.nonzero().flatten().tolist():
            kind = self.kinds[drawn[row]]
            if kind == "pink":
                noise[row] = pink(noise[row])
            elif kind == "babble" and len(samples) > 1:
                voices = babble(row, samples, lens)
                noise[row] = voices if voices.any() else noise[row]  # all the others are silent


def pink(white: Tensor) -> Tensor:
    """White noise `(S,)` with its power made to fall as 1 / frequency, as loud as before."""
    size = fast_size(len(white))
    spectrum = torch.fft.rfft(white, n=size)
    bins = torch.arange(len(spectrum), dtype=white.dtype)
    weights = bins.clamp_min(1).rsqrt()
    weights[0] = 0.0  # no offset
    coloured: Tensor = torch.fft.irfft(spectrum * weights, n=size)[: len(white)]
    return coloured * (rms(white) / rms(coloured))


def babble(row: int, samples: Tensor, lens: Tensor) -> Tensor:
    """`TALKERS` equally loud voices `(S,)` from the other rows, each from a random moment on."""
    others = torch.randint(len(samples) - 1, (TALKERS,))
    others = others + (others >= row)
    voices = torch.zeros(samples.shape[1])
    for other in others.tolist():
        voice = samples[other, : int(lens[other])]
        voice = voice.roll(int(torch.randint(len(voice), ())))
        times = -(-len(voices) // len(voice))
        voices += voice.repeat(times)[: len(voices)] / rms(voice)
    return voices


def rms(samples: Tensor) -> Tensor:
    """Root mean square; of silence, the smallest positive number."""
    return samples.square().mean().sqrt().clamp_min(torch.finfo(samples.dtype).tiny)
