"""Log-mel features of one waveform that arrives in pieces."""

import torch
from torch import Tensor
from torch.nn import functional as F

from auricle.features.log_mel import LogMel, tail


class StreamingLogMel:
    """Computes the same features of one waveform that arrives in pieces of any size.

    `feed` returns the frames that have become computable, `flush` the last ones; together they
    are the frames of the whole.
    """

    def __init__(self, features: LogMel) -> None:
        self._features = features
        self._half = features.config.n_fft // 2
        self._buffer = features.window.new_zeros(0)  # from the next frame's first sample on
        self._samples = 0
        self._started = False

    def feed(self, samples: Tensor) -> Tensor:
        """Take `(S,)` more samples, return `(T, n_mels)` new frames (T may be 0)."""
        self._samples += samples.shape[0]
        self._buffer = torch.cat([self._buffer, samples])
        if not self._started and self._samples > self._half:
            self._reflect()
        return self._emit() if self._started else self._empty()

    def flush(self) -> Tensor:
        """Return the frames that reach past the end, `(T, n_mels)`."""
        if not self._samples:
            return self._empty()
        self._buffer = F.pad(self._buffer, (0, tail(self._features.config, self._samples)))
        if not self._started:
            self._reflect()
        return self._emit()

    def _reflect(self) -> None:
        start = self._buffer[1 : self._half + 1].flip(0)
        self._buffer = torch.cat([start, self._buffer])
        self._started = True

    def _emit(self) -> Tensor:
        config = self._features.config
        frames = (self._buffer.shape[0] - config.n_fft) // config.hop_length + 1
        if frames < 1:
            return self._empty()
        x = self._features.log_mel(self._buffer[None])[0]
        self._buffer = self._buffer[frames * config.hop_length :]
        return x

    def _empty(self) -> Tensor:
        return self._buffer.new_zeros(0, self._features.config.n_mels)
