"""Blocks of any rate and channels to mono float32 at 16 kHz, within the limits."""

import numpy as np
import soxr

from auricle.audio.audio import Samples, check_values
from auricle.audio.decoders import Block
from auricle.audio.limits import check_format, check_seconds, check_work
from auricle.audio.mono import Downmix
from auricle.config import SAMPLE_RATE
from auricle_types.options import AudioLimits

_BLOCK_WORK = 1024  # a block costs at least as much as so many samples, be it ever so small


class Converter:
    """Feed blocks in order, then flush. The result does not depend on where the blocks are cut.

    `seconds` is what came so far, by the rate that each block declares; `cancelled`, once
    flushed, whether the channels somewhere cancelled each other out.
    """

    def __init__(self, limits: AudioLimits, channel: int | None = None) -> None:
        """Take one `channel`, from 0, or by default mix all of them."""
        self._limits = limits
        self._channel = channel
        self._work = 0  # samples over all channels, or their worth
        self._downmix = Downmix(SAMPLE_RATE, 1)
        self._resampler: soxr.ResampleStream | None = None
        self.seconds = 0.0
        self.cancelled = False

    def feed(self, block: Block) -> Samples:
        """The mono 16 kHz samples that `block` completes.

        Raises InvalidSampleRateError, InvalidSamplesError, AudioTooLongError, AudioTooLargeError.
        """
        samples, rate = block
        self._admit(samples, rate)
        if self._channel is not None:
            samples = _only(samples, self._channel)
        before = self._change(rate, samples.shape[1])
        piece = self._resample(self._downmix.feed(samples))
        return np.concatenate([before, piece]) if len(before) else piece

    def flush(self) -> Samples:
        """What is still held back. Ends the stream."""
        rest = self._resample(self._downmix.flush(), last=True)
        self._resampler = None
        self.cancelled |= self._downmix.cancelled
        return rest

    def _change(self, rate: int, channels: int) -> Samples:
        """What is held back of the old format, where chained streams change it on the way."""
        old = self._downmix
        if (rate, channels) == (old.sample_rate, old.channels):
            return np.zeros(0, np.float32)
        if rate == old.sample_rate:
            before = self._resample(old.flush())
            self.cancelled |= old.cancelled
        else:
            before = self.flush()
            if rate != SAMPLE_RATE:
                self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
        self._downmix = Downmix(rate, channels)
        return before

    def _admit(self, samples: Samples, rate: int) -> None:
        check_format(rate, samples.shape[1], self._limits)
        self._work += max(samples.size, _BLOCK_WORK)
        self.seconds += len(samples) / rate
        check_work(self._work, self._limits)
        check_seconds(self.seconds, self._limits)

    def _resample(self, mono: Samples, last: bool = False) -> Samples:
        check_values(mono)
        if self._resampler is None:
            return mono
        resampled: Samples = self._resampler.resample_chunk(mono, last=last)
        return resampled


def _only(samples: Samples, channel: int) -> Samples:
    """Return one channel `(S, 1)`; silence where chained streams have fewer channels."""
    if channel < samples.shape[1]:
        return samples[:, channel : channel + 1]
    return np.zeros((len(samples), 1), np.float32)
