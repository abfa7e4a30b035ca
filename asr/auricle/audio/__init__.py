"""Bytes in, waveform out: any format to mono float32 at 16 kHz, bounded while it decodes.

The way of the bytes: `source` (counted, capped) -> `container` (which of `formats` is it?) ->
`decoders` (blocks at the audio's own rate, gaps of the `clock` as silence) -> `converter` (limits,
`mono`, 16 kHz) -> `stream` and `loading`. A server does most of it in `processes` of its own.
"""

from auricle.audio.arrays import Arrays, as_arrays
from auricle.audio.audio import Audio, Samples, validate_samples
from auricle.audio.loading import load_audio, open_audio
from auricle.audio.stream import AudioStream, iter_audio
from auricle_types.options import AudioLimits, Encoding, PcmFormat

__all__ = [
    "Arrays",
    "Audio",
    "AudioLimits",
    "AudioStream",
    "Encoding",
    "PcmFormat",
    "Samples",
    "as_arrays",
    "iter_audio",
    "load_audio",
    "open_audio",
    "validate_samples",
]
