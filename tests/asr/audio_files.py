"""Sound that we make, in every format that Auricle reads: helpers for tests, no tests."""

import functools
import io
import struct
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import soundfile
import soxr

Waveform = npt.NDArray[np.float32]

SOUNDFILE_FORMATS = {  # name: (container, subtype)
    "pcm8.wav": ("WAV", "PCM_U8"),
    "pcm16.wav": ("WAV", "PCM_16"),
    "pcm24.wav": ("WAV", "PCM_24"),
    "pcm32.wav": ("WAV", "PCM_32"),
    "float32.wav": ("WAV", "FLOAT"),
    "float64.wav": ("WAV", "DOUBLE"),
    "mulaw.wav": ("WAV", "ULAW"),
    "alaw.wav": ("WAV", "ALAW"),
    "extensible.wav": ("WAVEX", "PCM_16"),
    "rf64.wav": ("RF64", "PCM_16"),
    "adpcm.wav": ("WAV", "MS_ADPCM"),
    "pcm16.w64": ("W64", "PCM_16"),
    "pcm16.aiff": ("AIFF", "PCM_16"),
    "pcm16.au": ("AU", "PCM_16"),
    "pcm16.caf": ("CAF", "PCM_16"),
    "pcm16.flac": ("FLAC", "PCM_16"),
    "pcm24.flac": ("FLAC", "PCM_24"),
    "vorbis.ogg": ("OGG", "VORBIS"),
    "opus.ogg": ("OGG", "OPUS"),
    "xing.mp3": ("MP3", "MPEG_LAYER_III"),
}
AV_FORMATS = {  # name: (muxer, codec, muxer options)
    "lame.mp3": ("mp3", "libmp3lame", {}),
    "index_last.m4a": ("ipod", "aac", {}),
    "index_first.m4a": ("ipod", "aac", {"movflags": "faststart"}),
    "fragmented.mp4": ("mp4", "aac", {"movflags": "frag_keyframe+empty_moov"}),
    "opus.webm": ("webm", "libopus", {}),
    "adts.aac": ("adts", "aac", {}),
}
ALL_FORMATS = [*SOUNDFILE_FORMATS, *AV_FORMATS]
EXACT_FORMATS = [
    name for name, (_, subtype) in SOUNDFILE_FORMATS.items()
    if subtype in {"PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"}
]  # fmt: skip


def chirp(seconds: float = 1.0, sample_rate: int = 48_000, channels: int = 2) -> Waveform:
    """A rising tone `(S, channels)`, each channel quieter than the one before."""
    t = np.arange(round(seconds * sample_rate)) / sample_rate
    tone = 0.5 * np.sin(2 * np.pi * (200 + 400 * t) * t)
    return np.stack([tone / (1 + i) for i in range(channels)], axis=1).astype(np.float32)


@functools.cache
def encoded(name: str, seconds: float = 1.0, sample_rate: int = 48_000, channels: int = 2) -> bytes:
    """The chirp as a file of the format `name`, one of `ALL_FORMATS`."""
    sound = chirp(seconds, sample_rate, channels)
    if name in SOUNDFILE_FORMATS:
        container, subtype = SOUNDFILE_FORMATS[name]
        return write(sound, sample_rate, container, subtype)
    return _encode_av(sound, sample_rate, *AV_FORMATS[name])


def write(
    sound: Waveform, sample_rate: int, container: str = "WAV", subtype: str = "PCM_16"
) -> bytes:
    """`sound (S, channels)` by soundfile."""
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, sample_rate, format=container, subtype=subtype)
    return buffer.getvalue()


def _encode_av(
    sound: Waveform, sample_rate: int, muxer: str, codec: str, options: dict[str, str]
) -> bytes:
    layout = {1: "mono", 2: "stereo"}[sound.shape[1]]
    with tempfile.TemporaryDirectory() as folder:  # moving an index to the front needs a real file
        path = Path(folder) / "sound"
        _mux_av(path, sound, sample_rate, layout, (muxer, codec, options))
        return path.read_bytes()


def _mux_av(
    path: Path,
    sound: Waveform,
    sample_rate: int,
    layout: str,
    how: tuple[str, str, dict[str, str]],
) -> None:
    muxer, codec, options = how
    with av.open(str(path), "w", format=muxer, options=options) as container:
        stream: Any = container.add_stream(codec, rate=sample_rate, layout=layout)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound.T), "fltp", layout)
        frame.sample_rate = sample_rate
        size = stream.codec_context.frame_size or 1024
        resampler = av.AudioResampler(stream.format, layout, sample_rate, frame_size=size)
        for part in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(stream.encode(part))


def mono16k(sound: Waveform, sample_rate: int) -> Waveform:
    """What any reader should make of `sound (S, channels)`: the reference, by whole-file soxr."""
    mono: Waveform = sound.mean(axis=1, dtype=np.float32)
    if sample_rate == 16_000:
        return mono
    resampled: Waveform = soxr.resample(mono, sample_rate, 16_000)
    return resampled


def patched(data: bytes, offset: int, layout: str, value: int) -> bytes:
    """`data` with one number of a header overwritten."""
    forged = bytearray(data)
    struct.pack_into(layout, forged, offset, value)
    return bytes(forged)


class Pipe:
    """A blocking reader that cannot seek and gives at most `chunk` bytes at a time."""

    def __init__(self, data: bytes, chunk: int = 1000) -> None:
        self._data = io.BytesIO(data)
        self._chunk = chunk
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        wanted = self._chunk if size < 0 else min(size, self._chunk)
        data = self._data.read(wanted)
        self.given += len(data)
        return data


def sphere(data: bytes, header_bytes: int = 1024, **fields: int | str) -> bytes:
    """A NIST SPHERE file of `data` behind a header with `fields`."""
    kinds = {
        name: f"-i {value}" if isinstance(value, int) else f"-s{len(value)} {value}"
        for name, value in fields.items()
    }
    lines = ["NIST_1A", f"{header_bytes:7}", *(f"{n} {k}" for n, k in kinds.items()), "end_head\n"]
    return "\n".join(lines).encode().ljust(header_bytes) + data


def shorten(samples: npt.NDArray[np.int16], block: int = 256) -> bytes:
    """Mono 16-bit `samples`, whole blocks, by Shorten (Robinson 1994) without prediction."""
    code = [_uint(value) for value in (5, 1, block, 0, 0, 0)]  # 16-bit little-endian, one channel
    for start in range(0, len(samples), block):
        code += [_rice(0, 2), _rice(11, 3)]  # no prediction, 12 bits of each residual
        code += [_rice((s << 1) ^ (s >> 31), 12) for s in samples[start : start + block].tolist()]
    bits = "".join([*code, _rice(4, 2)])  # the end
    bits += "0" * (-len(bits) % 32)
    return b"ajkg\x02" + int(bits, 2).to_bytes(len(bits) // 8, "big")


def _rice(value: int, k: int) -> str:
    return "0" * (value >> k) + "1" + f"{value & ((1 << k) - 1):0{k}b}" * bool(k)


def _uint(value: int) -> str:
    k = max(0, value.bit_length() - 1)
    return _rice(k, 2) + _rice(value, k)


@functools.cache
def film(
    muxer: str,
    codec: str,
    *,
    seconds: float = 2.0,
    picture: float = 0.0,
    start: float = 0.0,
    gap: tuple[float, float] = (0.0, 0.0),
    rate: int = 48_000,
) -> bytes:
    """A chirp in a container, its clock from `start` on, with `picture` seconds of noise beside it.

    `gap`: after how many seconds of sound how many follow without packets.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film"
        with av.open(str(path), "w", format=muxer) as container:
            packets = _picture(container, picture) if picture else []
            for packet in _sound(container, codec, seconds, rate):
                late = start + (gap[1] if packet.pts * packet.time_base >= gap[0] else 0.0)
                ticks = round(late / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                packets.append(packet)
            for packet in sorted(packets, key=lambda each: float(each.dts * each.time_base)):
                container.mux(packet)
        return path.read_bytes()


def _sound(container: Any, codec: str, seconds: float, rate: int) -> list[Any]:  # noqa: ANN401
    stream: Any = container.add_stream(codec, rate=rate, layout="mono")
    if codec not in ("flac", "pcm_s16le"):
        stream.bit_rate = 64_000 if rate > 8_000 else 12_200
    frame = av.AudioFrame.from_ndarray(chirp(seconds, rate, 1).T.copy(), "fltp", "mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    stream.codec_context.open(strict=False)
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.format, "mono", rate, frame_size=size)
    parts = [*resampler.resample(frame), *resampler.resample(None), None]
    return [p for part in parts for p in stream.encode(part) if p.dts is not None]


_PICTURE_CODECS = {"mpeg": "mpeg2video", "mpegts": "mpeg2video", "webm": "libvpx", "flv": "flv"}


def _picture(container: Any, seconds: float) -> list[Any]:  # noqa: ANN401
    codec = _PICTURE_CODECS.get(container.format.name, "mpeg4")
    stream: Any = container.add_stream(codec, rate=25)
    stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
    random = np.random.default_rng(0)
    frames = []
    for index in range(round(seconds * 25)):
        frame = av.VideoFrame.from_ndarray(random.integers(0, 256, (48, 32), np.uint8), "yuv420p")
        frame.pts = index
        frames.append(frame)
    return [p for frame in [*frames, None] for p in stream.encode(frame) if p.dts is not None]
