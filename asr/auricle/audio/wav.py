"""The header of a WAV file: its own word on rate, channels, encoding and length.

The layout is that of RIFF WAVE (Microsoft, 1991), its extensible format, and RF64 (EBU Tech 3306).
"""

import struct
from dataclasses import dataclass

from auricle.audio.container import HEAD_BYTES, Peek
from auricle_types.options import Encoding, PcmFormat

_EXTENSIBLE = 0xFFFE  # the true format tag comes later in the header
_BY_LIBSNDFILE = (0x38, 0x40)  # NMS ADPCM, which FFmpeg lacks; G.721, which it gets wrong
_UNKNOWN_LENGTH = 0x7FFF_F000  # sizes from here on are the placeholders of programs that pipe
_ENCODINGS: dict[tuple[int, int], Encoding] = {  # (format tag, bits) -> encoding
    (1, 8): "u8",
    (1, 16): "s16le",
    (1, 24): "s24le",
    (1, 32): "s32le",
    (3, 32): "f32le",
    (3, 64): "f64le",
    (6, 8): "alaw",
    (7, 8): "mulaw",
}


@dataclass(frozen=True, slots=True)
class WavHeader:
    """What a WAV file says of itself. Positions in bytes; `data_end` None: length unknown."""

    sample_rate: int
    channels: int
    encoding: Encoding | None  # None: a codec that is no plain PCM
    data_start: int
    data_end: int | None
    by_libsndfile: bool = False  # a codec that FFmpeg does not read right

    @property
    def pcm(self) -> PcmFormat | None:
        """The format of the data behind the header, when it is plain PCM."""
        if self.encoding is None or self.channels < 1:
            return None
        return PcmFormat(self.sample_rate, self.channels, self.encoding)

    @property
    def declared_seconds(self) -> float | None:
        """How long the data should last, when the header says so and can be right."""
        if self.pcm is None or self.data_end is None or self.sample_rate < 1:
            return None
        return (self.data_end - self.data_start) // self.pcm.frame_bytes / self.sample_rate


def read_wav_header(peek: Peek) -> WavHeader | None:
    """The header of a WAV or RF64 file, or None when it is odd: then its decoder must judge."""
    if peek(4) == b"RIFX":  # the same in big-endian
        return None
    position, fmt, long_size = 12, b"", 0
    while position < HEAD_BYTES:
        chunk = peek(position + 8)[position:]
        if len(chunk) < 8:
            return None
        name, size = struct.unpack("<4sI", chunk)
        position += 8
        if name == b"data":
            return _wav_header(fmt, position, long_size or size)
        if name in (b"fmt ", b"ds64"):
            body = peek(position + min(size, 40))[position:]
            if name == b"fmt ":
                fmt = body
            elif len(body) >= 16:
                long_size = struct.unpack_from("<Q", body, 8)[0]
        position += size + size % 2  # chunks begin at even positions
    return None


def _wav_header(fmt: bytes, data_start: int, size: int) -> WavHeader | None:
    if len(fmt) < 16:
        return None
    tag, channels, sample_rate, _, _, bits = struct.unpack_from("<HHIIHH", fmt)
    if tag == _EXTENSIBLE and len(fmt) >= 26:
        tag = struct.unpack_from("<H", fmt, 24)[0]
    known = 0 < size < _UNKNOWN_LENGTH or size > 0xFFFF_FFFF
    end = data_start + size if known else None
    encoding = _ENCODINGS.get((tag, bits))
    return WavHeader(sample_rate, channels, encoding, data_start, end, tag in _BY_LIBSNDFILE)
