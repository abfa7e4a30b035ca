"""Blocks of any rate and channels to mono float32 at 16 kHz, within the limits."""

import numpy as np
import soxr

from auricle.audio.audio import Samples, check_finite
from auricle.audio.decoders import Block
from auricle.audio.limits import check_format, check_seconds, check_work
from auricle.config import SAMPLE_RATE, AudioLimits

_BLOCK_WORK = 1024  # a block costs at least as much as so many samples, be it ever so small


class Converter:
    """Feed blocks in order, then flush. The result does not depend on where the blocks are cut.

    `seconds` is what came so far, by the rate that each block declares.
    """

    def __init__(self, limits: AudioLimits) -> None:
        self._limits = limits
        self._work = 0  # samples over all channels, or their worth
        self._rate = SAMPLE_RATE
        self._resampler: soxr.ResampleStream | None = None
        self.seconds = 0.0

    def feed(self, block: Block) -> Samples:
        """The mono 16 kHz samples that `block` completes.

        Raises InvalidSampleRateError, InvalidSamplesError, AudioTooLongError, AudioTooLargeError.
        """
        samples, rate = block
        self._admit(samples, rate)
        with np.errstate(over="ignore", invalid="ignore"):
            mono = np.ascontiguousarray(samples).mean(axis=1, dtype=np.float32)
        check_finite(mono)
        if rate == self._rate:
            return self._resample(mono)
        before = self.flush()  # chained streams may change their rate on the way
        self._rate = rate
        if rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        return np.concatenate([before, self._resample(mono)])

    def flush(self) -> Samples:
        """What the resampler still holds. Ends the stream."""
        rest = self._resample(np.zeros(0, np.float32), last=True)
        self._resampler = None
        return rest

    def _admit(self, samples: Samples, rate: int) -> None:
        check_format(rate, samples.shape[1], self._limits)
        self._work += max(samples.size, _BLOCK_WORK)
        self.seconds += len(samples) / rate
        check_work(self._work, self._limits)
        check_seconds(self.seconds, self._limits)

    def _resample(self, mono: Samples, last: bool = False) -> Samples:
        if self._resampler is None:
            return mono
        resampled: Samples = self._resampler.resample_chunk(mono, last=last)
        return resampled
