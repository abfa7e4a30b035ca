"""Audio in every container that we can make, as a file, as a stream and as headerless PCM."""

import io
import zlib
from random import Random
from typing import get_args

from auricle.audio import AudioLimits, Encoding, PcmFormat, iter_audio, load_audio
from auricle_types.errors import AudioError
from tests.asr.audio_files import ALL_FORMATS, Pipe, chirp, encoded, film, shorten, sphere
from tests.fuzz.mutations import mutated

EXPECTED = (AudioError,)
_LIMITS = AudioLimits(max_seconds=60.0, max_bytes=1 << 22)
_ENCODINGS = get_args(Encoding)
_FILMS = (
    *(("avi", "mp3"), ("flv", "aac"), ("mpegts", "aac"), ("mpeg", "mp2"), ("asf", "wmav2")),
    *(("nut", "aac"), ("rm", "ac3"), ("matroska", "flac"), ("wtv", "mp2")),
    *(("ac3", "ac3"), ("tta", "tta"), ("wv", "wavpack"), ("voc", "pcm_s16le"), ("mov", "alac")),
    *(("ogg", "flac"), ("w64", "adpcm_ima_wav"), ("wav", "adpcm_ima_wav"), ("aiff", "pcm_s16le")),
)


def seeds() -> list[bytes]:
    """A tenth of a second in each."""
    pcm = (chirp(0.064, 8_000, 1)[:, 0] * 32_000).astype("<i2")
    fields = {"sample_rate": 8_000, "channel_count": 1, "sample_n_bytes": 2}
    return [
        *(encoded(name, 0.1, 48_000, 2) for name in ALL_FORMATS),
        *(film(muxer, codec, seconds=0.1) for muxer, codec in _FILMS),
        sphere(pcm.tobytes(), sample_count=len(pcm), sample_byte_format="01", **fields),
        shorten(pcm),
    ]


def new(seeds: list[bytes], random: Random) -> bytes:
    """One of the files, damaged."""
    return mutated(random.choice(seeds), seeds, random)


def attempt(data: bytes) -> None:
    """Decode it; in which way depends on its bytes alone."""
    chance = Random(zlib.crc32(data))
    rate, channels = chance.choice((8_000, 44_100, 1 << 31)), chance.choice((1, 2, 7, 99))
    pcm = PcmFormat(rate, channels, chance.choice(_ENCODINGS))
    declared = pcm if chance.random() < 0.2 else None
    if chance.random() < 0.5:
        load_audio(data, pcm=declared, limits=_LIMITS)
    else:
        source = Pipe(data, 777) if chance.random() < 0.7 else io.BytesIO(data)
        for _ in iter_audio(source, pcm=declared, limits=_LIMITS):
            pass
