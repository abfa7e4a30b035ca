"""Headerless PCM: what a caller must state because the bytes do not."""

from dataclasses import dataclass
from typing import Literal, get_args

from auricle_types.errors import InvalidOptionError

# As FFmpeg calls them, which is how most people do.
Encoding = Literal[
    "u8", "s8", "s16le", "s16be", "s24le", "s32le", "f32le", "f64le", "mulaw", "alaw"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """The format of headerless bytes; `sample_rate` in Hz. A container's own header wins over it.

    Raises InvalidOptionError for an unknown encoding or no channels. The rate is checked when
    the audio is read, against `AudioLimits`.
    """

    sample_rate: int
    channels: int = 1
    encoding: Encoding = "s16le"

    def __post_init__(self) -> None:
        if self.encoding not in get_args(Encoding):
            known = ", ".join(get_args(Encoding))
            raise InvalidOptionError(f"encoding {self.encoding!r} is unknown; known: {known}")
        if self.channels < 1:
            raise InvalidOptionError(f"channels must be at least 1, not {self.channels}")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample in all channels."""
        digits = "".join(filter(str.isdigit, self.encoding))
        return self.channels * int(digits or 8) // 8  # mu-law and A-law have 8 bits
