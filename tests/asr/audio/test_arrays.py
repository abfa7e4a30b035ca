"""What programs hold: open files, arrays, tensors, and samples with their rate."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from auricle.audio import AudioLimits, load_audio
from auricle_types.errors import (
    AudioError,
    AudioTooLongError,
    EmptyAudioError,
    InvalidSampleRateError,
    InvalidSamplesError,
)
from tests.asr.audio_files import chirp, encoded, mono16k

RATE = 16_000
SOUND = mono16k(chirp(), 48_000)


@pytest.mark.parametrize(
    "source",
    [
        SOUND,
        torch.from_numpy(SOUND),
        torch.from_numpy(SOUND).requires_grad_(),
        (SOUND, RATE),
        (SOUND, np.int64(RATE)),
        (torch.from_numpy(SOUND)[None], RATE),  # torchaudio.load
        (SOUND.astype(np.float64), RATE),  # soundfile.read
        (np.stack([SOUND, SOUND], axis=1), RATE),
    ],
    ids=["array", "tensor", "gradient", "rate", "numpy rate", "torchaudio", "soundfile", "stereo"],
)
def test_samples_are_what_they_are(source: object) -> None:
    np.testing.assert_allclose(load_audio(source).samples, SOUND, atol=1e-6)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_integers_are_scaled(dtype: type[np.integer]) -> None:
    most = np.iinfo(dtype).max
    samples = (SOUND * most).astype(dtype)
    np.testing.assert_allclose(load_audio((samples, RATE)).samples, SOUND, atol=1e-4)


def test_another_rate_is_resampled_as_a_files_is() -> None:
    at_48k = chirp()
    stereo = at_48k if at_48k.ndim == 2 else at_48k[:, None]
    np.testing.assert_allclose(load_audio((stereo, 48_000)).samples, SOUND, atol=1e-6)
    np.testing.assert_allclose(load_audio((stereo.T, 48_000)).samples, SOUND, atol=1e-6)


def test_a_buffer_of_bytes_is_a_file() -> None:
    data = encoded("pcm16.wav")
    expected = load_audio(data).samples
    for source in (bytearray(data), memoryview(data), io.BytesIO(data)):
        assert np.array_equal(load_audio(source).samples, expected)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (None, AudioError, "NoneType is not audio: give a path, bytes"),
        (3, AudioError, "int is not audio"),
        ({"array": SOUND}, AudioError, "dict is not audio"),
        (("a", 16_000), AudioError, "tuple is not audio"),
        (io.StringIO("RIFF"), AudioError, "open it in mode 'rb'"),
        ((SOUND, 16e3), InvalidSampleRateError, "whole number of Hz, not 16000.0"),
        ((SOUND, True), InvalidSampleRateError, "whole number"),
        ((SOUND, 0), InvalidSampleRateError, "0 Hz"),
        ((SOUND[:0], RATE), EmptyAudioError, "no samples"),
        ((SOUND > 0, RATE), AudioError, "not bool"),
        ((SOUND[None, None], RATE), AudioError, "one or two dimensions, not 3"),
        ((SOUND * 1e9, RATE), InvalidSamplesError, "between -1 and 1"),
        ((SOUND * np.nan, RATE), InvalidSamplesError, "NaN"),
    ],
    ids=lambda value: "" if not isinstance(value, str) else value[:20],
)
def test_what_is_no_audio_is_told(source: object, error: type[AudioError], message: str) -> None:
    with pytest.raises(error, match=message):
        load_audio(source)  # type: ignore[arg-type]


def test_limits_hold_for_samples_too() -> None:
    with pytest.raises(AudioTooLongError):
        load_audio((SOUND, RATE), limits=AudioLimits(max_seconds=0.5))


def test_a_file_stays_open(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(encoded("pcm16.wav"))
    with path.open("rb") as file:
        load_audio(file)
        assert not file.closed
