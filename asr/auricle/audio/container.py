"""What are these bytes? Told from themselves, never from a file's name.

First by the marks of `formats`, behind tags and zeros; then by MPEG frames, which may begin
anywhere; then by FFmpeg's own probing, among the formats that open no other files.
"""

import io
import struct
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import av

from auricle.audio.formats import FORMATS, by_magic
from auricle.audio.mpeg import find_frames
from auricle_types.errors import EmptyAudioError, UnsupportedAudioError
from auricle_types.options import PcmFormat

Peek: TypeAlias = Callable[[int], bytes]  # the first n bytes, fewer only when there are no more

HEAD_BYTES = 1 << 16  # how far we look for a header's parts
SNIFF_BYTES = 32
_SEARCH_BYTES = (1 << 12, 1 << 14, HEAD_BYTES)  # more only where less is not enough
_UNMARKED = {each.name for each in FORMATS.values() if not each.magics}
_PROBED = ",".join(sorted(_UNMARKED - {"mp3", "aac"}))  # for these, find_frames knows better
_SEEKING = frozenset({"caf", "iff", "wtv", "wv"})
_INDEXED = {"mov": (0, b"moov", b"mdat"), "aiff": (12, b"COMM", b"SSND")}  # (from, index, data)
_AU_G72X = (23, 25, 26)  # of AU's encodings: G.721, G.723 with 24 and with 40 kbit/s
_OTHERS = {
    b"#EXTM3U": "a playlist: give the recordings that it names",
    b"MThd": "MIDI, which is notes and no sound",
    b"PK\x03\x04": "a ZIP archive: unpack it",
    b"\x1f\x8b": "compressed by gzip: unpack it",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"<": "HTML or XML, perhaps an error page in place of a download",
}


class Found(NamedTuple):
    """The `name` of a format in `FORMATS`, which begins at byte `start`; None: headerless PCM."""

    name: str | None
    start: int = 0


def tag_bytes(peek: Peek) -> int:
    """The size of the ID3 tag that comes next, 0 if none does (id3.org, ID3v2.4)."""
    head = peek(10)
    if len(head) < 10 or head[:3] != b"ID3" or head[3] == 0xFF or max(head[6:]) > 127:
        return 0
    size = sum(byte << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    return size + (20 if head[5] & 16 else 10)  # with a footer or without


def identify(peek: Peek, pcm: PcmFormat | None) -> Found:
    """What the bytes behind any tags are; headerless PCM only where `pcm` declares it.

    Raises EmptyAudioError, and UnsupportedAudioError for unknown bytes without `pcm`.
    """
    head = peek(SNIFF_BYTES)
    if not head:
        raise EmptyAudioError("the audio is empty: it has 0 bytes")
    if marked := by_magic(head):
        return Found(marked.name)
    if pcm is not None:
        return Found(None)  # PCM may happen to hold anything that is looked for from here on
    return _searched(peek) or _probed(peek(HEAD_BYTES))


def _searched(peek: Peek) -> Found | None:
    """Behind zeros, or MPEG frames, within the first 64 KiB."""
    for size in _SEARCH_BYTES:
        head = peek(size)
        start = len(head) - len(head.lstrip(b"\0"))
        if marked := by_magic(head[start : start + SNIFF_BYTES]):
            return Found(marked.name, start)
        if frames := find_frames(head):
            return Found(frames.container, frames.start)
    return None


def _probed(head: bytes) -> Found:
    if weakly := by_magic(head, weak=True):
        return Found(weakly.name)
    try:
        # Whichever format FFmpeg finds the likeliest is refused unless it stands on our list.
        options = {"format_whitelist": _PROBED}
        with av.open(io.BytesIO(head), options=options, metadata_errors="replace") as container:
            return Found(container.format.name)
    except av.FFmpegError as error:
        raise UnsupportedAudioError(
            f"this is not audio that we can read: {_described(head)}. Send WAV, FLAC, Ogg, MP3, "
            "M4A, AAC or WebM, or state the format of headerless PCM"
        ) from error


def _described(head: bytes) -> str:
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            return f"it is {what}"
    return f"it begins with {bytes(head[:12])!r}"


def needs_libsndfile(name: str, peek: Peek) -> bool:
    """Whether libsndfile must read it: what FFmpeg cannot, or G.72x in AU, which it gets wrong."""
    encoding = int.from_bytes(peek(16)[12:], "big")
    return FORMATS[name].whole or (name == "au" and encoding in _AU_G72X)


def needs_seeking(name: str, peek: Peek) -> bool:
    """Whether FFmpeg must have a file, as when what describes the data comes behind it."""
    return name in _SEEKING or (name in _INDEXED and not _index_comes_first(peek, *_INDEXED[name]))


def _index_comes_first(peek: Peek, position: int, index: bytes, data: bytes) -> bool:
    """In boxes of MP4 (size, name) or in chunks of AIFF (name, size of the rest)."""
    while position < HEAD_BYTES:
        box = peek(position + 8)[position:]
        if len(box) < 8 or data in box:
            return False
        if index in box:
            return True
        position += _box_bytes(box, sized_first=index == b"moov")
    return False


def _box_bytes(box: bytes, *, sized_first: bool) -> int:
    if sized_first:
        return max(8, int(struct.unpack(">I", box[:4])[0]))
    size = int(struct.unpack(">I", box[4:])[0])
    return 8 + size + size % 2


def declared_mp3_samples(peek: Peek, frame_samples: int) -> int | None:
    """By the Xing or Info tag in an MP3's first frame, less what encoders add and FFmpeg trims."""
    frame = peek(256)
    tag = max(frame.find(b"Xing"), frame.find(b"Info"))
    if tag < 0 or len(frame) < tag + 12 or not frame[tag + 7] & 1:
        return None
    flags = frame[tag + 7]
    lame = tag + 12 + 4 * bool(flags & 2) + 100 * bool(flags & 4) + 4 * bool(flags & 8)
    added = int.from_bytes(frame[lame + 21 : lame + 24], "big")  # twelve bits each
    frames = int.from_bytes(frame[tag + 8 : tag + 12], "big")
    return frames * frame_samples - (added >> 12) - (added & 0xFFF)
