"""Long audio, one window after another: the text of each is the prompt of the next."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from auricle.config import ModelConfig
from auricle.decoding import AudioWindows, DecodingPolicy
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
    policy: DecodingPolicy,
    samples: npt.NDArray[np.float32],
    options: DecodingOptions,
) -> Iterator[Recognition]:
    """Recognise each window of `samples (S,)`.

    The language of the first window is that of all. Raises InvalidOptionError, and what the engine
    raises.
    """
    x_len = config.features.x_len
    windows = policy.windows(options, x_len(len(samples)), x_len(config.window))
    policy.check(options)
    return _recognitions(engine, config, windows, samples, options)


def _recognitions(
    engine: Serving,
    config: ModelConfig,
    windows: AudioWindows,
    samples: npt.NDArray[np.float32],
    options: DecodingOptions,
) -> Iterator[Recognition]:
    hop = config.features.hop_length
    while not windows.done:
        window = samples[windows.start * hop : (windows.start + windows.size) * hop]
        prompted = replace(options, prompt=windows.prompt)
        request = Request(window, prompted, speech_end=speech_end(window) or None)
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
            for each in windows.advance(hypothesis)
        )
        yield Recognition(segments, outcome.receipt, warnings=warnings)
