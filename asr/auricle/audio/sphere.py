"""The header of a NIST SPHERE file: lines of text, `sample_rate -i 16000`, then the samples.

Read here, as FFmpeg refuses samples with fewer significant bits than they have room for, and
libsndfile headers longer than 1024 bytes. What is compressed is left to FFmpeg.
"""

from dataclasses import dataclass

from auricle.audio.container import HEAD_BYTES, Peek
from auricle_types.errors import UnsupportedAudioError
from auricle_types.options import Encoding, PcmFormat

_LAWS: dict[str, Encoding] = {
    "ulaw": "mulaw", "mu-law": "mulaw", "mulaw": "mulaw", "alaw": "alaw", "a-law": "alaw",
}  # fmt: skip
_BY_FFMPEG = "pcm,embedded-shorten"
_LINEAR: dict[tuple[str, str], Encoding] = {  # (bytes, order of the bytes) -> encoding
    ("1", ""): "s8",
    ("2", "01"): "s16le",
    ("2", "10"): "s16be",
    ("3", "01"): "s24le",
    ("4", "01"): "s32le",
}


@dataclass(frozen=True, slots=True)
class SphereHeader:
    """The samples are `pcm`, from byte `data_start` on, `samples` of each channel if it says so."""

    pcm: PcmFormat
    data_start: int
    samples: int | None

    @property
    def data_end(self) -> int | None:
        """Where the samples end, in bytes."""
        if self.samples is None:
            return None
        return self.data_start + self.samples * self.pcm.frame_bytes

    @property
    def declared_seconds(self) -> float | None:
        """How long the samples should last."""
        if self.samples is None or self.pcm.sample_rate < 1:
            return None
        return self.samples / self.pcm.sample_rate


def read_sphere_header(peek: Peek) -> SphereHeader | None:
    """The header, or None when the samples are no plain PCM or the header is odd.

    Raises UnsupportedAudioError for what neither we nor FFmpeg can decode.
    """
    size = _number(peek(16)[8:])
    if not size or not 16 <= size <= HEAD_BYTES:
        return None
    fields = _fields(peek(size)[16:])
    _check_layout(fields)
    encoding, rate = _encoding(fields), _number(fields.get("sample_rate", ""))
    channels = _number(fields.get("channel_count", "1"))
    if encoding is None or rate is None or not channels:
        return None
    count = _number(fields.get("sample_count", ""))
    return SphereHeader(PcmFormat(rate, channels, encoding), size, count)


def _check_layout(fields: dict[str, str]) -> None:
    if fields.get("channels_interleaved", "TRUE").upper() == "FALSE":
        raise UnsupportedAudioError("a SPHERE file whose channels are not interleaved: convert it")
    coding = fields.get("sample_coding", "pcm").lower()
    if coding not in ("pcm", *_LAWS) and not coding.startswith(_BY_FFMPEG):
        raise UnsupportedAudioError(
            f"a SPHERE file coded as {coding!r}: decompress it, as with NIST's w_decode or sph2pipe"
        )


def _fields(header: bytes) -> dict[str, str]:
    """`{name: value}` of the lines `name -type value`."""
    text = header.split(b"end_head")[0].decode("latin-1")
    parts = (line.split(None, 2) for line in text.splitlines())
    return {part[0]: part[2].strip() for part in parts if len(part) == 3}


def _encoding(fields: dict[str, str]) -> Encoding | None:
    coding = fields.get("sample_coding", "pcm").lower()
    if coding != "pcm":
        return _LAWS.get(coding)
    size = fields.get("sample_n_bytes", "2")
    order = fields.get("sample_byte_format", "01") if size != "1" else ""
    return _LINEAR.get((size, order))


def _number(text: str | bytes) -> int | None:
    digits = text.strip()
    return int(digits) if digits.isdigit() and len(digits) < 19 else None
