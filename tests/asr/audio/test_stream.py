"""Streams: the same samples as the whole file, however the bytes come."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auricle.audio import AudioLimits, PcmFormat, iter_audio, load_audio
from auricle.audio.converter import Converter
from auricle.audio.decoders import Block
from auricle.audio.source import ByteSource
from auricle_types.errors import (
    AudioError,
    AudioTooLargeError,
    AudioTooLongError,
    EmptyAudioError,
    InvalidSampleRateError,
    InvalidSamplesError,
    UnsupportedAudioError,
)
from tests.asr.audio_files import ALL_FORMATS, Pipe, chirp, encoded, mono16k, patched, write


def streamed(
    data: bytes,
    chunk: int = 1000,
    pcm: PcmFormat | None = None,
    limits: AudioLimits = AudioLimits(),  # noqa: B008 - frozen
) -> np.ndarray:
    return np.concatenate(list(iter_audio(Pipe(data, chunk), pcm=pcm, limits=limits)))


# --- the same as the whole ---------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 313, 1 << 20])
@pytest.mark.parametrize("name", ALL_FORMATS)
def test_a_stream_is_bit_equal_to_the_file(name: str, chunk: int) -> None:
    data = encoded(name, 0.02 if chunk == 1 else 0.3)  # each byte takes its time
    np.testing.assert_array_equal(streamed(data, chunk), load_audio(data).samples)


@given(cuts=st.lists(st.integers(1, 3000), max_size=20))
@settings(max_examples=30)
def test_any_split_gives_the_same_samples(cuts: list[int]) -> None:
    data = encoded("pcm24.wav", 0.1)
    pieces = list(iter_audio(Parts(data, cuts)))
    np.testing.assert_array_equal(np.concatenate(pieces), load_audio(data).samples)


class Parts:
    """Gives the bytes in parts of the given sizes, then the rest at once."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self._data = io.BytesIO(data)
        self._sizes = iter(sizes)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(min(size, next(self._sizes, size)))


@given(cuts=st.lists(st.integers(0, 9_999), max_size=8), rate=st.sampled_from([8_000, 44_100]))
@settings(max_examples=30)
def test_resampling_in_blocks_is_bit_equal(cuts: list[int], rate: int) -> None:
    sound = chirp(10_000 / rate, rate, 3)
    converter = Converter(AudioLimits())
    blocks = np.split(sound, sorted(cuts))
    pieces = [*(converter.feed(Block(block, rate)) for block in blocks), converter.flush()]
    np.testing.assert_array_equal(np.concatenate(pieces), mono16k(sound, rate))


def test_a_rate_that_changes_on_the_way() -> None:
    converter = Converter(AudioLimits())
    pieces = [converter.feed(Block(chirp(1.0, r, c), r)) for r, c in ((8_000, 1), (48_000, 2))]
    samples = np.concatenate([*pieces, converter.flush()])
    expected = np.concatenate([mono16k(chirp(1.0, 8_000, 1), 8_000), mono16k(chirp(), 48_000)])
    np.testing.assert_array_equal(samples, expected)
    assert converter.seconds == 2.0


def test_headerless_pcm_in_single_bytes() -> None:
    samples = (chirp(0.1, 8_000, 2) * 2**15).astype("<i2")
    pcm = PcmFormat(8_000, channels=2)
    expected = load_audio(samples.tobytes(), pcm=pcm).samples
    np.testing.assert_array_equal(streamed(samples.tobytes(), 1, pcm=pcm), expected)


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF])
def test_wav_of_a_pipe_that_knew_no_length(size: int) -> None:
    data = patched(patched(encoded("pcm16.wav"), 40, "<I", size), 4, "<I", size)
    stream = iter_audio(Pipe(data))
    samples = np.concatenate(list(stream))
    np.testing.assert_array_equal(samples, load_audio(encoded("pcm16.wav")).samples)
    assert stream.warnings == ()


def test_chunks_around_the_samples_of_a_wav_are_no_samples() -> None:
    data = encoded("pcm16.wav")
    notes = b"LIST\x05\0\0\0notes\0"  # odd, so padded
    noisy = data[:36] + notes + data[36:] + notes + b"\x7f" * 4000
    np.testing.assert_array_equal(streamed(noisy), load_audio(data).samples)


# --- as soon as possible -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "most"),
    [("pcm16.wav", 0.05), ("mulaw.wav", 0.05), ("opus.webm", 0.2), ("index_first.m4a", 0.2),
     ("fragmented.mp4", 0.2), ("pcm16.flac", 0.3), ("lame.mp3", 0.3), ("opus.ogg", 0.4)],
)  # fmt: skip
def test_pieces_come_while_bytes_still_come(name: str, most: float) -> None:
    data = encoded(name, 6.0)
    pipe = Pipe(data, 500)
    next(iter_audio(pipe))
    assert pipe.given <= most * len(data)


def test_headerless_pcm_lags_by_a_tenth_of_a_second() -> None:
    pipe = Pipe(bytes(320_000), 320)
    stream = iter_audio(pipe, pcm=PcmFormat(16_000))
    samples = 0
    for piece in stream:
        samples += len(piece)
        assert pipe.given / 2 - samples <= 4096


def test_nothing_is_read_before_the_first_piece_is_asked_for() -> None:
    pipe = Pipe(encoded("pcm16.wav"))
    stream = iter_audio(pipe)
    assert pipe.given == 0
    next(stream)
    stream.close()
    assert list(stream) == []


def test_no_piece_is_empty() -> None:
    assert all(len(piece) for piece in iter_audio(io.BytesIO(encoded("pcm16.wav", 0.1))))


def test_what_has_arrived_is_not_held_back() -> None:
    class Buffered(Pipe):
        read1 = Pipe.read

        def read(self, size: int = -1) -> bytes:
            raise AssertionError("a buffered reader's read() waits for all that it asks for")

    assert len(next(iter_audio(Buffered(bytes(100_000), 100), pcm=PcmFormat(16_000))))


# --- streams that end or break -----------------------------------------------------------------


@pytest.mark.parametrize("name", ["pcm16.wav", "alaw.wav", "pcm16.flac", "lame.mp3", "opus.webm"])
def test_a_stream_that_ends_half_way_gives_its_good_part(name: str) -> None:
    data = encoded(name, 3.0)
    stream = iter_audio(Pipe(data[: len(data) // 2]))
    seconds = sum(map(len, stream)) / 16_000
    assert 1.0 < seconds < 1.8
    assert [w.split(":")[0] for w in stream.warnings] == ["audio is truncated"]


def test_no_bytes_and_no_samples() -> None:
    with pytest.raises(EmptyAudioError, match="0 bytes"):
        list(iter_audio(io.BytesIO()))
    with pytest.raises(EmptyAudioError, match="header only"):
        list(iter_audio(Pipe(encoded("pcm16.wav")[:44])))


def test_text_is_no_audio() -> None:
    with pytest.raises(UnsupportedAudioError, match="Dear Sir"):
        streamed(b"Dear Sir or Madam, this is text.")


def test_impossible_rates() -> None:
    with pytest.raises(InvalidSampleRateError):
        streamed(patched(encoded("pcm16.wav"), 24, "<I", 5))
    with pytest.raises(InvalidSampleRateError):
        streamed(bytes(1000), pcm=PcmFormat(10**9))


def test_samples_that_are_no_numbers() -> None:
    sound = chirp(1.0, 16_000, 1)
    sound[12_000] = np.nan
    stream = iter_audio(Pipe(write(sound, 16_000, subtype="FLOAT")))
    assert len(next(stream))  # what came before is good
    with pytest.raises(InvalidSamplesError):
        list(stream)


def test_an_error_of_the_reader_is_the_callers() -> None:
    class Broken(Pipe):
        def read(self, size: int = -1) -> bytes:
            if self.given > 20_000:
                raise ConnectionResetError("the caller hung up")
            return super().read(size)

    for name in ("pcm16.wav", "pcm16.flac", "opus.webm", "index_last.m4a"):
        with pytest.raises(ConnectionResetError, match="hung up"):
            list(iter_audio(Broken(encoded(name, 3.0))))


# --- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pcm16.wav", "pcm16.flac", "index_last.m4a"])
def test_too_many_bytes(name: str) -> None:
    pipe = Pipe(encoded(name, 3.0))
    with pytest.raises(AudioTooLargeError):
        list(iter_audio(pipe, limits=AudioLimits(max_bytes=20_000)))
    assert pipe.given <= 22_000


def test_an_endless_stream_ends_at_the_limit_of_seconds() -> None:
    class Endless:
        def read(self, size: int = -1) -> bytes:
            return bytes(max(size, 1))

    stream = iter_audio(Endless(), pcm=PcmFormat(16_000), limits=AudioLimits(max_seconds=2))
    with pytest.raises(AudioTooLongError):
        list(stream)


# --- the byte source ---------------------------------------------------------------------------


def source(data: bytes, chunk: int = 3, max_bytes: int = 100) -> ByteSource:
    return ByteSource(Pipe(data, chunk), AudioLimits(max_bytes=max_bytes))


def read_all(bytes_source: ByteSource, size: int = 4) -> bytes:
    return b"".join(iter(lambda: bytes_source.read(size), b""))


def test_peeking_reads_nothing() -> None:
    src = source(b"0123456789")
    assert src.peek(4) == b"0123"
    assert src.peek(99) == b"0123456789"
    assert read_all(src) == b"0123456789"


def test_narrowing_after_a_peek() -> None:
    src = source(b"0123456789")
    src.peek(5)
    src.narrow(3, 8)
    assert read_all(src) == b"34567"


def test_narrowing_beyond_the_end() -> None:
    src = source(b"0123456789")
    src.narrow(20, 30)
    assert read_all(src) == b""


def test_never_more_than_asked_for() -> None:
    class Generous:
        def read(self, size: int = -1) -> bytes:
            return bytes(1000)  # would overrun the caller's buffer

    assert len(ByteSource(Generous(), AudioLimits()).read(10)) == 10


def test_a_pipe_is_copied_to_seek_in_it() -> None:
    with source(b"0123456789") as src:
        src.peek(2)
        file = src.seekable()
        file.seek(6)
        assert file.read() == b"6789"
    assert file.closed


def test_a_file_is_rewound_rather_than_copied() -> None:
    file = io.BytesIO(b"0123456789")
    src = ByteSource(file, AudioLimits())
    src.peek(4)
    assert src.seekable() is file
    assert file.tell() == 0


# --- damage ------------------------------------------------------------------------------------


@pytest.fixture(params=ALL_FORMATS)
def damaged(request: pytest.FixtureRequest) -> list[bytes]:
    random = np.random.default_rng(1000 + ALL_FORMATS.index(request.param))
    data = np.frombuffer(encoded(request.param, 0.3), np.uint8)
    cases = []
    for _ in range(10):
        case = data[: random.integers(1, len(data) + 1)].copy()
        case[random.integers(0, min(len(case), 200), 3)] = random.integers(0, 256, 3)
        cases.append(case.tobytes())
    return cases


def test_damaged_streams_give_audio_or_an_audio_error(damaged: list[bytes]) -> None:
    for case in damaged:
        try:
            samples = streamed(case, limits=AudioLimits(max_seconds=600))
        except AudioError:
            continue
        assert np.isfinite(samples).all()
