"""Noise: its colour, its people, its ratio."""

import pytest
import torch

from auricle.config import SAMPLE_RATE
from auricle.training.augmentation import seed_everything
from auricle.training.augmentation.noise import Noise, babble, pink, rms
from auricle.training.config import AugmentationConfig
from tests.asr.tiny import padded, sounds


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return padded([torch.from_numpy(samples) for samples in sounds()])


def config(*kinds: str, snr: float = 10.0) -> AugmentationConfig:
    return AugmentationConfig(noise_probability=1.0, noise_kinds=kinds, noise_snr_db=(snr, snr))


@pytest.mark.parametrize("samples", [SAMPLE_RATE * 4, 40_009])
def test_pink_noise_loses_three_decibels_an_octave(samples: int) -> None:
    seed_everything(0)
    white = torch.randn(samples)
    coloured = pink(white)
    assert len(coloured) == samples
    torch.testing.assert_close(rms(coloured), rms(white))
    power = torch.fft.rfft(coloured).abs().square()

    def level(hertz: int) -> float:
        low, high = (round(edge * samples / SAMPLE_RATE) for edge in (hertz, 2 * hertz))
        return float(10 * power[low:high].mean().log10())

    falls = [level(hertz) - level(2 * hertz) for hertz in (250, 500, 1000, 2000)]
    assert falls == pytest.approx([3.0] * 4, abs=0.7)


def test_babble_is_made_of_the_others() -> None:
    """Rows that hold one tone each: the babble of a row holds all tones but its own."""
    time = torch.arange(SAMPLE_RATE) / SAMPLE_RATE
    tones = torch.stack([torch.sin(2 * torch.pi * hertz * time) for hertz in (500, 1000, 2000)])
    heard = torch.zeros(SAMPLE_RATE // 2 + 1)
    for seed in range(5):
        seed_everything(seed)
        voices = babble(1, tones, torch.full((3,), SAMPLE_RATE))
        heard = heard + torch.fft.rfft(voices).abs()
    assert heard[500] > 100 * heard[1000]
    assert heard[2000] > 100 * heard[1000]


def test_short_voices_fill_a_long_row() -> None:
    seed_everything(0)
    samples = torch.zeros(2, 10_000)
    samples[0] = 1.0
    samples[1, :7] = 0.5
    voices = babble(0, samples, torch.tensor([10_000, 7]))
    torch.testing.assert_close(voices, torch.full((10_000,), 6.0))  # six voices, equally loud


@pytest.mark.parametrize("kind", ["white", "pink", "babble"])
def test_each_kind_is_as_loud_as_its_ratio_says(kind: str) -> None:
    samples, lens = batch()
    seed_everything(0)
    added = Noise(config(kind))(samples, lens) - samples
    for row, length in enumerate(lens.tolist()):
        ratio = 20 * torch.log10(rms(samples[row, :length]) / rms(added[row, :length]))
        assert float(ratio) == pytest.approx(10.0, abs=0.05)


def test_rows_draw_their_kind() -> None:
    """Fifty rows in which white, pink and babble all occur: told by their low frequencies."""
    samples = torch.sin(torch.arange(SAMPLE_RATE) * 0.5).repeat(50, 1)
    seed_everything(0)
    added = Noise(config("white", "pink"))(samples, torch.full((50,), SAMPLE_RATE)) - samples
    power = torch.fft.rfft(added).abs().square()
    low = power[:, :400].sum(dim=1) / power.sum(dim=1)
    assert 10 < int((low > 0.3).sum()) < 40
    assert int((low < 0.1).sum()) + int((low > 0.3).sum()) == 50


@pytest.mark.parametrize("rows", [1, 3])
def test_no_others_no_babble(rows: int) -> None:
    """Alone, or among the silent, a row gets white noise, and silent rows stay finite."""
    samples = torch.zeros(rows, 1_600)
    samples[0] = torch.sin(torch.arange(1_600) * 0.1)
    seed_everything(0)
    noisy = Noise(config("babble"))(samples, torch.full((rows,), 1_600))
    assert noisy.isfinite().all()
    assert not torch.equal(noisy[0], samples[0])
