import torch

from auricle.config import SAMPLE_RATE
from auricle.training.augmentation import seed_everything
from auricle.training.augmentation.clipping import Clipping
from auricle.training.config import AugmentationConfig


def test_peaks_are_cut_by_so_many_decibels_and_nothing_else_changes() -> None:
    samples = torch.sin(torch.arange(SAMPLE_RATE) * 0.1).repeat(64, 1)
    config = AugmentationConfig(clipping_probability=0.5, clipping_db=12.0)
    seed_everything(0)
    clipped = Clipping(config)(samples, torch.full((64,), SAMPLE_RATE))
    peaks = clipped.abs().amax(dim=1)
    cut = -20 * torch.log10(peaks / samples.abs().amax())
    assert 16 < int((cut > 0.01).sum()) < 48  # half of the rows
    assert 9.0 < float(cut.max()) <= 12.001
    below = samples.abs() < peaks[:, None]
    assert torch.equal(clipped[below], samples[below])
    assert torch.equal(clipped.abs()[~below], peaks[:, None].expand_as(clipped)[~below])


def test_silence_stays_silence() -> None:
    clipping = Clipping(AugmentationConfig(clipping_probability=1.0))
    assert not clipping(torch.zeros(2, 9), torch.tensor([9, 3])).any()


def test_what_stands_behind_a_row_s_end_has_no_say() -> None:
    clipping = Clipping(AugmentationConfig(clipping_probability=1.0))
    samples, lens = torch.rand(2, 900), torch.tensor([900, 500])
    louder = samples.clone()
    louder[1, 500:] = 50.0
    seed_everything(0)
    clipped = clipping(samples, lens)
    seed_everything(0)
    assert torch.equal(clipping(louder, lens)[1, :500], clipped[1, :500])
