"""Voice activity by a script, and what shows where a piece comes from: helpers, no tests."""

from collections.abc import Iterable

import numpy as np

from auricle.segmentation.segmenter import Piece
from auricle.segmentation.vad import FRAME_SAMPLES, Vad

FRAME = FRAME_SAMPLES / 16_000  # seconds


def scripted(probabilities: Iterable[float]) -> Vad:
    """A detector that says what the script says, and silence after it."""
    script = iter(probabilities)
    return lambda frames: np.array([next(script, 0.0) for _ in frames], np.float32)


def always(probability: float) -> Vad:
    """A detector that has one opinion."""
    return lambda frames: np.full(len(frames), probability, np.float32)


def never(frames: np.ndarray) -> np.ndarray:
    raise AssertionError("the detector ran")


def sound(frames: int) -> np.ndarray:
    """Samples that are all different, so that a piece shows where it comes from."""
    return np.arange(1, frames * FRAME_SAMPLES + 1, dtype=np.float32)


def spans(pieces: list[Piece]) -> list[tuple[int, int]]:
    """The pieces as frames `[begin, end)`."""
    return [(round(piece.start / FRAME), round(piece.end / FRAME)) for piece in pieces]


def script(*runs: tuple[float, int]) -> list[float]:
    """Runs of (probability, frames)."""
    return [probability for probability, frames in runs for _ in range(frames)]
