"""WAV files made by hand."""

import struct

import numpy as np
import numpy.typing as npt

from auricle.config import SAMPLE_RATE


def pcm_wav(samples: npt.NDArray[np.floating]) -> bytes:
    """A mono 16 kHz 16-bit WAV of samples `(S,)` in -1 to 1."""
    data = bytes((np.clip(samples, -1, 1) * 32767).astype("<i2"))
    head = struct.pack("<4sI4s4sIHHIIHH", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, 1,
                       SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16)  # fmt: skip
    return head + struct.pack("<4sI", b"data", len(data)) + data
