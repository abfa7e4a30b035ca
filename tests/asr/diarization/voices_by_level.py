"""Conversations whose voices are levels, an embedder of levels, their VAD: helpers, no tests."""

import numpy as np
import numpy.typing as npt

from auricle.config import SAMPLE_RATE
from auricle.segmentation.vad import FRAME_SAMPLES

FRAMES_A_SECOND = SAMPLE_RATE / FRAME_SAMPLES


def conversation(*parts: tuple[float, float]) -> npt.NDArray[np.float32]:
    """Parts of (level, seconds), in whole frames; level 0 is silence."""
    return np.concatenate(
        [
            np.full(round(seconds * FRAMES_A_SECOND) * FRAME_SAMPLES, level, np.float32)
            for level, seconds in parts
        ]
    )


def is_loud(frames: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.where(np.abs(frames).mean(axis=1) > 0.05, np.float32(1), np.float32(0))


def by_level(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """An angle for each level: 0.1 and 0.2, say, are at right angles."""
    angle = 5 * np.pi * np.median(samples[samples != 0])
    return np.array([np.cos(angle), np.sin(angle)], np.float32)
