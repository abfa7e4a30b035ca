"""Rooms that speech echoes in.

Early reflections by the image method (Allen and Berkley 1979: "Image method for efficiently
simulating small-room acoustics"), where each path can be told from the others; behind them the
tail is noise that decays as the walls' absorption says (Eyring 1930), which is what the images
become (Lehmann and Johansson 2010).
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.functional import fftconvolve

from auricle.config import SAMPLE_RATE
from auricle.model.masks import length_mask
from auricle.training.augmentation.fft import fast_size
from auricle.training.config import AugmentationConfig

Floats = npt.NDArray[np.float64]

ROOMS = 64
SPEED_OF_SOUND = 343.0  # m/s
SMALLEST, LARGEST = (2.4, 2.4, 2.3), (9.0, 7.0, 3.5)  # m
MARGIN = 0.3  # m between a wall and whoever speaks or listens
IMAGES = 4  # mirrored rooms in each direction of each axis
MIXING_SECONDS = 0.04  # from the direct sound on, all images that arrive are among those


class Rooms(nn.Module):
    """Puts some rows into a room of the bank, each as loud as before and where it was in time."""

    bank: Tensor

    def __init__(self, config: AugmentationConfig) -> None:
        super().__init__()
        self.probability = config.room_probability
        bank = room_bank(config.room_rt60) if self.probability else torch.zeros(0, 1)
        self.register_buffer("bank", bank, persistent=False)

    def forward(self, samples: Tensor, lens: Tensor) -> Tensor:
        """`samples (B, S)`, `lens (B,)` of them valid; zeros behind."""
        if not self.probability:
            return samples
        inside = torch.rand(len(samples)) < self.probability
        rooms = torch.randint(len(self.bank), (len(samples),))
        if not inside.any():
            return samples
        samples = samples.clone()
        samples[inside] = echo(samples[inside], lens[inside], self.bank[rooms[inside]])
        return samples


def echo(samples: Tensor, lens: Tensor, responses: Tensor) -> Tensor:
    """`samples (B, S)` through `responses (B, R)`, each row with the energy that it had."""
    size = samples.shape[1]
    whole = size + responses.shape[1] - 1
    longer = F.pad(samples, (0, fast_size(whole) - whole))
    wet: Tensor = fftconvolve(longer, responses)[:, :size] * length_mask(lens, size)
    level = wet.norm(dim=1, keepdim=True).clamp_min(torch.finfo(wet.dtype).tiny)
    wet *= samples.norm(dim=1, keepdim=True) / level
    return wet


def room_bank(rt60: tuple[float, float]) -> Tensor:
    """`ROOMS` impulse responses `(ROOMS, R)`, the same ones always, the direct sound first."""
    random = np.random.default_rng(0)
    responses = [room_response(float(random.uniform(*rt60)), random) for _ in range(ROOMS)]
    bank = np.zeros((ROOMS, max(map(len, responses))), np.float32)
    for row, response in zip(bank, responses, strict=True):
        row[: len(response)] = response
    return torch.from_numpy(bank)


def room_response(rt60: float, random: np.random.Generator) -> Floats:
    """Impulse response `(R,)` of a random room that takes `rt60` seconds to fall by 60 dB."""
    size = random.uniform(SMALLEST, LARGEST)
    source, listener = random.uniform(MARGIN, size - MARGIN, (2, 3))
    early = _early(size, source, listener, _reflection(size, rt60))
    mixing = round(MIXING_SECONDS * SAMPLE_RATE)
    response = np.zeros(max(mixing, round(rt60 * SAMPLE_RATE)))
    response[:mixing] = early[:mixing]
    response[mixing:] = _tail(early[mixing // 2 : mixing], len(response) - mixing, rt60, random)
    return response


def _reflection(size: Floats, rt60: float) -> float:
    """Share of the pressure that a wall gives back, by Eyring's formula."""
    volume = size.prod()
    surface = 2 * (size[0] * size[1] + size[1] * size[2] + size[2] * size[0])
    return float(np.exp(-0.161 * volume / (2 * surface * rt60)))


def _early(size: Floats, source: Floats, listener: Floats, reflection: float) -> Floats:
    """Pressure at the listener, sample by sample from the direct sound on, of all images."""
    rooms = np.arange(-IMAGES, IMAGES + 1)[:, None]
    mirrored = np.array([0, 1])
    # Along each axis: where the images lie, and how many walls their sound has met.
    places = (1 - 2 * mirrored) * source[:, None, None] + 2 * rooms * size[:, None, None]
    offsets = (places - listener[:, None, None]).reshape(3, -1)  # (3, images)
    walls = (np.abs(rooms - mirrored) + np.abs(rooms)).reshape(-1)
    x, y, z = np.meshgrid(*offsets**2, indexing="ij")
    distance = np.sqrt(x + y + z).reshape(-1)
    bounces = np.add.outer(np.add.outer(walls, walls), walls).reshape(-1)
    arrival = np.rint((distance - distance.min()) / SPEED_OF_SOUND * SAMPLE_RATE).astype(int)
    return np.bincount(arrival, reflection**bounces / distance).astype(np.float64)


def _tail(before: Floats, samples: int, rt60: float, random: np.random.Generator) -> Floats:
    """Decaying noise that goes on as loud as the images `before` it were on the average."""
    level = np.sqrt(np.mean(before**2))
    time = (np.arange(samples) + len(before) / 2) / SAMPLE_RATE
    tail: Floats = level * random.standard_normal(samples) * 10 ** (-3 * time / rt60)
    return tail
