"""Every format that libsndfile or FFmpeg reads, recognised by its bytes, whole and streamed."""

import io

import numpy as np
import pytest
import soundfile

from auricle.audio import Audio, PcmFormat, iter_audio, load_audio
from auricle.audio.formats import FORMATS, SUFFIXES
from auricle_types.errors import (
    AudioTooLargeError,
    EmptyAudioError,
    InvalidSampleRateError,
    UnsupportedAudioError,
)
from tests.asr.audio_files import Pipe, chirp, encoded, film, shorten, sphere, write

UNREADABLE = {  # that no reader of untrusted bytes can read, libsndfile included
    ("AIFF", "DWVW_12"), ("AIFF", "DWVW_16"), ("AIFF", "DWVW_24"),
}  # fmt: skip
SNDFILE = [
    (container, subtype)
    for container in soundfile.available_formats()
    # headerless; a resource fork beside the file; not read back by libsndfile itself
    if container not in ("RAW", "SD2", "MP3")
    for subtype in soundfile.available_subtypes(container)
    if (container, subtype) not in UNREADABLE
]
AV = [  # (muxer, codec, sampling rate)
    ("mp2", "mp2", 48_000), ("ac3", "ac3", 48_000), ("eac3", "eac3", 48_000),
    ("amr", "libopencore_amrnb", 8_000), ("3gp", "libopencore_amrnb", 8_000),
    ("mov", "libopencore_amrnb", 8_000), ("mov", "pcm_s16le", 48_000), ("mov", "alac", 48_000),
    ("matroska", "aac", 48_000), ("matroska", "pcm_s16le", 48_000), ("avi", "libmp3lame", 48_000),
    ("asf", "wmav2", 48_000), ("flv", "aac", 48_000), ("nut", "aac", 48_000),
    ("mpegts", "aac", 48_000), ("mpegts", "libopus", 48_000), ("mpeg", "mp2", 48_000),
    ("wv", "wavpack", 48_000), ("tta", "tta", 48_000), ("latm", "aac", 48_000),
    ("voc", "pcm_s16le", 48_000), ("sox", "pcm_s32le", 48_000),
    ("rm", "ac3", 48_000), ("wav", "libmp3lame", 48_000), ("caf", "alac", 48_000),
    ("ircam", "pcm_s16le", 48_000),
]  # fmt: skip


def both_ways(data: bytes, pcm: PcmFormat | None = None) -> Audio:
    """The audio of `data`, which is the same from a file and from a stream."""
    audio = load_audio(data, pcm=pcm)
    stream = iter_audio(Pipe(data), pcm=pcm)
    np.testing.assert_array_equal(np.concatenate(list(stream)), audio.samples)
    assert stream.warnings == audio.warnings
    return audio


@pytest.mark.parametrize(("container", "subtype"), SNDFILE)
def test_what_libsndfile_writes(container: str, subtype: str) -> None:
    sound = chirp(1.0, 8_000, 1)
    try:
        data = write(sound, 8_000, container, subtype)
    except soundfile.LibsndfileError:
        pytest.skip("this build of libsndfile only reads it")
    whole, rate = soundfile.read(io.BytesIO(data))
    audio = both_ways(data)
    assert audio.warnings == ()
    assert audio.duration == pytest.approx(len(whole) / rate, abs=0.05)
    assert audio.samples.std() == pytest.approx(whole.std(), rel=0.06)


@pytest.mark.parametrize(("muxer", "codec", "rate"), AV)
def test_what_ffmpeg_writes(muxer: str, codec: str, rate: int) -> None:
    audio = both_ways(film(muxer, codec, rate=rate))
    assert audio.warnings == ()
    assert audio.duration == pytest.approx(2.0, abs=0.06)
    assert audio.samples.std() == pytest.approx(0.5 / np.sqrt(2), rel=0.15)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_an_mp3_is_as_long_as_it_says(rate: int) -> None:
    audio = both_ways(write(chirp(1.0, rate, 1), rate, "MP3", "MPEG_LAYER_III"))
    assert audio.duration == pytest.approx(1.0, abs=0.06)
    assert audio.warnings == ()


def test_a_format_has_one_name_and_suffixes() -> None:
    assert all(each.suffixes for each in FORMATS.values())
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in SUFFIXES)


# --- NIST SPHERE -------------------------------------------------------------------------------

TIMIT = {
    "channel_count": 1, "sample_count": 1024, "sample_rate": 16_000, "sample_n_bytes": 2,
    "sample_byte_format": "01", "sample_sig_bits": 16,
}  # fmt: skip
WAVE = (chirp(0.064, 16_000, 1)[:, 0] * 2**15).astype("<i2")
EXPECTED = WAVE.astype(np.float32) / 2**15


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (WAVE.tobytes(), {}),
        (WAVE.astype(">i2").tobytes(), {"sample_byte_format": "10"}),
        (WAVE.tobytes(), {"sample_sig_bits": 14}),
        (WAVE.tobytes(), {"header_bytes": 2048}),
        (WAVE.tobytes() + b"not sound" * 50, {}),
        (shorten(WAVE), {"sample_coding": "pcm,embedded-shorten-v2.00"}),
    ],
)
def test_sphere(data: bytes, fields: dict[str, int | str]) -> None:
    audio = both_ways(sphere(data, **TIMIT | fields))  # type: ignore[arg-type]
    np.testing.assert_array_equal(audio.samples, EXPECTED)
    assert audio.warnings == ()


@pytest.mark.parametrize(("coding", "encoding"), [("ulaw", "mulaw"), ("alaw", "alaw")])
def test_sphere_of_telephones(coding: str, encoding: str) -> None:
    codes = np.random.default_rng(0).integers(0, 256, 800, np.uint8).tobytes()
    fields = {"channel_count": 2, "sample_rate": 8_000, "sample_n_bytes": 1}
    audio = both_ways(sphere(codes, sample_coding=coding, sample_count=400, **fields))
    raw = load_audio(codes, pcm=PcmFormat(8_000, 2, encoding))  # type: ignore[arg-type]
    np.testing.assert_array_equal(audio.samples, raw.samples)


def test_a_truncated_sphere_gives_its_good_part() -> None:
    audio = both_ways(sphere(WAVE.tobytes()[:1024], **TIMIT))  # type: ignore[arg-type]
    np.testing.assert_array_equal(audio.samples, EXPECTED[:512])
    assert audio.warnings == ("audio is truncated: only 0.03 s of its 0.06 s can be decoded",)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"sample_coding": "pcm,embedded-shortpack-v0"}, UnsupportedAudioError, "shortpack"),
        ({"channels_interleaved": "FALSE"}, UnsupportedAudioError, "not interleaved"),
        ({"sample_rate": 0}, InvalidSampleRateError, "0 Hz"),
        ({"channel_count": 1000}, AudioTooLargeError, "1000 channels"),
    ],
)
def test_sphere_that_is_refused(
    fields: dict[str, int | str], error: type[Exception], message: str
) -> None:
    data = sphere(WAVE.tobytes(), **TIMIT | fields)  # type: ignore[arg-type]
    with pytest.raises(error, match=message):
        load_audio(data)
    with pytest.raises(EmptyAudioError):
        load_audio(sphere(b"", **TIMIT))  # type: ignore[arg-type]


# --- what stands in front ----------------------------------------------------------------------


def id3(size: int, flags: int = 0) -> bytes:
    digits = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
    footer = b"3DI\x04\x00" + bytes([flags]) + digits if flags & 16 else b""
    return b"ID3\x04\x00" + bytes([flags]) + digits + bytes(size) + footer


@pytest.mark.parametrize(
    "name", ["adts.aac", "pcm16.flac", "lame.mp3", "pcm16.wav", "opus.ogg", "pcm16.aiff"]
)
@pytest.mark.parametrize("tag", [id3(300), id3(300_000), id3(50) + id3(70), id3(90, flags=16)])
def test_behind_a_tag(name: str, tag: bytes) -> None:
    expected = load_audio(encoded(name))
    audio = both_ways(tag + encoded(name))
    np.testing.assert_array_equal(audio.samples, expected.samples)
    assert audio.warnings == ()


def test_a_tagged_file_is_never_headerless() -> None:
    data = id3(300) + encoded("lame.mp3")
    audio = both_ways(data, pcm=PcmFormat(8_000))
    np.testing.assert_array_equal(audio.samples, load_audio(data).samples)


@pytest.mark.parametrize("name", ["lame.mp3", "adts.aac", "pcm16.flac", "pcm16.wav"])
def test_behind_zeros(name: str) -> None:
    expected = load_audio(encoded(name))
    np.testing.assert_array_equal(
        both_ways(bytes(40_000) + encoded(name)).samples, expected.samples
    )


@pytest.mark.parametrize(
    ("muxer", "codec"), [("mp2", "mp2"), ("mp3", "libmp3lame"), ("adts", "aac")]
)
@pytest.mark.parametrize("junk", [b"", b"\xff" * 300, b"HTTP/1.1 200 OK\r\n\r\n" * 100])
def test_begun_in_the_middle_of_a_frame(muxer: str, codec: str, junk: bytes) -> None:
    data = film(muxer, codec)
    audio = both_ways(junk + data[len(data) // 2 + 7 :])
    assert audio.duration == pytest.approx(1.0, abs=0.15)


def test_one_sync_word_in_noise_is_no_mp3() -> None:
    noise = np.random.default_rng(7).integers(0, 255, 70_000, np.uint8)  # without any 0xFF
    noise[30_000:30_004] = [0xFF, 0xFB, 0x90, 0x00]
    for data in (noise.tobytes(), bytes(70_000)):
        with pytest.raises(UnsupportedAudioError, match="it begins with"):
            load_audio(data)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"MThd\0\0\0\6\0\1", "notes"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"PK\x03\x04" + bytes(100), "ZIP"),
        (b"#EXTM3U\nhttp://example.org/a.ts", "playlist"),
        (b"ffconcat version 1.0\nfile a.wav\n", "begins with b'ffconcat"),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=audio 5004 RTP/AVP 0\r\n", "begins with"),
    ],
)
def test_the_refusal_says_what_was_found(data: bytes, what: str) -> None:
    with pytest.raises(UnsupportedAudioError, match=what):
        load_audio(data)
