"""Features against librosa, against numpy at the edges, in a batch, and in pieces."""

import librosa
import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from auricle.config import SAMPLE_RATE, FeatureConfig
from auricle.features import LogMel, mel_filters
from tests.asr.tiny import padded, sound, sounds

CONFIG = FeatureConfig()
LENGTHS = [1, 2, 159, 160, 161, 199, 200, 201, 399, 400, 401, 1_600, 16_001]


@pytest.fixture(scope="module")
def log_mel() -> LogMel:
    return LogMel(CONFIG)


def alone(log_mel: LogMel, samples: npt.NDArray[np.float32]) -> Tensor:
    x, x_lens = log_mel(torch.from_numpy(samples)[None], torch.tensor([len(samples)]))
    assert x.shape[1] == int(x_lens[0])
    row: Tensor = x[0]
    return row


def energies(x: Tensor) -> npt.NDArray[np.float64]:
    """The mel energies behind features."""
    return np.asarray(10.0 ** (x.double().numpy() * CONFIG.std + CONFIG.mean))


def naive(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Features by their definition, frame by frame in float64."""
    wave, half = samples.astype(np.float64), CONFIG.n_fft // 2
    frames = -(-len(wave) // CONFIG.hop_length)
    wave = np.pad(wave, (0, frames * CONFIG.hop_length + CONFIG.n_fft - len(wave)))
    wave = np.concatenate([wave[half:0:-1], wave])  # the start reflected, without its first sample
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(CONFIG.n_fft) / CONFIG.n_fft)
    rows = []
    for frame in range(frames):
        begin = frame * CONFIG.hop_length
        spectrum = np.fft.rfft(wave[begin : begin + CONFIG.n_fft] * window)
        rows.append(mel_filters(CONFIG).double().numpy() @ (np.abs(spectrum) ** 2))
    log = np.log10(np.maximum(np.stack(rows), CONFIG.floor))
    return np.asarray((log - CONFIG.mean) / CONFIG.std)


def test_filters_are_librosas() -> None:
    reference = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=400, n_mels=80, norm="slaney", htk=False)
    assert mel_filters(CONFIG).shape == (80, 201)
    np.testing.assert_allclose(mel_filters(CONFIG), reference, rtol=1e-6, atol=1e-12)


def test_interior_frames_are_librosas(log_mel: LogMel) -> None:
    samples = sound(3, 1.0)
    reference = librosa.feature.melspectrogram(
        y=samples, sr=SAMPLE_RATE, n_fft=400, hop_length=160, n_mels=80, center=True
    )  # (n_mels, T)
    found = energies(alone(log_mel, samples))
    interior = slice(2, -2)  # the others reach beyond an edge
    np.testing.assert_allclose(found[interior], reference.T[interior.start : 98], rtol=1e-3)


@pytest.mark.parametrize("length", LENGTHS)
def test_every_frame_is_the_naive_one(log_mel: LogMel, length: int) -> None:
    samples = sound(4, 1.1)[:length]
    np.testing.assert_allclose(alone(log_mel, samples).numpy(), naive(samples), atol=1e-3)


@pytest.mark.parametrize("length", LENGTHS)
def test_one_frame_a_hop_and_the_last_one_padded(log_mel: LogMel, length: int) -> None:
    assert alone(log_mel, sound(0, 1.1)[:length]).shape == (CONFIG.x_len(length), 80)
    assert CONFIG.x_len(length) == -(-length // 160)


def test_other_sizes_follow_from_the_config() -> None:
    config = FeatureConfig(n_mels=40, n_fft=512, hop_length=200)
    x, x_lens = LogMel(config)(torch.from_numpy(sound(1))[None], torch.tensor([SAMPLE_RATE]))
    assert x.shape == (1, 80, 40)
    assert x_lens.tolist() == [80]
    assert config.frames_per_second == 80.0


def test_silence_is_the_floor(log_mel: LogMel) -> None:
    x = alone(log_mel, np.zeros(1_600, np.float32))
    assert torch.equal(x, torch.full_like(x, (-10.0 - CONFIG.mean) / CONFIG.std))


@pytest.mark.parametrize("garbage", [0.0, 1e9, float("inf"), float("nan")])
def test_a_batch_is_its_rows_alone(log_mel: LogMel, garbage: float) -> None:
    x, x_lens = log_mel(*padded([torch.from_numpy(s) for s in sounds()], garbage))
    for row, length, samples in zip(x, x_lens.tolist(), sounds(), strict=True):
        torch.testing.assert_close(row[:length], alone(log_mel, samples), atol=1e-5, rtol=0)
        assert not row[length:].any()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_the_cpus_features(log_mel: LogMel) -> None:
    device = LogMel(CONFIG).to("cuda")
    samples, lens = padded([torch.from_numpy(s) for s in sounds()], float("nan"))
    x, x_lens = device(samples.cuda(), lens.cuda())
    expected, expected_lens = log_mel(samples, lens)
    torch.testing.assert_close(x.cpu(), expected, atol=1e-3, rtol=0)
    assert torch.equal(x_lens.cpu(), expected_lens)
