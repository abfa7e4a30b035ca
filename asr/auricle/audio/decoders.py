"""Encoded bytes to blocks of samples at the audio's own rate, by libsndfile or by FFmpeg (PyAV).

FFmpeg reads streams in bounded memory; libsndfile reads the files that FFmpeg cannot.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple, Protocol

import av
import numpy as np
import numpy.typing as npt
import soundfile
from av.audio.stream import AudioStream as AvAudioStream
from av.container import InputContainer

from auricle.audio.audio import Samples
from auricle.audio.clock import Clock
from auricle.audio.formats import FORMATS, Format
from auricle.audio.source import ByteSource
from auricle_types.errors import UnsupportedAudioError

_EXACT = frozenset({"wav", "flac"})
_BLOCK_SAMPLES = 1 << 16  # over all channels; nobody can cancel within a block
_MISREAD = frozenset({"aiff", "avi", "w64"})  # FFmpeg is wrong about the length of codecs there
_TOLERANCE_SECONDS = 0.1  # what lossy codecs add and trim at the edges
_ROUNDING = 1e-6
_MAX_DAMAGED = 1000  # after so many broken packets the rest is given up


class Block(NamedTuple):
    """`samples (S, channels)` at `sample_rate` Hz."""

    samples: Samples
    sample_rate: int


class AudioDecoder(Protocol):
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


def shortfall(decoder: AudioDecoder, seconds: float) -> str | None:
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

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._file = soundfile.SoundFile(file)
        except (soundfile.SoundFileError, TypeError) as error:
            raise UnsupportedAudioError(f"libsndfile cannot read the audio: {error}") from error
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.exact = True
        self.damaged = 0
        self.declared_seconds: float | None = self._file.frames / max(1, self.sample_rate)

    def blocks(self) -> Iterator[Block]:
        """Blocks of about `_BLOCK_SAMPLES`. Raises UnsupportedAudioError for damaged data."""
        size = max(1, _BLOCK_SAMPLES // self.channels)
        while len(samples := self._read(size)):
            yield Block(samples, self.sample_rate)

    def close(self) -> None:
        """Free the handle of libsndfile."""
        self._file.close()

    def _read(self, size: int) -> Samples:
        try:
            return self._file.read(size, dtype="float32", always_2d=True)  # type: ignore[no-any-return]
        except soundfile.SoundFileError as error:
            raise UnsupportedAudioError(f"libsndfile cannot decode the audio: {error}") from error


class AvDecoder:
    """FFmpeg, for a file or a stream; damaged packets are counted and skipped.

    `name` is a format's in `FORMATS`. What the container's clock skips becomes silence. Raises
    UnsupportedAudioError when FFmpeg cannot read it or finds no audio in it.
    """

    def __init__(self, file: ByteSource | BinaryIO, name: str) -> None:
        self._format = FORMATS[name]
        options = {"probesize": str(self._format.probe_bytes), "protocol_whitelist": "none"}
        try:
            self._container = av.open(
                file, "r", format=name, options=options, metadata_errors="replace"
            )
        except (av.FFmpegError, ValueError) as error:  # ValueError: FFmpeg without this demuxer
            raise _unreadable(self._format, error) from error
        self._stream = self._audio_track()
        self.sample_rate: int = self._stream.codec_context.sample_rate
        self.channels: int = self._stream.codec_context.channels
        self.exact = name in _EXACT
        self.damaged = 0
        self.declared_seconds = self._declared()
        self._clock = Clock(self._format, _start_seconds(self._container))

    def blocks(self) -> Iterator[Block]:
        """A block a frame, usually 20 to 100 ms. Raises whatever the reader raises."""
        for packet in self._packets():
            for frame in self._decode(packet):
                yield from self._silence_before(frame)
                yield Block(_frame_samples(frame), frame.sample_rate)
            if self.damaged > _MAX_DAMAGED:
                return

    def close(self) -> None:
        """Free the contexts of FFmpeg."""
        self._container.close()

    def _audio_track(self) -> AvAudioStream:
        for track in self._container.streams.audio:
            if getattr(track, "codec_context", None):  # None, against its type: unknown codec
                return track
        self.close()
        raise UnsupportedAudioError(
            f"the {self._format.title} holds no audio track of a known codec"
        )

    def _declared(self) -> float | None:
        is_pcm = self._stream.codec_context.name.startswith("pcm_")
        misread = self._format.name in _MISREAD and not is_pcm
        return None if misread else track_seconds(self._container, self._stream, self._format)

    def _silence_before(self, frame: av.AudioFrame) -> Iterator[Block]:
        rate, channels = frame.sample_rate, frame.layout.nb_channels
        if not self._format.max_gap or frame.time is None or rate < 1:
            return
        missing = round(self._clock.gap(frame.time, frame.samples / rate) * rate)
        while missing > 0:
            size = min(missing, max(1, _BLOCK_SAMPLES // channels))
            yield Block(np.zeros((size, channels), np.float32), rate)
            missing -= size

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


def track_seconds(container: InputContainer, track: AvAudioStream, format: Format) -> float | None:
    """How long the track says that it is; None where only the container says so, for all tracks.

    Other containers with a clock than MP4 say when a track ends, which is more if they start late.
    """
    own = format.name == "mov" or not format.max_gap
    if own and track.time_base is not None and track.duration is not None:
        return float(track.duration * track.time_base)
    end = _clock_seconds(track.metadata.get("DURATION", ""))
    if end is None and len(container.streams) == 1 and container.duration is not None:
        end = container.duration / av.time_base
    return None if end is None else end - max(0.0, _start_seconds(container) or 0.0)


def _start_seconds(container: InputContainer) -> float | None:
    start = getattr(container, "start_time", None)  # None, against its type: unknown
    return None if start is None else float(start / av.time_base)


def _clock_seconds(text: str) -> float | None:
    """Of `HH:MM:SS.fraction`, as writers of Matroska put it."""
    try:
        hours, minutes, seconds = text.split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except ValueError:
        return None


def _unreadable(format: Format, error: Exception) -> UnsupportedAudioError:
    reason = getattr(error, "strerror", None) or str(error)
    return UnsupportedAudioError(
        f"the audio looks like {format.title} but cannot be read ({reason}): "
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
