"""Telephones and codecs: what they take away, and that words stay where they were."""

import numpy as np
import pytest
import torch
from torch import Tensor

from auricle.config import SAMPLE_RATE
from auricle.training.augmentation import seed_everything
from auricle.training.augmentation.channel import Channel, narrow, widen
from auricle.training.augmentation.codecs import Floats, mu_law, opus
from auricle.training.config import AugmentationConfig

WAYS = {
    "telephone": AugmentationConfig(telephone_probability=1.0),
    "mu_law": AugmentationConfig(mu_law_probability=1.0),
    "opus": AugmentationConfig(opus_probability=1.0),
}


def chirps(samples: int = 2 * SAMPLE_RATE) -> Tensor:
    """A rising tone within the telephone's band, switched on and off three times a second."""
    time = torch.arange(samples) / SAMPLE_RATE
    tone = torch.sin(2 * torch.pi * (400 * time + 400 * time**2))
    return 0.3 * tone * (torch.sin(2 * torch.pi * 3 * time) > 0)


def lag(before: Tensor, after: Tensor) -> int:
    """Samples by which `after` is late, by the peak of their cross-correlation."""
    size = 2 * len(before)
    product = torch.fft.rfft(after, size) * torch.fft.rfft(before, size).conj()
    peak = int(torch.fft.irfft(product, size).argmax())
    return peak if peak < len(before) else peak - size


def gain(hertz: float) -> float:
    """Of the telephone band at a frequency, in dB; the edges of the signal are left out."""
    tone = 0.1 * torch.sin(2 * torch.pi * hertz * torch.arange(SAMPLE_RATE) / SAMPLE_RATE)
    heard = widen(narrow(tone), len(tone))
    middle = slice(SAMPLE_RATE // 4, -SAMPLE_RATE // 4)
    return float(20 * torch.log10(heard[middle].norm() / tone[middle].norm()))


def test_a_telephone_has_its_band() -> None:
    assert gain(300) == pytest.approx(-3.0, abs=0.5)
    for hertz in (700, 1000, 2000, 3000):
        assert gain(hertz) == pytest.approx(0.0, abs=0.5)
    assert gain(60) < -25
    for hertz in (3900, 5000, 7000):
        assert gain(hertz) < -30


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("samples", [SAMPLE_RATE * 2, 20_011])
def test_words_stay_in_place(way: str, samples: int) -> None:
    """Same length, no delay beyond 1 ms, the same words, another sound."""
    before = torch.stack([chirps(samples)] * 2)
    lens = torch.tensor([samples, samples - 5_001])
    seed_everything(0)
    after = Channel(WAYS[way])(before, lens)
    assert after.shape == before.shape
    assert after.isfinite().all()
    assert abs(lag(before[0], after[0])) <= 16
    assert torch.equal(after[1, samples - 5_001 :], before[1, samples - 5_001 :])
    assert not torch.equal(after[0], before[0])
    assert float(after[0].norm() / before[0].norm()) == pytest.approx(1.0, abs=0.15)
    similarity = torch.nn.functional.cosine_similarity(before[0], after[0], dim=0)
    assert float(similarity) > 0.7


@pytest.mark.parametrize("samples", [1, 2, 159, 1_000])
@pytest.mark.parametrize("way", WAYS)
def test_the_shortest_sounds_keep_their_length(way: str, samples: int) -> None:
    seed_everything(0)
    after = Channel(WAYS[way])(torch.full((1, samples), 0.1), torch.tensor([samples]))
    assert after.shape == (1, samples)
    assert after.isfinite().all()


def test_mu_law_is_coarse_in_proportion() -> None:
    """G.711 keeps about 38 dB, however loud (ITU-T G.711, 8 bits, mu = 255)."""
    for level in (0.5, 0.1, 0.02):
        tone = (level * np.sin(np.arange(8_000) * 0.37)).astype(np.float32)
        error = mu_law(tone, 8_000) - tone
        ratio = 20 * np.log10(np.linalg.norm(tone) / np.linalg.norm(error))
        assert 33 < ratio < 42
        assert len(set(np.round(mu_law(tone, 8_000), 6))) <= 256


def test_what_exceeds_full_scale_is_clipped() -> None:
    loud = np.full(800, 3.0, np.float32)
    assert np.abs(mu_law(loud, 8_000)).max() <= 1.0


def test_opus_at_a_low_rate_has_no_treble_and_is_always_alike() -> None:
    seed_everything(0)
    noise: Floats = (0.1 * torch.randn(2 * SAMPLE_RATE)).numpy()

    def treble(samples: Floats) -> float:
        """Energy from 5 to 7 kHz, in dB of the noise's."""
        bands = [np.linalg.norm(np.fft.rfft(each)[10_000:14_000]) for each in (samples, noise)]
        return float(20 * np.log10(bands[0] / bands[1]))

    assert treble(opus(noise, 6_000)) < -30
    assert treble(opus(noise, 32_000)) > -6
    np.testing.assert_array_equal(opus(noise, 8_000), opus(noise, 8_000))


def test_a_row_goes_through_one_of_them() -> None:
    rows = torch.stack([chirps(8_000)] * 60)
    config = AugmentationConfig(
        telephone_probability=0.3, mu_law_probability=0.3, opus_probability=0.2
    )
    seed_everything(0)
    after = Channel(config)(rows, torch.full((60,), 8_000))
    telephone = widen(narrow(rows[0]), 8_000)
    mu = widen(torch.from_numpy(mu_law(narrow(rows[0]).numpy(), 8_000)), 8_000)
    counts = [sum(torch.equal(row, each) for row in after) for each in (rows[0], telephone, mu)]
    assert 4 <= counts[0] <= 22
    assert 8 <= counts[1] <= 30
    assert 8 <= counts[2] <= 30
    assert 4 <= 60 - sum(counts) <= 22  # Opus, each at its own rate
