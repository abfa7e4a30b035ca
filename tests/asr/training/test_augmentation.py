"""What augmentation changes, and what it leaves alone."""

import torch

from auricle.config import SAMPLE_RATE
from auricle.training.augmentation import SpecAugment, WaveformAugmentation, seed_everything
from auricle.training.config import AugmentationConfig
from tests.asr.tiny import padded, sounds
from tests.asr.training.runs import PLAIN

CONFIG = AugmentationConfig()


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    return padded([torch.from_numpy(samples) for samples in sounds()])


def test_a_seed_decides_everything() -> None:
    augment, spec_augment = WaveformAugmentation(CONFIG), SpecAugment(CONFIG, 80)
    x = torch.randn(3, 200, 80, generator=torch.manual_seed(0))
    results = []
    for seed in (7, 7, 8):
        seed_everything(1, 0, seed)
        results.append((*augment(*batch()), spec_augment(x)))
    same = [torch.equal(a, b) for a, b in zip(results[0], results[1], strict=True)]
    assert same == [True, True, True]
    assert not torch.equal(results[0][2], results[2][2])


def test_without_augmentation_nothing_changes() -> None:
    samples, lens = batch()
    augmented, augmented_lens = WaveformAugmentation(PLAIN)(samples, lens)
    torch.testing.assert_close(augmented, samples, atol=1e-3, rtol=0)  # noise at 100 dB
    assert torch.equal(augmented_lens, lens)
    x = torch.randn(2, 50, 80)
    assert torch.equal(SpecAugment(PLAIN, 80)(x), x)


def test_speed_changes_lengths_with_the_samples() -> None:
    samples, lens = batch()
    seen = set()
    for seed in range(12):
        seed_everything(seed)
        augmented, augmented_lens = WaveformAugmentation(CONFIG)(samples, lens)
        ratio = round(float(augmented_lens[0] / lens[0]), 2)
        seen.add(ratio)
        assert augmented.shape[1] == int(augmented_lens.max())
        assert augmented_lens.dtype == torch.long
        torch.testing.assert_close(augmented_lens.float(), lens * ratio, rtol=0.01, atol=2)
    assert seen == {1.11, 1.0, 0.91}


def test_gain_stays_within_its_bounds() -> None:
    config = AugmentationConfig(speeds=(1.0,), gain_db=6.0, noise_probability=0.0)
    samples = torch.full((64, SAMPLE_RATE), 0.1)
    seed_everything(0)
    augmented, _ = WaveformAugmentation(config)(samples, torch.full((64,), SAMPLE_RATE))
    gains = 20 * torch.log10(augmented.mean(dim=1) / 0.1)
    assert gains.abs().max() < 6.1
    assert gains.std() > 2.0  # each row its own


def test_noise_is_as_loud_as_its_ratio_says() -> None:
    config = AugmentationConfig(
        speeds=(1.0,), gain_db=0.0, noise_probability=1.0, noise_snr_db=(20.0, 20.0)
    )
    samples = torch.sin(torch.arange(4 * SAMPLE_RATE) * 0.1)[None]
    seed_everything(0)
    augmented, _ = WaveformAugmentation(config)(samples, torch.tensor([4 * SAMPLE_RATE]))
    noise = augmented - samples
    ratio = 10 * torch.log10(samples.square().mean() / noise.square().mean())
    torch.testing.assert_close(ratio, torch.tensor(20.0), atol=0.2, rtol=0)


def test_silence_stays_finite() -> None:
    seed_everything(0)
    config = AugmentationConfig(noise_probability=1.0)
    augmented, _ = WaveformAugmentation(config)(torch.zeros(2, 1_600), torch.tensor([1_600, 800]))
    assert torch.isfinite(augmented).all()


def test_masks_are_bands_of_zeros_and_change_nothing_else() -> None:
    x = torch.rand(8, 400, 80) + 1
    seed_everything(0)
    masked = SpecAugment(CONFIG, 80)(x)
    assert masked.shape == x.shape
    assert torch.equal(masked[masked != 0], x[masked != 0])
    bins, frames = (masked == 0).all(dim=1), (masked == 0).all(dim=2)  # (B, n_mels), (B, T)
    assert torch.equal(masked == 0, bins[:, None] | frames[..., None])
    assert bins.any()
    assert frames.any()
    assert bins.sum(dim=1).max() <= CONFIG.frequency_masks * CONFIG.frequency_width
    assert frames.sum(dim=1).max() <= CONFIG.time_masks * CONFIG.time_share * 400
    assert len({tuple(row.tolist()) for row in frames}) > 4  # each row its own


def test_a_single_frame_survives_masking() -> None:
    seed_everything(0)
    assert SpecAugment(CONFIG, 80)(torch.ones(2, 1, 80)).shape == (2, 1, 80)
