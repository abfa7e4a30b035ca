"""What recordings go through on their way to a recogniser."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
import torchaudio.functional as audio
from torch import Tensor

from auricle.config import SAMPLE_RATE

Samples = npt.NDArray[np.float32]  # (S,) at 16 kHz
Condition = Callable[[Samples], Samples]

TELEPHONE_RATE, LOWEST, HIGHEST = 8_000, 300.0, 3_400.0  # Hz


def clean(samples: Samples) -> Samples:
    """As it was recorded."""
    return samples


def noisy(samples: Samples, snr_db: float) -> Samples:
    """Among white noise, as loud as `snr_db` says; the same samples get the same noise."""
    speech = torch.from_numpy(samples)
    noise = torch.randn(len(samples), generator=torch.Generator().manual_seed(len(samples)))
    return _samples(audio.add_noise(speech, noise, torch.tensor(snr_db)))


def telephone(samples: Samples) -> Samples:
    """Over a telephone: 300 to 3,400 Hz, 8-bit mu-law at 8 kHz."""
    narrow = audio.resample(torch.from_numpy(samples), SAMPLE_RATE, TELEPHONE_RATE)
    band = audio.highpass_biquad(narrow, TELEPHONE_RATE, LOWEST)
    band = audio.lowpass_biquad(band, TELEPHONE_RATE, HIGHEST).clamp(-1, 1)
    coded = audio.mu_law_decoding(audio.mu_law_encoding(band, 256), 256)
    return _samples(audio.resample(coded, TELEPHONE_RATE, SAMPLE_RATE)[: len(samples)])


CONDITIONS: Mapping[str, Condition] = {
    "clean": clean,
    **{f"noise {snr} dB": partial(noisy, snr_db=float(snr)) for snr in (20, 10, 0)},
    "telephone": telephone,
}


def _samples(waveform: Tensor) -> Samples:
    samples: Samples = waveform.numpy().astype(np.float32)
    return samples
