"""Encoded bytes to blocks of samples at the audio's own rate, by libsndfile or by FFmpeg (PyAV).

libsndfile is the faster one and reads files; FFmpeg reads streams, and what libsndfile cannot. On
WAV and FLAC they agree bit by bit (tested). On lossy codecs they do not quite, and a file and a
stream of the same bytes must not differ: those are FFmpeg's alone.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, Protocol

import av
import numpy as np
import numpy.typing as npt
import soundfile
from av.audio.stream import AudioStream as AvAudioStream

from auricle.audio.audio import Samples
from auricle.audio.source import ByteSource
from auricle.errors import UnsupportedAudioError

LOSSLESS = frozenset({"wav", "flac"})  # by libsndfile
_BLOCK_SAMPLES = 1 << 18  # over all channels
_PROBE_BYTES = 1 << 14  # what FFmpeg may read to learn the parameters before the first frame
_TITLES = {"mov": "M4A or MP4", "matroska": "WebM or Matroska"}  # the others explain themselves
_TOLERANCE_SECONDS = 0.1  # what lossy codecs add and trim at the edges
_ROUNDING = 1e-6
_MAX_DAMAGED = 1000  # after so many broken packets the rest is given up


class Block(NamedTuple):
    """`samples (S, channels)` at `sample_rate` Hz."""

    samples: Samples
    sample_rate: int


class Decoder(Protocol):
    """One audio being decoded. `sample_rate` and `channels` are what its header says."""

    sample_rate: int
    channels: int
    declared_seconds: float | None
    exact: bool  # whether they are declared to the sample
    damaged: int  # packets that could not be decoded

    def blocks(self) -> Iterator[Block]:
        """The samples, in order, as they are decoded."""
        ...

    def close(self) -> None:
        """Free what the decoder holds; the reader stays open."""
        ...


def shortfall(decoder: Decoder, seconds: float) -> str | None:
    """What is wrong when `seconds` is all that came out of `decoder`, in words; None: nothing."""
    declared = decoder.declared_seconds
    tolerance = _ROUNDING if decoder.exact else _TOLERANCE_SECONDS
    if declared is not None and seconds < declared - tolerance:
        return f"audio is truncated: only {seconds:.2f} s of its {declared:.2f} s can be decoded"
    if decoder.damaged:
        return f"audio is damaged or truncated: {decoder.damaged} of its packets cannot be decoded"
    return None


class SoundfileDecoder:
    """libsndfile, for a file that can seek. Raises UnsupportedAudioError when it cannot read it."""

    def __init__(self, file: BinaryIO, declared_seconds: float | None = None) -> None:
        try:
            self._file = soundfile.SoundFile(file)
        except (soundfile.SoundFileError, TypeError) as error:
            raise UnsupportedAudioError(f"libsndfile cannot read the audio: {error}") from error
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.exact = True
        self.damaged = 0
        frames_seconds = self._file.frames / max(1, self.sample_rate)
        self.declared_seconds: float | None = declared_seconds or frames_seconds

    def blocks(self) -> Iterator[Block]:
        """Blocks of about `_BLOCK_SAMPLES`. Raises UnsupportedAudioError for damaged data."""
        size = max(1, _BLOCK_SAMPLES // self.channels)
        while len(samples := self._read(size)):
            yield Block(samples, self.sample_rate)

    def close(self) -> None:
        """Free libsndfile's handle."""
        self._file.close()

    def _read(self, size: int) -> Samples:
        try:
            return self._file.read(size, dtype="float32", always_2d=True)  # type: ignore[no-any-return]
        except soundfile.SoundFileError as error:
            raise UnsupportedAudioError(f"libsndfile cannot decode the audio: {error}") from error


class AvDecoder:
    """FFmpeg, for a file or a stream; damaged packets are counted and skipped.

    `container` is FFmpeg's name of the demuxer; None leaves it to FFmpeg. Raises
    UnsupportedAudioError when FFmpeg cannot read it or finds no audio in it.
    """

    def __init__(self, file: ByteSource | BinaryIO, container: str | None) -> None:
        options = {"probesize": str(_PROBE_BYTES)}
        try:
            self._container = av.open(
                file, "r", format=container, options=options, metadata_errors="replace"
            )
        except av.FFmpegError as error:
            raise _unreadable(container, error) from error
        self._stream = self._audio_track(_TITLES.get(str(container), container))
        self.sample_rate: int = self._stream.codec_context.sample_rate
        self.channels: int = self._stream.codec_context.channels
        self.exact = container in LOSSLESS
        self.damaged = 0
        self.declared_seconds = self._container_seconds()

    def blocks(self) -> Iterator[Block]:
        """A block a frame, usually 20 to 100 ms. Raises whatever the reader raises."""
        for packet in self._packets():
            for frame in self._decode(packet):
                yield Block(_frame_samples(frame), frame.sample_rate)
            if self.damaged > _MAX_DAMAGED:
                return

    def close(self) -> None:
        """Free FFmpeg's contexts."""
        self._container.close()

    def _audio_track(self, title: str | None) -> AvAudioStream:
        for track in self._container.streams.audio:
            if getattr(track, "codec_context", None):  # None, against its type: unknown codec
                return track
        self.close()
        raise UnsupportedAudioError(f"the {title} holds no audio track of a known codec")

    def _container_seconds(self) -> float | None:
        if self._stream.duration is not None and self._stream.time_base is not None:
            return float(self._stream.duration * self._stream.time_base)
        duration = self._container.duration
        return None if duration is None else duration / av.time_base

    def _packets(self) -> "Iterator[av.Packet[AvAudioStream]]":
        try:
            yield from self._container.demux(self._stream)
        except av.FFmpegError:
            self.damaged += 1  # the container itself is broken here: nothing can follow

    def _decode(self, packet: "av.Packet[AvAudioStream]") -> list[av.AudioFrame]:
        try:
            return packet.decode()
        except av.FFmpegError:
            self.damaged += 1
            return []


def _unreadable(name: str | None, error: av.FFmpegError) -> UnsupportedAudioError:
    reason = error.strerror or str(error)
    return UnsupportedAudioError(
        f"the audio looks like {_TITLES.get(str(name), name)} but cannot be read ({reason}): "
        "it may be damaged or truncated"
    )


def _frame_samples(frame: av.AudioFrame) -> Samples:
    """`(S, channels)` of any of FFmpeg's sample formats, planar or interleaved."""
    try:
        raw = frame.to_ndarray()
    except ValueError as error:  # 64-bit integers
        raise UnsupportedAudioError(f"samples of {frame.format.bits} bits: {error}") from error
    channels = frame.layout.nb_channels
    return _to_float(raw.T if frame.format.is_planar else raw.reshape(-1, channels))


def _to_float(raw: npt.NDArray[Any]) -> Samples:
    """Integers scaled to [-1, 1), floats as they are."""
    if raw.dtype.kind == "f":
        with np.errstate(over="ignore"):  # a double may become infinite, and is refused later
            return raw.astype(np.float32)
    half = 1 << (8 * raw.dtype.itemsize - 1)
    scaled = raw.astype(np.float32)
    if raw.dtype.kind == "u":
        scaled -= half
    return scaled / np.float32(half)
