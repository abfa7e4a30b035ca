"""Whisper's features (Radford et al. 2022): a log-mel spectrogram below its own loudest point."""

import math

import torch
from torch import Tensor

from auricle.features.log_mel import LogMel
from auricle.model.masks import length_mask

_RANGE = 8.0  # of log10 energy that is kept below the loudest: 80 dB


class WhisperLogMel(LogMel):
    """Whisper's log-mel features of a padded batch of waveforms, each as it is alone.

    Both ends are reflected, and the loudest point is the utterance's own.
    """

    def forward(self, samples: Tensor, lens: Tensor) -> tuple[Tensor, Tensor]:
        """Turn `samples (B, S)`, `lens (B,)` into `x (B, T, n_mels)`, `x_lens (B,)`."""
        samples = samples.masked_fill(~length_mask(lens, samples.shape[1]), 0.0)
        x = self.log_mel(self._reflected(samples, lens))
        x_lens = -(-lens // self.config.hop_length)
        behind = ~length_mask(x_lens, x.shape[1])[..., None]
        loudest = x.masked_fill(behind, -math.inf).amax(dim=(1, 2), keepdim=True)
        x = torch.maximum(x, loudest - _RANGE / self.config.std)
        return x.masked_fill(behind, 0.0), x_lens

    def _reflected(self, samples: Tensor, lens: Tensor) -> Tensor:
        """Reflect each row at its own end, unless it is shorter than the reflection."""
        padded = self._pad(samples)
        half = self.config.n_fft // 2
        for row, length in enumerate(lens.tolist()):
            end = half + length
            room = min(half, padded.shape[1] - end)
            if length > half:
                padded[row, end : end + room] = padded[row, end - 1 - room : end - 1].flip(0)
        return padded
