"""Waveform to features: `samples (B, S), lens (B,) -> x (B, T, n_mels), x_lens (B,)`."""

from auricle.features.log_mel import LogMel, mel_filters
from auricle.features.waveform import Waveform

__all__ = [
    "Features",
    "LogMel",
    "Waveform",
    "mel_filters",
]

Features = LogMel | Waveform
