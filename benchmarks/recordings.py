"""Waveforms as files, and files as waveforms."""

import io
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from auricle.audio import load_audio
from auricle.config import SAMPLE_RATE

SAMPLES = Path(__file__).parent.parent / "samples"


def wav(samples: npt.NDArray[np.float32]) -> bytes:
    """`(S,)` at 16 kHz as a WAV file of 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(SAMPLE_RATE)
        writer.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def speech(count: int) -> list[npt.NDArray[np.float32]]:
    """The recordings of samples/, over again until there are `count`."""
    loaded = [load_audio(path).samples for path in sorted(SAMPLES.glob("*.wav"))]
    return [loaded[number % len(loaded)] for number in range(count)]


def seconds(waveforms: Sequence[npt.NDArray[np.float32]]) -> float:
    """The duration of all recordings together."""
    return sum(map(len, waveforms)) / SAMPLE_RATE
