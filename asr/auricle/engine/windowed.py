"""Long audio, one window after another: each is told what was said before it."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from auricle.config import SAMPLE_RATE, DecodingOptions
from auricle.decoding.whisper import WhisperDialect
from auricle.engine.engine import Engine
from auricle.engine.request import Request
from auricle.transcript import Receipt, Segment

_HOP = SAMPLE_RATE // 100  # samples of a feature frame: Whisper's windows move by these


def in_windows(
    engine: Engine,
    dialect: WhisperDialect,
    samples: npt.NDArray[np.float32],
    options: DecodingOptions,
) -> tuple[list[Segment], list[Receipt]]:
    """What is said in `samples (S,)`, and where the time went in each window.

    The language of the first window is that of all. Raises what the engine raises.
    """
    windows = dialect.windows(options, -(-len(samples) // _HOP))
    segments: list[Segment] = []
    receipts: list[Receipt] = []
    while not windows.done:
        heard = samples[windows.start * _HOP : (windows.start + windows.size) * _HOP]
        told = replace(options, prompt=windows.prompt)
        outcome = engine.submit(Request(heard, told), block=True).result()
        hypothesis = outcome.hypothesis
        options = replace(options, language=options.language or hypothesis.language)
        receipts.append(outcome.receipt)
        segments += [
            Segment(each.start, each.end, each.text, hypothesis.confidence, each.words)
            for each in windows.take(hypothesis)
        ]
    return segments, receipts
