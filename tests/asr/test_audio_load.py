"""Whole audio: every format, headerless PCM, damage, limits."""

import io
import re
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from auricle.audio import Audio, AudioLimits, PcmFormat, load_audio, validate_samples
from auricle.audio.converter import Converter
from auricle.audio.decoders import AvDecoder, Block
from auricle.errors import (
    AudioError,
    AudioNotFoundError,
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
    with pytest.raises(InvalidOptionError, match="'s17le' is unknown; known: u8, s8, s16le"):
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


# --- what is no audio --------------------------------------------------------------------------


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(AudioNotFoundError, match=r"no audio file at .*nothing\.wav"):
        load_audio(tmp_path / "nothing.wav")


def test_folder(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="is a folder"):
        load_audio(tmp_path)


def test_path_with_a_null_character() -> None:
    with pytest.raises(AudioError, match="cannot open"):
        load_audio("speech\0.wav")


def test_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.wav"
    path.touch()
    with pytest.raises(EmptyAudioError, match="0 bytes"):
        load_audio(path)
    with pytest.raises(EmptyAudioError):
        load_audio(b"", pcm=PcmFormat(16_000))


@pytest.mark.parametrize("container", ["WAV", "AIFF", "AU"])
def test_zero_samples(container: str) -> None:
    with pytest.raises(EmptyAudioError, match="no samples"):
        load_audio(write(np.zeros((0, 1), np.float32), 16_000, container))


def test_less_than_a_sample_at_16_khz() -> None:
    with pytest.raises(EmptyAudioError, match="too short"):
        load_audio(write(np.zeros((1, 1), np.float32), 192_000))


def test_text_named_wav(tmp_path: Path) -> None:
    path = tmp_path / "notes.wav"
    path.write_text("Hello, this is a letter.")
    with pytest.raises(UnsupportedAudioError, match=r"begins with b'Hello, this .*Send WAV"):
        load_audio(path)


@pytest.mark.parametrize("magic", [b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS", b"ID3", b"caff"])
def test_a_magic_number_alone_is_no_audio(magic: bytes) -> None:
    with pytest.raises(AudioError):
        load_audio(magic)
    with pytest.raises(AudioError):
        load_audio(magic + bytes(5000))


def test_playlists_are_never_opened() -> None:
    with pytest.raises(UnsupportedAudioError):
        load_audio(b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n")


@pytest.mark.parametrize("rate", [0, 1, 999, 2**31 - 1, 4_000_000_000])
def test_impossible_rate_in_a_header(rate: int) -> None:
    with pytest.raises(InvalidSampleRateError, match=f"{rate} Hz is impossible"):
        load_audio(patched(encoded("pcm16.wav"), RATE_OFFSET, "<I", rate))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_samples_that_are_no_numbers(value: float, subtype: str) -> None:
    sound = chirp(0.1)
    sound[1000, 1] = value
    with pytest.raises(InvalidSamplesError, match="NaN or infinite"):
        load_audio(write(sound, 48_000, subtype=subtype))
    with pytest.raises(InvalidSamplesError):
        load_audio(sound.tobytes(), pcm=PcmFormat(48_000, 2, "f32le"))


def test_a_double_beyond_float32_is_refused() -> None:
    with pytest.raises(InvalidSamplesError):
        load_audio(np.array([1e300]).tobytes(), pcm=PcmFormat(16_000, encoding="f64le"))


# --- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pcm16.wav", "pcm16.flac", "opus.ogg", "lame.mp3", "opus.webm"])
def test_too_long(name: str) -> None:
    with pytest.raises(AudioTooLongError, match=r"longer than 0\.5 s"):
        load_audio(encoded(name), limits=AudioLimits(max_seconds=0.5))


def test_a_length_that_is_only_declared_is_too_long_as_well() -> None:
    forged = patched(encoded("pcm16.wav"), DATA_SIZE_OFFSET, "<I", 0x7000_0000)
    with pytest.raises(AudioTooLongError):
        load_audio(forged, limits=AudioLimits(max_seconds=3600))


@pytest.mark.parametrize("name", ["pcm16.wav", "opus.ogg", "index_last.m4a"])
def test_too_large(name: str, tmp_path: Path) -> None:
    path = tmp_path / "audio"
    path.write_bytes(encoded(name))
    for source in (path, encoded(name)):
        with pytest.raises(AudioTooLargeError, match="more than 1000 bytes"):
            load_audio(source, limits=AudioLimits(max_bytes=1000))


def test_too_many_channels() -> None:
    with pytest.raises(AudioTooLargeError, match="has 8 channels: it must have 1 to 4"):
        load_audio(encoded_eight_channels(), limits=AudioLimits(max_channels=4))


def encoded_eight_channels() -> bytes:
    return write(np.zeros((100, 8), np.float32), 16_000)


def test_a_bomb_stops_at_the_limit_of_seconds() -> None:
    silence = np.zeros((16_000 * 1200, 1), np.float32)
    bomb = write(silence, 16_000, "FLAC")
    assert len(bomb) < silence.nbytes / 300
    with pytest.raises(AudioTooLongError):
        load_audio(bomb, limits=AudioLimits(max_seconds=60))


def test_a_forged_rate_does_not_hide_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auricle.audio.limits._FREE_SAMPLES", 0)
    forged = patched(encoded("pcm16.wav"), RATE_OFFSET, "<I", 768_000)  # "a sixteenth of a second"
    limits = AudioLimits(max_seconds=0.5)
    with pytest.raises(AudioTooLargeError, match="decodes to more than 48000 samples"):
        load_audio(forged, limits=limits)


def test_many_tiny_blocks_are_work_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auricle.audio.limits._FREE_SAMPLES", 0)
    converter = Converter(AudioLimits(max_seconds=1.0))  # that is worth 96,000 samples
    block = Block(np.zeros((1, 1), np.float32), 16_000)
    for _ in range(96_000 // 1024):
        converter.feed(block)
    with pytest.raises(AudioTooLargeError):
        converter.feed(block)


def test_a_file_of_broken_packets_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def decode(self) -> list[object]:
            raise av.error.InvalidDataError(1, "broken")

    monkeypatch.setattr("auricle.audio.decoders._MAX_DAMAGED", 5)
    decoder = AvDecoder(io.BytesIO(encoded("adts.aac")), "aac")
    monkeypatch.setattr(decoder, "_packets", lambda: iter([Broken()] * 10))
    assert list(decoder.blocks()) == []
    assert decoder.damaged == 6
    decoder.close()


def test_samples_of_64_bit_integers_are_refused() -> None:
    with pytest.raises(UnsupportedAudioError, match="64 bits"):
        load_audio(patched(encoded("pcm32.wav"), 34, "<H", 64))


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


# --- damage ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL_FORMATS)
def test_damaged_bytes_give_audio_or_an_audio_error(name: str) -> None:
    data = encoded(name, 0.3)
    random = np.random.default_rng(ALL_FORMATS.index(name))
    for _ in range(12):
        damaged = bytearray(data[: random.integers(1, len(data) + 1)])
        head = random.random() < 0.5  # headers break more
        for _ in range(random.integers(0, 6)):
            damaged[random.integers(min(len(damaged), 100 if head else 10**9))] = random.integers(
                256
            )
        try:
            audio = load_audio(bytes(damaged), limits=AudioLimits(max_seconds=600))
        except AudioError:
            continue
        assert np.isfinite(audio.samples).all()
        assert len(audio.samples)


def test_libsndfile_is_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    original = soundfile.SoundFile

    def spy(file: object) -> object:
        opened.append(file)
        return original(file)

    monkeypatch.setattr("auricle.audio.decoders.soundfile.SoundFile", spy)
    for name in ("pcm16.wav", "pcm16.flac"):
        load_audio(encoded(name))
    assert len(opened) == 2
