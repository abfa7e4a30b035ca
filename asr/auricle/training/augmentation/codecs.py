"""What codecs leave of speech: encoded and decoded in memory by FFmpeg (PyAV)."""

from fractions import Fraction
from typing import Literal, cast

import numpy as np
from av import AudioCodecContext, AudioFrame, CodecContext, Packet
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from auricle.config import SAMPLE_RATE

Floats = NDArray[np.float32]

OPUS_OUTPUT_RATE = 48_000  # Hz, whatever went in
COMPLEXITY = "5"  # of 10; what telephones afford


def mu_law(samples: Floats, sample_rate: int) -> Floats:
    """`samples (S,)` through G.711 mu-law; what exceeds full scale is clipped."""
    packets = _encode(_encoder("pcm_mulaw", sample_rate), samples)
    decoder = _context("pcm_mulaw", "r")
    decoder.sample_rate, decoder.layout = sample_rate, "mono"
    return _decode(decoder, packets)[: len(samples)]


def opus(samples: Floats, bit_rate: int) -> Floats:
    """`samples (S,)` at `SAMPLE_RATE` through Opus for speech at `bit_rate` bits a second.

    The decoder takes the encoder's delay out, since `extradata` states it, and the result is as
    long as what went in.
    """
    encoder = _encoder("libopus", SAMPLE_RATE)
    encoder.bit_rate = bit_rate
    encoder.options = {"application": "voip", "compression_level": COMPLEXITY}
    packets = _encode(encoder, samples)
    decoder = _context("libopus", "r")
    decoder.extradata = encoder.extradata
    # Nothing above 8 kHz went in, so that every third sample says it all.
    decoded = _decode(decoder, packets)[:: OPUS_OUTPUT_RATE // SAMPLE_RATE]
    return np.ascontiguousarray(decoded[: len(samples)])


def _context(name: str, mode: Literal["r", "w"]) -> AudioCodecContext:
    return cast(AudioCodecContext, CodecContext.create(name, mode))


def _encoder(name: str, sample_rate: int) -> AudioCodecContext:
    encoder = _context(name, "w")
    encoder.sample_rate, encoder.layout, encoder.format = sample_rate, "mono", "s16"
    encoder.time_base = Fraction(1, sample_rate)
    return encoder


def _encode(encoder: AudioCodecContext, samples: Floats) -> "list[Packet[AudioStream]]":
    pcm = (np.clip(samples, -1.0, 1.0) * 32767.0).round().astype(np.int16)
    frame = AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
    frame.sample_rate, frame.time_base, frame.pts = encoder.sample_rate, encoder.time_base, 0
    return [*encoder.encode(frame), *encoder.encode(None)]


def _decode(decoder: AudioCodecContext, packets: "list[Packet[AudioStream]]") -> Floats:
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    pcm = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    return pcm.astype(np.float32) / 32767.0
