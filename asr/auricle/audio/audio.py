"""`Audio`, the one shape in which sound goes further, and the check of samples that are arrays."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from auricle.audio.limits import DEFAULT_LIMITS, check_seconds
from auricle.config import SAMPLE_RATE
from auricle_types.errors import AudioError, EmptyAudioError, InvalidSamplesError
from auricle_types.options import AudioLimits

Samples: TypeAlias = npt.NDArray[np.float32]

_MAX_PEAK = 128.0  # 42 dB above full scale; recorders of floats may exceed it, but not by so much
_INTEGER_SCALES = (2**15, 2**23, 2**31)


@dataclass(frozen=True, slots=True, eq=False)
class Audio:
    """`samples (S,)`: mono float32 at 16 kHz, at least one. `warnings` say what was lost."""

    samples: Samples
    warnings: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """The duration of the samples in seconds."""
        return len(self.samples) / SAMPLE_RATE


def check_values(samples: Samples) -> None:
    """Raise InvalidSamplesError when a sample is NaN, infinite or far beyond -1 to 1."""
    peak = float(np.abs(samples).max(initial=0.0))  # NaN if any is
    if not np.isfinite(peak):
        raise InvalidSamplesError("the audio holds NaN or infinite samples: export it again")
    if peak > _MAX_PEAK:
        scale = next((size for size in _INTEGER_SCALES if peak <= size), None)
        advice = (
            f"integers become such floats when they are divided by {scale}"
            if scale is not None
            else "export it again"
        )
        raise InvalidSamplesError(
            f"the audio's float samples reach {peak:.6g} and must lie between -1 and 1: {advice}"
        )


def validate_samples(
    samples: npt.NDArray[np.generic], limits: AudioLimits = DEFAULT_LIMITS
) -> Samples:
    """An array that already is mono 16 kHz, as float32 `(S,)`; int16 is scaled to [-1, 1).

    Raises AudioError for another shape or type, EmptyAudioError, InvalidSamplesError,
    AudioTooLongError.
    """
    if samples.ndim != 1 or samples.dtype not in (np.float32, np.int16):
        raise AudioError(
            f"samples must be a 1-D array of float32 or int16 (mono, {SAMPLE_RATE} Hz), "
            f"not {samples.ndim}-D {samples.dtype}"
        )
    if not len(samples):
        raise EmptyAudioError("the audio holds no samples")
    check_seconds(len(samples) / SAMPLE_RATE, limits)
    valid = samples.astype(np.float32, copy=False)
    if samples.dtype == np.int16:
        valid = valid / np.float32(2**15)
    check_values(valid)
    return valid
