"""Incremental reading: `iter_audio` gives samples while the bytes still come."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from auricle.audio.audio import Samples
from auricle.audio.container import (
    SNIFF_BYTES,
    Peek,
    declared_mp3_samples,
    identify,
    needs_libsndfile,
    needs_seeking,
    tag_bytes,
)
from auricle.audio.converter import Converter
from auricle.audio.decoders import AudioDecoder, AvDecoder, SoundfileDecoder, shortfall
from auricle.audio.formats import by_magic
from auricle.audio.limits import DEFAULT_LIMITS, check_format, check_seconds
from auricle.audio.raw import RawDecoder
from auricle.audio.source import ByteSource, Reader
from auricle.audio.sphere import read_sphere_header
from auricle.audio.wav import WavHeader, read_wav_header
from auricle_types.errors import EmptyAudioError, UnsupportedAudioError
from auricle_types.options import AudioLimits, PcmFormat

_MAX_TAGS = 16
_CANCELLED = "the audio's channels cancel each other out: one of them was taken, not their mean"


class AudioStream(ABC, Iterator[Samples]):
    """Pieces of mono float32 16 kHz samples, each as soon as it is decoded; none is empty.

    Iterating raises AudioError, and whatever the reader raises. `warnings` are complete after
    the last piece; `close` frees the decoder early.
    """

    def __init__(self) -> None:
        self._pieces = (piece for piece in self._decoded() if len(piece))
        self.shortfall: str | None = None  # of the warnings the one that says what is missing
        self.warnings: tuple[str, ...] = ()

    def __next__(self) -> Samples:
        return next(self._pieces)

    def close(self) -> None:
        """Stop decoding; no more pieces come. Not while another thread waits for one."""
        self._pieces.close()

    def stop(self) -> None:
        """Note, from any thread, that nobody wants the piece that is being decoded.

        Where this process decodes it, it comes all the same.
        """

    @abstractmethod
    def _decoded(self) -> Iterator[Samples]:
        """Decode, and set `shortfall` and `warnings` at the end."""


class DecodedStream(AudioStream):
    """Decodes in this process."""

    def __init__(
        self,
        open_decoder: Callable[[ExitStack], AudioDecoder],
        limits: AudioLimits,
        channel: int | None = None,
    ) -> None:
        """`open_decoder` puts on the stack what must be closed behind the decoder.

        One `channel`, from 0, is taken by itself; None mixes all of them.
        """
        super().__init__()
        self._open_decoder = open_decoder
        self._limits = limits
        self._channel = channel

    def _decoded(self) -> Iterator[Samples]:
        with ExitStack() as opened:
            decoder = self._open_decoder(opened)
            opened.callback(decoder.close)
            check_format(decoder.sample_rate, decoder.channels, self._limits)
            check_seconds(decoder.declared_seconds or 0.0, self._limits)
            converter = Converter(self._limits, self._channel)
            samples = 0
            for block in decoder.blocks():
                piece = converter.feed(block)
                samples += len(piece)
                yield piece
            rest = converter.flush()
            _check_any(samples + len(rest), converter.seconds, decoder.damaged)
            yield rest
            self.shortfall = shortfall(decoder, converter.seconds)
            warnings = (self.shortfall, _CANCELLED if converter.cancelled else None)
            self.warnings = tuple(filter(None, warnings))


def iter_audio(
    reader: Reader,
    *,
    pcm: PcmFormat | None = None,
    limits: AudioLimits = DEFAULT_LIMITS,
    channel: int | None = None,
) -> AudioStream:
    """Decode what a blocking `reader` gives, piece by piece, in bounded memory.

    The reader need not seek. `pcm` is the format of headerless bytes. One `channel`, from 0, is
    taken by itself; None mixes all of them. Nothing is read before the first piece is asked for.
    Formats whose index may come last are buffered whole first.
    """
    return DecodedStream(lambda opened: open_decoder(opened, reader, pcm, limits), limits, channel)


def is_plain(peek: Peek, pcm: PcmFormat | None) -> bool:
    """Whether no library of C parses the bytes: PCM, headerless or in a plain WAV, or nothing."""
    if tag_bytes(peek):
        return False
    head = peek(SNIFF_BYTES)
    marked = by_magic(head)
    if marked is None:
        return pcm is not None or not head
    header = read_wav_header(peek) if marked.name == "wav" else None
    return header is not None and header.pcm is not None and not header.by_libsndfile


def count_channels(
    reader: Reader, *, pcm: PcmFormat | None = None, limits: AudioLimits = DEFAULT_LIMITS
) -> int:
    """Return how many channels the audio of `reader` has, by its header. Raises AudioError."""
    with ExitStack() as opened:
        decoder = open_decoder(opened, reader, pcm, limits)
        opened.callback(decoder.close)
        check_format(decoder.sample_rate, decoder.channels, limits)
        return decoder.channels


def open_decoder(
    opened: ExitStack, reader: Reader, pcm: PcmFormat | None, limits: AudioLimits
) -> AudioDecoder:
    """Make a decoder of what `reader` gives; `opened` frees what it buffers. Raises AudioError."""
    source = opened.enter_context(ByteSource(reader, limits))
    name, start = identify(source.peek, None if _skip_tags(source) else pcm)
    if name is None and pcm is not None:
        check_format(pcm.sample_rate, pcm.channels, limits)
        return RawDecoder(source, pcm)
    source.narrow(start, None)
    return _open_format(source, str(name), limits)


def _skip_tags(source: ByteSource) -> bool:
    """Whether there were any."""
    for count in range(_MAX_TAGS):
        if not (size := tag_bytes(source.peek)):
            return count > 0
        source.narrow(size, None)
    return True


def _open_format(source: ByteSource, name: str, limits: AudioLimits) -> AudioDecoder:
    if name == "wav" and (header := read_wav_header(source.peek)):
        return _open_wav(source, header, limits)
    if name == "nistsphere" and (sphere := read_sphere_header(source.peek)):
        ends = (sphere.data_start, sphere.data_end)
        return _open_pcm(source, sphere.pcm, ends, sphere.declared_seconds, limits)
    if needs_libsndfile(name, source.peek):
        return SoundfileDecoder(source.seekable())
    if needs_seeking(name, source.peek):
        return AvDecoder(source.seekable(), name)
    return _open_mp3(source) if name == "mp3" else AvDecoder(source, name)


def _open_wav(source: ByteSource, header: WavHeader, limits: AudioLimits) -> AudioDecoder:
    """Past its header a WAV is PCM: read as such it is not held back by FFmpeg's probing."""
    check_format(header.sample_rate, header.channels, limits)
    if header.by_libsndfile:
        return SoundfileDecoder(source.seekable())
    if header.pcm is None:
        return AvDecoder(source, "wav")
    ends = (header.data_start, header.data_end)
    return _open_pcm(source, header.pcm, ends, header.declared_seconds, limits)


def _open_pcm(
    source: ByteSource,
    pcm: PcmFormat,
    ends: tuple[int, int | None],
    declared_seconds: float | None,
    limits: AudioLimits,
) -> AudioDecoder:
    check_format(pcm.sample_rate, pcm.channels, limits)
    source.narrow(*ends)
    if not source.peek(1):
        raise EmptyAudioError("the audio holds no samples: it is a header only")
    return RawDecoder(source, pcm, declared_seconds)


def _open_mp3(source: ByteSource) -> AudioDecoder:
    """FFmpeg reads an MP3's declared length only from files; here we must do it."""
    head = source.peek(256)  # decoding reads on
    decoder = AvDecoder(source, "mp3")
    frame_samples = 1152 if decoder.sample_rate >= 32_000 else 576  # ISO 11172-3, 13818-3
    samples = declared_mp3_samples(lambda size: head[:size], frame_samples)
    if samples is not None and decoder.sample_rate > 0:
        decoder.declared_seconds = samples / decoder.sample_rate
    return decoder


def _check_any(samples: int, seconds: float, damaged: int) -> None:
    if samples:
        return
    if damaged:
        raise UnsupportedAudioError("nothing of the audio can be decoded: it is damaged")
    if seconds:
        raise EmptyAudioError(f"the audio is too short: {seconds:.6f} s is no sample at 16 kHz")
    raise EmptyAudioError("the audio holds no samples")
