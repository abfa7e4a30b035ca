"""What is heard where nobody speaks."""

import torch
from torch import Tensor

from auricle.training.augmentation.noise import pink, rms

FRAME = 160  # samples, 10 ms
QUIETEST_DB, LOUDEST_DB = -80.0, -20.0  # of full scale
DIGITAL_SHARE = 0.25  # of wordless clips that hold only zeros


def background(samples: int, beside: Tensor) -> Tensor:
    """White noise `(samples,)` as faint as the quietest tenth of the speech `beside` it.

    Zeros would tell the model by themselves where an utterance ends; recordings hold none.
    """
    frames = beside[: len(beside) // FRAME * FRAME].reshape(-1, FRAME)
    if not len(frames):
        return torch.zeros(samples)
    return torch.randn(samples) * frames.square().mean(dim=1).quantile(0.1).sqrt()


def wordless(samples: int) -> Tensor:
    """A clip `(samples,)` without speech: white or pink noise of any level, or digital silence."""
    draw, level = torch.rand(()), torch.empty(()).uniform_(QUIETEST_DB, LOUDEST_DB)
    if draw < DIGITAL_SHARE:
        return torch.zeros(samples)
    noise = torch.randn(samples)
    if draw < (1 + DIGITAL_SHARE) / 2:
        noise = pink(noise)
    return noise / rms(noise) * 10 ** (level / 20)
