"""One channel of several: the same samples as if it were alone in its file."""

import io

import numpy as np
import pytest
import soundfile

from auricle.audio import AudioLimits, PcmFormat, iter_audio
from auricle.audio.audio import Samples
from auricle.audio.converter import Converter
from auricle.audio.decoders import Block
from auricle.audio.length import stated_seconds
from auricle.audio.stream import count_channels
from auricle_types.errors import UnsupportedAudioError

RATE = 44_100
NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, (RATE, 3)).astype(np.float32)


def file_of(samples: Samples, format: str = "WAV") -> io.BytesIO:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=format)
    file.seek(0)
    return file


def read(file: io.BytesIO, channel: int | None = None) -> Samples:
    return np.concatenate(list(iter_audio(file, channel=channel)))


@pytest.mark.parametrize("format", ["WAV", "FLAC"])
def test_a_channel_is_as_alone(format: str) -> None:
    for channel in range(3):
        alone = read(file_of(NOISE[:, channel], format))
        assert np.array_equal(read(file_of(NOISE, format), channel), alone)
    assert not np.array_equal(read(file_of(NOISE, format)), alone)


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG"])
def test_channels_are_counted(format: str) -> None:
    assert count_channels(file_of(NOISE, format)) == 3
    assert count_channels(file_of(NOISE[:, 0], format)) == 1


def test_channels_of_headerless_audio_are_those_that_were_said() -> None:
    assert count_channels(io.BytesIO(bytes(400)), pcm=PcmFormat(8000, 2)) == 2
    with pytest.raises(UnsupportedAudioError):
        count_channels(io.BytesIO(b"no audio at all"))


def test_a_stretch_with_fewer_channels_is_silent_in_the_others() -> None:
    converter = Converter(AudioLimits(), channel=1)
    both, one = np.full((320, 2), 0.5, np.float32), np.full((320, 1), 0.5, np.float32)
    parts = [converter.feed(Block(both, 16_000)), converter.feed(Block(one, 16_000))]
    assert np.concatenate(parts).tolist() == [0.5] * 320 + [0.0] * 320


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG"])
def test_a_length_is_known_without_decoding(format: str) -> None:
    assert stated_seconds(file_of(NOISE, format)) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("content", [b"", b"no audio at all", b"RIFF"])
def test_what_states_no_length_has_none(content: bytes) -> None:
    assert stated_seconds(io.BytesIO(content)) is None
