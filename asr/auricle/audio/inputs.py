"""The forms in which callers may give audio to the library."""

from collections.abc import Sequence
from typing import TypeAlias, TypeGuard, cast

from auricle.audio.arrays import Arrays, as_arrays
from auricle.audio.audio import Audio, check_values
from auricle.audio.loading import Encoded, collected, load_audio, open_audio
from auricle.audio.stream import AudioStream

AudioInput: TypeAlias = Encoded | Arrays | Audio | AudioStream


def is_many(audio: AudioInput | Sequence[AudioInput]) -> TypeGuard[Sequence[AudioInput]]:
    """Tell whether it is a sequence of audios, and not one that is a sequence itself."""
    alone = str | bytes | bytearray | memoryview
    return isinstance(audio, Sequence) and not isinstance(audio, alone) and not as_arrays(audio)


def as_audio(source: AudioInput) -> Audio:
    """Load what is not loaded yet. Raises AudioError."""
    read = opened(source)
    return read if isinstance(read, Audio) else collected(read)


def opened(source: AudioInput) -> Audio | AudioStream:
    """Take samples as they are, and open what must be decoded. Raises AudioError for samples."""
    if isinstance(source, Audio):
        check_values(source.samples)
        return source
    if isinstance(source, AudioStream):
        return source
    return load_audio(source) if as_arrays(source) else open_audio(cast(Encoded, source))
