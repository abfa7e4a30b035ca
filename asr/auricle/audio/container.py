"""What are these bytes? Told from their first ones, never from a file's name.

Each container is named as FFmpeg names its demuxer, and only these demuxers are ever opened:
FFmpeg's own guessing would also open playlists, which make it fetch other files.
"""

import struct
from collections.abc import Callable
from typing import TypeAlias

from auricle.audio.pcm import PcmFormat
from auricle.errors import EmptyAudioError, UnsupportedAudioError

Peek: TypeAlias = Callable[[int], bytes]  # the first n bytes, fewer only when there are no more

SNIFF_BYTES = 16
HEAD_BYTES = 1 << 16  # how far we look for a header's parts
_MPEG_RATE_INVALID = 3
_SIGNATURES = (  # (offset, magic, container)
    (8, b"WAVE", "wav"),
    (0, b"riff\x2e\x91\xcf\x11", "w64"),
    (0, b"FORM", "aiff"),
    (0, b".snd", "au"),
    (0, b"caff", "caf"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"ID3", "mp3"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"),
    (0, b"#!AMR", "amr"),
)


def identify(head: bytes, pcm: PcmFormat | None) -> str | None:
    """The container that `head` opens, or None for the headerless PCM that `pcm` declares.

    Raises EmptyAudioError, and UnsupportedAudioError for unknown bytes without `pcm`.
    """
    if not head:
        raise EmptyAudioError("the audio is empty: it has 0 bytes")
    for offset, magic, container in _SIGNATURES:
        if head[offset : offset + len(magic)] == magic:
            return container
    if pcm is not None:
        return None  # before the next test: any PCM may happen to hold an MPEG sync word
    if container_name := _mpeg_sync(head):
        return container_name
    raise UnsupportedAudioError(
        f"this is not audio that we can read: it begins with {bytes(head[:12])!r}. Send WAV, "
        "FLAC, Ogg, MP3, M4A, AAC or WebM, or state the format of headerless PCM"
    )


def _mpeg_sync(head: bytes) -> str | None:
    """MP3 or ADTS AAC without any tag in front: eleven set bits and plausible fields."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        return "aac"
    layer, rate = head[1] >> 1 & 3, head[2] >> 2 & 3
    return "mp3" if layer and rate != _MPEG_RATE_INVALID else None


def needs_seeking(container: str | None, peek: Peek) -> bool:
    """Whether the container can only be read from a file: CAF, and MP4 with its index last."""
    return container == "caf" or (container == "mov" and not _index_comes_first(peek))


def _index_comes_first(peek: Peek) -> bool:
    position = 0
    while position < HEAD_BYTES:
        box = peek(position + 8)[position:]
        if len(box) < 8 or box[4:] == b"mdat":
            return False
        if box[4:] == b"moov":
            return True
        position += max(8, struct.unpack(">I", box[:4])[0])
    return False


def declared_mp3_frames(peek: Peek) -> int | None:
    """The number of MPEG frames in the Xing or Info tag of an MP3's first frame, if it has one."""
    start = _id3_size(peek(10))
    if start > HEAD_BYTES:
        return None
    frame = peek(start + 256)[start:]
    tag = max(frame.find(b"Xing"), frame.find(b"Info"))
    if tag < 0 or len(frame) < tag + 12 or not frame[tag + 7] & 1:
        return None
    return int.from_bytes(frame[tag + 8 : tag + 12], "big")


def _id3_size(head: bytes) -> int:
    if head[:3] != b"ID3":
        return 0
    return 10 + sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=False))
