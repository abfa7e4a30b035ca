"""Whole audio: every format, headerless PCM, truncated files, arrays."""

import io
import re
from pathlib import Path

import numpy as np
import pytest

from auricle.audio import Audio, AudioLimits, PcmFormat, load_audio, validate_samples
from auricle_types.errors import (
    AudioError,
    AudioTooLargeError,
    AudioTooLongError,
    EmptyAudioError,
    InvalidOptionError,
    InvalidSampleRateError,
    InvalidSamplesError,
    UnsupportedAudioError,
)
from tests.asr.audio_files import (
    ALL_FORMATS,
    EXACT_FORMATS,
    chirp,
    encoded,
    mono16k,
    patched,
    write,
)

RATE_OFFSET, DATA_SIZE_OFFSET = 24, 40  # in the 44-byte header of a plain PCM WAV


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    size = min(len(a), len(b))
    return float(np.corrcoef(a[:size], b[:size])[0, 1])


# --- formats -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL_FORMATS)
def test_reads_every_format_from_bytes(name: str) -> None:
    audio = load_audio(encoded(name))
    assert audio.samples.dtype == np.float32
    assert audio.samples.ndim == 1
    assert audio.warnings == ()
    assert audio.duration == pytest.approx(1.0, abs=0.06)  # codecs pad by up to a frame or two
    delay = int(np.correlate(audio.samples, reference(), "full").argmax()) - (len(reference()) - 1)
    assert 0 <= delay <= 400  # AAC writers put a frame in front
    assert correlation(audio.samples[delay:], reference()) > 0.98


def reference() -> np.ndarray:
    return mono16k(chirp(), 48_000)


@pytest.mark.parametrize("name", EXACT_FORMATS)
def test_lossless_formats_keep_every_sample(name: str) -> None:
    audio = load_audio(encoded(name))
    np.testing.assert_allclose(audio.samples, reference(), atol=4e-5)  # a 16-bit step


@pytest.mark.parametrize("name", ["pcm16.wav", "pcm16.flac", "lame.mp3", "index_last.m4a"])
def test_path_bytes_and_file_are_the_same(name: str, tmp_path: Path) -> None:
    data = encoded(name)
    path = tmp_path / "speech.raw"  # the name says nothing
    path.write_bytes(data)
    expected = load_audio(data).samples
    for source in (path, str(path), io.BytesIO(data), bytearray(data)):
        np.testing.assert_array_equal(load_audio(source).samples, expected)  # type: ignore[arg-type]
    with path.open("rb") as file:
        np.testing.assert_array_equal(load_audio(file).samples, expected)
        assert not file.closed


@pytest.mark.parametrize("rate", [1_000, 8_000, 11_025, 16_000, 22_050, 44_100, 96_000, 192_000])
def test_any_rate_is_resampled_as_soxr_does_it_whole(rate: int) -> None:
    sound = chirp(0.5, rate, 1)
    audio = load_audio(write(sound, rate, subtype="FLOAT"))
    np.testing.assert_array_equal(audio.samples, mono16k(sound, rate))
    assert audio.duration == pytest.approx(0.5, abs=1e-3)


def test_channels_are_averaged() -> None:
    sound = np.stack([np.full(160, 0.5), np.full(160, -0.25)], axis=1).astype(np.float32)
    audio = load_audio(write(sound, 16_000, subtype="FLOAT"))
    np.testing.assert_array_equal(audio.samples, np.full(160, 0.125, np.float32))


def test_192_khz_in_8_channels() -> None:
    sound = chirp(1.0, 192_000, 8)
    audio = load_audio(write(sound, 192_000, subtype="PCM_24"))
    np.testing.assert_allclose(audio.samples, mono16k(sound, 192_000), atol=1e-6)


def test_one_sample() -> None:
    audio = load_audio(write(np.full((1, 1), 0.5, np.float32), 16_000))
    assert audio.samples.tolist() == [0.5]


def test_silence_is_audio() -> None:
    assert not load_audio(write(np.zeros((1600, 1), np.float32), 16_000)).samples.any()


# --- headerless PCM ----------------------------------------------------------------------------

INTEGERS = np.array([0, 1, -1, 100, -100], np.int64)


@pytest.mark.parametrize(
    ("encoding", "dtype", "scale"),
    [
        ("s8", "i1", 2**7),
        ("s16le", "<i2", 2**15),
        ("s16be", ">i2", 2**15),
        ("s32le", "<i4", 2**31),
        ("f32le", "<f4", 1),
        ("f64le", "<f8", 1),
    ],
)
def test_pcm_encodings_of_numpy(encoding: str, dtype: str, scale: int) -> None:
    pcm = PcmFormat(16_000, encoding=encoding)  # type: ignore[arg-type]
    audio = load_audio(INTEGERS.astype(dtype).tobytes(), pcm=pcm)
    np.testing.assert_array_equal(audio.samples, (INTEGERS / scale).astype(np.float32))


def test_pcm_encodings_that_numpy_lacks() -> None:
    u8 = load_audio(bytes([128, 129, 0]), pcm=PcmFormat(16_000, encoding="u8"))
    assert u8.samples.tolist() == [0, 1 / 128, -1]
    s24 = load_audio(bytes([0, 0, 0x40, 0, 0, 0xC0]), pcm=PcmFormat(16_000, encoding="s24le"))
    assert s24.samples.tolist() == [0.5, -0.5]
    # ITU-T G.711: the codes of the smallest and of the largest magnitudes
    mulaw = load_audio(bytes([0xFF, 0x80, 0x00]), pcm=PcmFormat(16_000, encoding="mulaw"))
    assert mulaw.samples.tolist() == [0, 32124 / 32768, -32124 / 32768]
    alaw = load_audio(bytes([0xD5, 0xAA, 0x2A]), pcm=PcmFormat(16_000, encoding="alaw"))
    assert alaw.samples.tolist() == [8 / 32768, 32256 / 32768, -32256 / 32768]


def test_pcm_channels_are_interleaved() -> None:
    frames = np.array([[1000, 3000], [-2000, 0]], "<i2")
    audio = load_audio(frames.tobytes(), pcm=PcmFormat(16_000, channels=2))
    assert audio.samples.tolist() == [2000 / 32768, -1000 / 32768]


@pytest.mark.parametrize("name", ["pcm16.wav", "pcm16.flac", "opus.ogg", "opus.webm"])
def test_a_header_wins_over_the_declared_format(name: str) -> None:
    declared = PcmFormat(8_000, channels=1, encoding="mulaw")
    audio = load_audio(encoded(name), pcm=declared)
    np.testing.assert_array_equal(audio.samples, load_audio(encoded(name)).samples)


def test_pcm_that_looks_like_mp3_is_still_pcm() -> None:
    samples = np.frombuffer(b"\xff\xfb\x90\x00" * 100, "<i2")
    audio = load_audio(samples.tobytes(), pcm=PcmFormat(16_000))
    np.testing.assert_array_equal(audio.samples, samples.astype(np.float32) / 2**15)


def test_pcm_with_half_a_sample_at_the_end() -> None:
    audio = load_audio(b"\x00\x40" * 50 + b"\x00", pcm=PcmFormat(16_000))
    assert audio.samples.tolist() == [0.5] * 50


@pytest.mark.parametrize("rate", [-1, 0, 999, 768_001, 10**12])
def test_impossible_pcm_rates(rate: int) -> None:
    with pytest.raises(InvalidSampleRateError, match=f"{rate} Hz is impossible"):
        load_audio(bytes(100), pcm=PcmFormat(rate))


def test_pcm_format_is_checked() -> None:
    with pytest.raises(InvalidOptionError, match=r"encoding must be u8, s8, s16le.* not 's17le'"):
        PcmFormat(16_000, encoding="s17le")  # type: ignore[arg-type]
    with pytest.raises(InvalidOptionError, match="channels"):
        PcmFormat(16_000, channels=0)
    with pytest.raises(AudioTooLargeError, match="1000 channels"):
        load_audio(bytes(100), pcm=PcmFormat(16_000, channels=1000))


@pytest.mark.parametrize(
    ("encoding", "size"), [("u8", 1), ("s16le", 2), ("s24le", 3), ("f64le", 8), ("mulaw", 1)]
)
def test_frame_bytes(encoding: str, size: int) -> None:
    assert PcmFormat(8_000, 3, encoding).frame_bytes == 3 * size  # type: ignore[arg-type]


# --- truncated ---------------------------------------------------------------------------------

DECLARES_LENGTH = [
    "pcm16.wav", "float32.wav", "alaw.wav", "rf64.wav", "pcm16.aiff", "pcm16.au", "pcm16.flac",
    "pcm24.flac", "xing.mp3", "lame.mp3", "index_first.m4a", "fragmented.mp4", "opus.webm",
]  # fmt: skip


@pytest.mark.parametrize("name", DECLARES_LENGTH)
def test_of_a_truncated_file_comes_the_good_part(name: str) -> None:
    data = encoded(name, 3.0)
    whole, part = load_audio(data), load_audio(data[: len(data) * 6 // 10])
    assert 0.4 * whole.duration < part.duration < 0.7 * whole.duration
    np.testing.assert_allclose(  # but for the resampler's last moments
        part.samples[:-200], whole.samples[: len(part.samples) - 200], atol=1e-3
    )
    (warning,) = part.warnings
    assert re.match(r"audio is truncated: only [12]\.\d\d s of its 3\.0\d s", warning)


@pytest.mark.parametrize("name", ["vorbis.ogg", "opus.ogg", "adts.aac"])
def test_formats_without_a_length_give_their_good_part_too(name: str) -> None:
    data = encoded(name, 3.0)
    assert 0.5 < load_audio(data[: len(data) * 8 // 10]).duration < 2.9


def test_m4a_without_its_index_cannot_be_read() -> None:
    data = encoded("index_last.m4a")
    with pytest.raises(UnsupportedAudioError, match=r"M4A or MP4.*damaged or truncated"):
        load_audio(data[: len(data) // 2])


def test_damage_in_the_middle_costs_only_the_middle() -> None:
    data = bytearray(encoded("pcm16.flac", 3.0))
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    audio = load_audio(bytes(data))
    assert 2.5 < audio.duration < 3.0
    assert audio.warnings


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF, 0x7FFF_FFFF])
def test_wav_of_unknown_length(size: int) -> None:
    data = patched(encoded("pcm16.wav"), DATA_SIZE_OFFSET, "<I", size)
    audio = load_audio(data)
    np.testing.assert_array_equal(audio.samples, load_audio(encoded("pcm16.wav")).samples)
    assert audio.warnings == ()


# --- arrays ------------------------------------------------------------------------------------


def test_arrays_pass_unchanged() -> None:
    samples = np.linspace(-1, 1, 100, dtype=np.float32)
    assert load_audio(samples).samples is samples


def test_int16_arrays_are_scaled() -> None:
    samples = validate_samples(np.array([-32768, 0, 16384], np.int16))
    assert samples.dtype == np.float32
    assert samples.tolist() == [-1.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("samples", "error"),
    [
        (np.zeros((2, 10), np.float32), AudioError),
        (np.zeros(10), AudioError),
        (np.zeros(10, np.int32), AudioError),
        (np.zeros(0, np.float32), EmptyAudioError),
        (np.array([0, np.nan], np.float32), InvalidSamplesError),
        (np.zeros(16_001, np.float32), AudioTooLongError),
    ],
)
def test_arrays_are_checked(samples: np.ndarray, error: type[AudioError]) -> None:
    with pytest.raises(error):
        load_audio(samples, limits=AudioLimits(max_seconds=1))


def test_duration() -> None:
    assert Audio(np.zeros(8_000, np.float32)).duration == 0.5
