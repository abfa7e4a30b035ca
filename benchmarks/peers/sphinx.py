"""PocketSphinx with its own English model: what recognised speech offline before networks did."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
from pocketsphinx import Decoder

from auricle.config import SAMPLE_RATE


def transcripts(waveforms: Iterable[npt.NDArray[np.float32]]) -> Iterator[str]:
    """The words of each waveform `(S,)`, one after the other: it has no batches."""
    decoder = Decoder(samprate=SAMPLE_RATE, loglevel="FATAL")
    for waveform in waveforms:
        pcm = (waveform.clip(-1, 1) * 32767).astype("<i2").tobytes()
        decoder.start_utt()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        yield found.hypstr if found else ""
