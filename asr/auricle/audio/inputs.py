"""The forms in which callers may give audio to the library."""

import os
from collections.abc import Sequence
from typing import BinaryIO, TypeAlias, TypeGuard

from auricle.audio.arrays import Arrays, as_arrays
from auricle.audio.audio import Audio
from auricle.audio.loading import load_audio

AudioInput: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | Arrays | Audio


def is_many(audio: AudioInput | Sequence[AudioInput]) -> TypeGuard[Sequence[AudioInput]]:
    """Tell whether it is a sequence of audios, and not one that is a sequence itself."""
    alone = str | bytes | bytearray | memoryview
    return isinstance(audio, Sequence) and not isinstance(audio, alone) and not as_arrays(audio)


def as_audio(source: AudioInput) -> Audio:
    """Load what is not loaded yet."""
    return source if isinstance(source, Audio) else load_audio(source)
