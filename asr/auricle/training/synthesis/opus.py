"""Speech as Opus in Ogg, the same bytes for the same samples."""

import io

import av
import numpy as np
from numpy.typing import NDArray

from auricle.config import SAMPLE_RATE

BIT_RATE = 24_000  # bits a second, transparent for speech at 16 kHz
# Microseconds: libsndfile misreads a stream whose first page of sound is also its last, and by
# default a page holds a second.
PAGE_DURATION = 100_000


def encode_opus(samples: NDArray[np.float32]) -> bytes:
    """An Ogg file of the mono waveform `(S,)` at `SAMPLE_RATE`.

    By PyAV rather than soundfile, whose Ogg serial number depends on the clock.
    """
    file = io.BytesIO()
    pcm = (np.clip(samples, -1.0, 1.0) * 32767.0).round().astype(np.int16)
    options = {"fflags": "+bitexact", "page_duration": str(PAGE_DURATION)}
    with av.open(file, "w", format="ogg", options=options) as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE, layout="mono")
        stream.bit_rate = BIT_RATE
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()
