import pytest
import torch

from auricle.config import SAMPLE_RATE
from auricle.training.augmentation import seed_everything
from auricle.training.augmentation.noise import rms
from auricle.training.augmentation.silence import background, wordless


def test_the_background_is_as_faint_as_the_recording_s() -> None:
    seed_everything(0)
    recording = 0.001 * torch.randn(2 * SAMPLE_RATE)
    recording[SAMPLE_RATE // 2 :] += 0.3 * torch.sin(torch.arange(1.5 * SAMPLE_RATE))
    assert float(rms(background(SAMPLE_RATE, recording))) == pytest.approx(0.001, rel=0.2)
    assert not background(100, torch.zeros(5_000)).any()
    assert not background(100, torch.ones(100)).any()  # too short to tell


def test_clips_without_words_are_noise_of_any_level_or_nothing() -> None:
    seed_everything(0)
    clips = [wordless(4_001) for _ in range(200)]
    assert {len(clip) for clip in clips} == {4_001}
    levels = [float(20 * rms(clip).log10()) for clip in clips if clip.any()]
    assert 30 < 200 - len(levels) < 70
    assert min(levels) > -80.1
    assert max(levels) < -19.9
    assert max(levels) - min(levels) > 50
    bright = [torch.fft.rfft(clip).abs()[100:200].mean() for clip in clips if clip.any()]
    dull = [torch.fft.rfft(clip).abs()[1000:2000].mean() for clip in clips if clip.any()]
    ratios = torch.tensor(bright) / torch.tensor(dull)
    assert 40 < int((ratios > 2).sum()) < 110  # pink; the others are white
