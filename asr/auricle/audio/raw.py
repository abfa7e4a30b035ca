"""Headerless PCM as it comes: each chunk of bytes a block of samples, by libsndfile."""

import io
from collections.abc import Iterator

import soundfile

from auricle.audio.decoders import Block
from auricle.audio.source import ByteSource
from auricle_types.options import Encoding, PcmFormat

_SUBTYPES: dict[Encoding, str] = {  # libsndfile's names
    "u8": "PCM_U8",
    "s8": "PCM_S8",
    "s16le": "PCM_16",
    "s16be": "PCM_16",
    "s24le": "PCM_24",
    "s32le": "PCM_32",
    "f32le": "FLOAT",
    "f64le": "DOUBLE",
    "mulaw": "ULAW",
    "alaw": "ALAW",
}


class RawDecoder:
    """An `AudioDecoder` for bytes of which a `PcmFormat` says everything.

    FFmpeg would cut them into packets of 64 ms, and a server of many streams would be busier with
    the packets than with the audio.
    """

    exact = True
    damaged = 0

    def __init__(
        self, source: ByteSource, pcm: PcmFormat, declared_seconds: float | None = None
    ) -> None:
        self.sample_rate = pcm.sample_rate
        self.channels = pcm.channels
        self.declared_seconds = declared_seconds
        self._source = source
        self._pcm = pcm

    def blocks(self) -> Iterator[Block]:
        """A block a chunk, as soon as it is there. Raises whatever the reader raises."""
        rest = b""
        while chunk := self._source.read():
            data = rest + chunk
            whole = len(data) - len(data) % self._pcm.frame_bytes
            rest = data[whole:]
            if whole:
                yield self._block(data[:whole])

    def close(self) -> None:
        """There is nothing to free."""

    def _block(self, data: bytes) -> Block:
        pcm = self._pcm
        samples, rate = soundfile.read(
            io.BytesIO(data),
            format="RAW",
            subtype=_SUBTYPES[pcm.encoding],
            endian="BIG" if pcm.encoding.endswith("be") else "LITTLE",
            samplerate=pcm.sample_rate,
            channels=pcm.channels,
            dtype="float32",
            always_2d=True,
        )
        return Block(samples, rate)
