"""The audio of an utterance: a file, or the part of it that a manifest names."""

from pathlib import Path

from auricle.audio import Audio, load_audio
from auricle.config import SAMPLE_RATE
from auricle.evaluation.manifest import Utterance
from auricle_types.errors import AudioError


def load_utterance(utterance: Utterance) -> Audio:
    """Read an utterance's audio. Raises AudioError."""
    return load_clip(utterance.audio, utterance.offset, utterance.duration)


def load_clip(path: Path, offset: float | None, duration: float | None) -> Audio:
    """Read a file; with an offset, only that part of it.

    Args:
        path: of the audio file.
        offset: seconds at which the part begins; None: the whole file is read.
        duration: seconds that the part takes; None: it goes on to the end.

    Raises:
        AudioError: the file cannot be read, or ends before the part begins.
    """
    audio = load_audio(path)
    if offset is None:
        return audio
    if offset >= audio.duration:
        raise AudioError(
            f"the part begins at {offset:g} s, but the audio is {audio.duration:.3f} s long"
        )
    first = round(offset * SAMPLE_RATE)
    last = None if duration is None else first + round(duration * SAMPLE_RATE)
    return Audio(audio.samples[first:last], audio.warnings)
