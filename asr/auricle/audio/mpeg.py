"""Where MPEG audio begins: two frames in a row, behind whatever stands before them.

The headers are those of ISO 11172-3 and 13818-3 (Layers I to III) and 13818-7 (AAC in ADTS).
"""

from typing import NamedTuple

_RATES = (44_100, 48_000, 32_000)
_KBIT = {  # (is version 1, layer) -> bit rates from index 1
    (True, 1): tuple(range(32, 449, 32)),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HEADER_BYTES = 6
_MIN_ADTS_BYTES = 7


class Frames(NamedTuple):
    """`container`, by FFmpeg's name, from byte `start`."""

    container: str
    start: int


def find_frames(head: bytes) -> Frames | None:
    """The first two frames in a row; the first alone if it stands at 0 and `head` ends in it."""
    start = head.find(b"\xff")
    while start >= 0:
        if container := _frames_at(head, start):
            return Frames(container, start)
        start = head.find(b"\xff", start + 1)
    return None


def _frames_at(head: bytes, start: int) -> str | None:
    header = head[start : start + _HEADER_BYTES]
    size = _frame_bytes(header)
    if size is None:
        return None
    following = head[start + size : start + size + _HEADER_BYTES]
    if following and not _same_stream(header, following):
        return None
    if not following and start:
        return None
    return "mp3" if header[1] & 6 else "aac"


def _same_stream(header: bytes, following: bytes) -> bool:
    """Whether version, layer and sampling rate agree."""
    if len(following) < _HEADER_BYTES:  # the end of what we see
        return header[:2].startswith(following[:2])
    same = header[1] == following[1] and not (header[2] ^ following[2]) & 0x0C
    return same and following[0] == 0xFF and _frame_bytes(following) is not None


def _frame_bytes(header: bytes) -> int | None:
    """The size of the frame that `header` opens, None if it opens none."""
    if len(header) < _HEADER_BYTES or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    return _layer_bytes(header) if header[1] & 6 else _adts_bytes(header)


def _layer_bytes(header: bytes) -> int | None:
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bit_rate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version == 1 or bit_rate in (0, 15) or rate == 3:
        return None
    hertz = _RATES[rate] >> (3 - version) - (version == 0)
    bits = 1000 * _KBIT[version == 3, layer][bit_rate - 1]
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    return (72 if layer == 3 and version != 3 else 144) * bits // hertz + padding


def _adts_bytes(header: bytes) -> int | None:
    if header[1] & 0xF0 != 0xF0 or header[2] >> 2 & 15 > 12:
        return None
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return size if size >= _MIN_ADTS_BYTES else None
