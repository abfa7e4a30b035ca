"""Samples that a program holds already: arrays and tensors, with their rate or without."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from auricle.audio.audio import Audio, validate_samples
from auricle.audio.converter import Converter
from auricle.audio.decoders import Block
from auricle_types.errors import AudioError, EmptyAudioError, InvalidSampleRateError
from auricle_types.options import AudioLimits

_PAIR = 2  # samples and their rate


@runtime_checkable
class Tensor(Protocol):
    """A tensor of torch, which is not imported for it."""

    def detach(self) -> "Tensor":
        """Without what remembers how it came about."""
        ...

    def cpu(self) -> "Tensor":
        """Copy it to the host's memory."""
        ...

    def numpy(self) -> npt.NDArray[Any]:
        """Give its numbers as an array."""
        ...


Samples: TypeAlias = npt.NDArray[Any] | Tensor
Arrays: TypeAlias = Samples | tuple[Samples, int]


@dataclass(frozen=True, slots=True)
class Given:
    """Samples `(S,)`, `(S, C)` or `(C, S)`; without a rate they are mono at 16 kHz."""

    samples: npt.NDArray[Any]
    rate: int | None = None


def as_arrays(source: object) -> Given | None:
    """What `source` holds; None where it is neither samples nor samples with a rate.

    Raises InvalidSampleRateError for a rate that is no whole number.
    """
    if (alone := _array(source)) is not None:
        return Given(alone)
    if not isinstance(source, tuple) or len(source) != _PAIR:
        return None
    samples, rate = _array(source[0]), source[1]
    if samples is None:
        return None
    if isinstance(rate, bool) or not isinstance(rate, int | np.integer):
        raise InvalidSampleRateError(f"the rate must be a whole number of Hz, not {rate!r}")
    return Given(samples, int(rate))


def from_arrays(given: Given, limits: AudioLimits) -> Audio:
    """Mono float32 at 16 kHz. Raises AudioError."""
    if given.rate is None:
        return Audio(validate_samples(given.samples, limits))
    if not given.samples.size:
        raise EmptyAudioError("the audio holds no samples")
    converter = Converter(limits)
    block = Block(_channels_last(_floats(given.samples)), given.rate)
    return Audio(np.concatenate([converter.feed(block), converter.flush()]))


def _array(source: object) -> npt.NDArray[Any] | None:
    if isinstance(source, np.ndarray):
        return source
    if isinstance(source, Tensor):
        try:
            return source.detach().cpu().numpy()
        except TypeError as error:  # bfloat16, which numpy lacks
            raise AudioError(f"samples must be floats, int16 or int32: {error}") from error
    return None


def _floats(samples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Integers scaled to -1 to 1."""
    if samples.dtype in (np.int16, np.int32):
        return (samples / -float(np.iinfo(samples.dtype).min)).astype(np.float32)
    if samples.dtype.kind != "f":
        raise AudioError(f"samples must be floats, int16 or int32, not {samples.dtype}")
    with np.errstate(over="ignore"):  # a double may become infinite, and is refused later
        return cast(npt.NDArray[np.float32], samples.astype(np.float32, copy=False))


def _channels_last(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """`(S, C)`: there are more samples than channels."""
    if samples.ndim == 1:
        return samples[:, None]
    if samples.ndim != _PAIR:
        raise AudioError(f"samples must have one or two dimensions, not {samples.ndim}")
    return samples.T if samples.shape[0] < samples.shape[1] else samples
