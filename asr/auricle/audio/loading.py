"""Audio from a path, bytes, a file or an array: piece by piece, or as a whole."""

import io
import os
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any, BinaryIO, TypeAlias, cast

import numpy as np

from auricle.audio.arrays import Arrays, as_arrays, from_arrays
from auricle.audio.audio import Audio
from auricle.audio.decoders import AudioDecoder
from auricle.audio.limits import DEFAULT_LIMITS, check_bytes
from auricle.audio.source import is_seekable
from auricle.audio.stream import AudioStream, DecodedStream, open_decoder
from auricle_types.errors import AudioError, AudioNotFoundError
from auricle_types.options import AudioLimits, PcmFormat

Encoded: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO


def load_audio(
    source: Encoded | Arrays,
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
    return collected(open_audio(cast(Encoded, source), pcm=pcm, limits=limits))


def collected(stream: AudioStream) -> Audio:
    """Decode all of it. Raises AudioError."""
    samples = np.concatenate(list(stream))
    return Audio(samples, stream.warnings)


def open_audio(
    source: Encoded, *, pcm: PcmFormat | None = None, limits: AudioLimits = DEFAULT_LIMITS
) -> AudioStream:
    """Read what `load_audio` reads, except arrays, piece by piece in bounded memory.

    A file that can seek is read from its beginning. Nothing is opened before the first piece is
    asked for; iterating raises what `load_audio` raises.
    """

    def opened_decoder(opened: ExitStack) -> AudioDecoder:
        file = opened.enter_context(_opened(source))
        if is_seekable(file):
            check_bytes(file.seek(0, io.SEEK_END), limits)
            file.seek(0)
        return open_decoder(opened, file, pcm, limits)

    return DecodedStream(opened_decoder, limits)


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
