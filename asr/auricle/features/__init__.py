"""Waveform to features: `samples (B, S), lens (B,) -> x (B, T, n_mels), x_lens (B,)`."""

from auricle.config import FeatureConfig
from auricle.features.log_mel import LogMel, mel_filters
from auricle.features.streaming import StreamingLogMel
from auricle.features.waveform import Waveform
from auricle.features.whisper import WhisperLogMel

__all__ = [
    "Features",
    "LogMel",
    "StreamingLogMel",
    "Waveform",
    "WhisperLogMel",
    "mel_filters",
    "new_features",
]

Features = LogMel | Waveform


def new_features(config: FeatureConfig) -> Features:
    """Those that a model was made for."""
    if config.kind == "samples":
        return Waveform(config)
    return WhisperLogMel(config) if config.kind == "whisper" else LogMel(config)
