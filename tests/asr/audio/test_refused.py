"""What is refused, and how: no audio, too much of it, damaged bytes."""

import io
from pathlib import Path

import av
import numpy as np
import pytest

from auricle.audio import AudioLimits, PcmFormat, load_audio
from auricle.audio.converter import Converter
from auricle.audio.decoders import AvDecoder, Block
from auricle_types.errors import (
    AudioError,
    AudioNotFoundError,
    AudioTooLargeError,
    AudioTooLongError,
    EmptyAudioError,
    InvalidSampleRateError,
    InvalidSamplesError,
    UnsupportedAudioError,
)
from tests.asr.audio_files import (
    ALL_FORMATS,
    chirp,
    encoded,
    patched,
    write,
)

RATE_OFFSET, DATA_SIZE_OFFSET = 24, 40  # in the 44-byte header of a plain PCM WAV

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


def test_no_limit_of_seconds_is_a_limit_too() -> None:
    limits = AudioLimits(max_seconds=float("inf"))
    assert load_audio(encoded("pcm16.wav"), limits=limits).duration > 0


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
