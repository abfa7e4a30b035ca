"""Whole audio: `load_audio`, from a path, bytes, a file or an array."""

import io
import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any, BinaryIO, cast

import numpy as np

from auricle.audio.arrays import Arrays, as_arrays, from_arrays
from auricle.audio.audio import Audio
from auricle.audio.container import HEAD_BYTES
from auricle.audio.decoders import LOSSLESS, SoundfileDecoder
from auricle.audio.formats import by_magic
from auricle.audio.limits import DEFAULT_LIMITS, check_bytes, check_format
from auricle.audio.source import is_seekable
from auricle.audio.stream import AudioStream, iter_audio
from auricle.audio.wav import read_wav_header
from auricle_types.errors import AudioError, AudioNotFoundError, UnsupportedAudioError
from auricle_types.options import AudioLimits, PcmFormat


def load_audio(
    source: str | os.PathLike[str] | bytes | BinaryIO | Arrays,
    *,
    pcm: PcmFormat | None = None,
    limits: AudioLimits = DEFAULT_LIMITS,
) -> Audio:
    """Read any common audio as mono float32 at 16 kHz.

    Args:
        source: a path; the bytes of a file; a file that is open for reading bytes; samples as an
            array or a tensor, mono at 16 kHz; or such samples with their rate, as soundfile,
            librosa and torchaudio return them, one or two dimensions.
        pcm: the format of headerless bytes.
        limits: what is too much.

    Returns:
        The audio. Of a truncated file the good part comes, with a warning.

    Raises:
        AudioError: its subclasses say what is wrong.
    """
    if (given := as_arrays(source)) is not None:
        return from_arrays(given, limits)
    with _opened(source) as file:
        return _load_lossless(file, limits) or _collect(iter_audio(file, pcm=pcm, limits=limits))


def _opened(source: object) -> AbstractContextManager[BinaryIO]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return nullcontext(io.BytesIO(source))
    if hasattr(source, "read"):
        return nullcontext(_binary(source))  # the caller's file stays open
    if not isinstance(source, (str, os.PathLike)):
        raise AudioError(
            f"{type(source).__name__} is not audio: give a path, bytes, a file open for reading "
            "bytes, samples as an array or a tensor, or such samples with their rate"
        )
    try:
        # By descriptor, so that the file has no name from which libsndfile would guess a format.
        return os.fdopen(os.open(source, os.O_RDONLY), "rb")
    except FileNotFoundError as error:
        raise AudioNotFoundError(f"no audio file at {source}") from error
    except IsADirectoryError as error:
        raise AudioError(f"{source} is a folder, not an audio file") from error
    except (OSError, ValueError) as error:
        raise AudioError(f"cannot open {source}: {error}") from error


def _binary(file: Any) -> BinaryIO:  # noqa: ANN401
    if isinstance(file, io.TextIOBase):
        raise AudioError("the file is open for reading text: open it in mode 'rb'")
    return cast(BinaryIO, file)


def _load_lossless(file: BinaryIO, limits: AudioLimits) -> Audio | None:
    """By libsndfile, the fastest; None, with the file rewound, when FFmpeg should have a try."""
    if not is_seekable(file):
        return None
    check_bytes(file.seek(0, io.SEEK_END), limits)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    format = by_magic(head)
    if format is None or format.name not in LOSSLESS:
        return None
    audio = _try_soundfile(file, head, format.name, limits)
    file.seek(0)
    return audio


def _try_soundfile(
    file: BinaryIO, head: bytes, container: str, limits: AudioLimits
) -> Audio | None:
    declared = None
    if container == "wav":
        header = read_wav_header(lambda size: head[:size])
        if header is None or header.declared_seconds is None:
            return None  # a codec of WAV that is no PCM, or a length that libsndfile takes for 0
        check_format(header.sample_rate, header.channels, limits)
        declared = header.declared_seconds
    stream = AudioStream(lambda: SoundfileDecoder(file, declared), limits)
    try:
        audio = _collect(stream)
    except UnsupportedAudioError:
        return None
    return None if stream.shortfall and container != "wav" else audio


def _collect(stream: AudioStream) -> Audio:
    samples = np.concatenate(list(stream))
    return Audio(samples, stream.warnings)
