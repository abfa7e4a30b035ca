"""Long audio, one window after another: each is told what was said before it."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from auricle.config import ModelConfig
from auricle.decoding.whisper import WhisperDialect
from auricle.engine.request import Request
from auricle.engine.serving import Serving
from auricle.missing import missing_words
from auricle.segmentation.vad import speech_end
from auricle.transcript import Recognition
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Segment


def in_windows(
    engine: Serving,
    config: ModelConfig,
    dialect: WhisperDialect,
    samples: npt.NDArray[np.float32],
    options: DecodingOptions,
) -> Iterator[Recognition]:
    """What is said in each window of `samples (S,)`.

    The language of the first window is that of all. Raises InvalidOptionError, and what the engine
    raises.
    """
    dialect.check(options)
    x_len, hop = config.features.x_len, config.features.hop_length
    windows = dialect.windows(options, x_len(len(samples)), x_len(config.window))
    while not windows.done:
        heard = samples[windows.start * hop : (windows.start + windows.size) * hop]
        told = replace(options, prompt=windows.prompt[-dialect.context :])
        request = Request(heard, told, speech_end=speech_end(heard) or None)
        outcome = engine.submit(request, block=True).result()
        hypothesis = outcome.hypothesis
        options = replace(options, language=options.language or hypothesis.language)
        start = windows.start / config.features.frames_per_second
        warnings = missing_words(hypothesis, start, start + request.seconds)
        segments = tuple(
            Segment(
                each.start,
                each.end,
                each.text,
                config.calibration.confidence(hypothesis.confidence),
                each.words,
                hypothesis.language or "",
            )
            for each in windows.take(hypothesis)
        )
        yield Recognition(segments, outcome.receipt, warnings=warnings)
