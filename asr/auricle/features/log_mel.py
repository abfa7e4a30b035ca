"""Waveform to log-mel features: `samples (B, S), lens (B,) -> x (B, T, n_mels), x_lens (B,)`.

The spectrogram is Whisper's (Radford et al. 2022): 25 ms Hann windows every 10 ms, centred on
their frame, the start reflected and the end padded with zeros, Slaney mel filters. The scaling is
a fixed affine map instead of Whisper's maximum over the clip: no frame depends on a later one, so
features can be streamed, and none depends on who shares the batch.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.functional import melscale_fbanks

from auricle.config import SAMPLE_RATE, FeatureConfig
from auricle.model.linear import kind_of, linear
from auricle.model.masks import length_mask
from auricle.model.overriding import Call, Overriding
from auricle.model.rows import Kind, Product, Rows


def mel_filters(config: FeatureConfig) -> Tensor:
    """Make Slaney-scale triangular filters, `(n_mels, n_fft // 2 + 1)`, as librosa does."""
    bins, nyquist = config.n_fft // 2 + 1, SAMPLE_RATE / 2
    scale = {"norm": "slaney", "mel_scale": "slaney"}
    with Overriding(_in_double):
        filters: Tensor = melscale_fbanks(bins, 0.0, nyquist, config.n_mels, SAMPLE_RATE, **scale)
    return filters.T.float().contiguous()


def _in_double(func: Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ANN401
    """Use float64 for frequencies: filters rounded once are those of Whisper's training."""
    if func is torch.linspace:
        kwargs["dtype"] = torch.float64
    return func(*args, **kwargs)


class LogMel(nn.Module):
    """Computes log-mel features of a padded batch of waveforms."""

    filters: Tensor
    window: Tensor

    def __init__(self, config: FeatureConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("filters", mel_filters(config), persistent=False)
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        self._rows = Rows()

    def forward(self, samples: Tensor, lens: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the features of every waveform, whatever stands behind its end.

        Args:
            samples: `(B, S)` float32 at 16 kHz.
            lens: `(B,)` valid samples of each row, at least 1.

        Returns:
            `x (B, T, n_mels)`, zero behind each row's end, and `x_lens (B,)`, with
            `x_lens = ceil(lens / hop_length)`.
        """
        samples = samples.masked_fill(~length_mask(lens, samples.shape[1]), 0.0)
        x = self.log_mel(self._pad(samples))
        x_lens = -(-lens // self.config.hop_length)
        return x.masked_fill(~length_mask(x_lens, x.shape[1])[..., None], 0.0), x_lens

    def log_mel(self, padded: Tensor) -> Tensor:
        """Compute frames wholly inside `padded (B, S)`: `(B, (S - n_fft) // hop + 1, n_mels)`."""
        config = self.config
        spectrum = torch.stft(
            padded,
            config.n_fft,
            config.hop_length,
            window=self.window,
            center=False,
            return_complex=True,
        )  # (B, n_fft // 2 + 1, T)
        power = spectrum.real.square() + spectrum.imag.square()
        energy = self._rows.multiply(self, power.transpose(1, 2))  # (B, T, n_mels)
        return (energy.clamp_min(config.floor).log10() - config.mean) / config.std

    @property
    def kind(self) -> Kind:
        """The kind of the product with the filters."""
        return kind_of("linear", self.filters, None)

    @property
    def like(self) -> Tensor:
        """The filters, which have the width, dtype and device of a spectrum."""
        return self.filters

    def product(self, x: Tensor) -> Tensor:
        """Compute energies by the filters: `(..., n_fft // 2 + 1) -> (..., n_mels)`."""
        return F.linear(x, self.filters)

    def trial(self, weight: Tensor, bias: Tensor | None) -> Product:
        """The product of such a layer that has another weight."""
        return linear(weight, bias)

    def _pad(self, samples: Tensor) -> Tensor:
        """Reflect half a window before the start and put zeros behind the end."""
        half = self.config.n_fft // 2
        behind = tail(self.config, samples.shape[1])
        return F.pad(F.pad(samples, (0, behind))[:, None], (half, 0), mode="reflect")[:, 0]


def tail(config: FeatureConfig, samples: int) -> int:
    """Count the zeros that make the last frame of so many samples whole (one to reflect on)."""
    half = config.n_fft // 2
    return (config.x_len(samples) - 1) * config.hop_length + half + 1 - samples
