"""The checks of `AudioLimits`: what a header declares and what really comes pass the same ones."""

from auricle_types.errors import AudioTooLargeError, AudioTooLongError, InvalidSampleRateError
from auricle_types.options import AudioLimits

DEFAULT_LIMITS = AudioLimits()

# Decoding work is capped too, or 256 MB of cheap silence at 768 kHz in 64 channels would cost
# hours: on average 48 kHz in stereo, with a minute of 192 kHz in 8 channels free.
_SAMPLES_PER_SECOND = 2 * 48_000
_FREE_SAMPLES = 60 * 8 * 192_000
_ROUNDING = 1e-6  # of seconds that were added up


def check_format(sample_rate: int, channels: int, limits: AudioLimits) -> None:
    """Raise InvalidSampleRateError or AudioTooLargeError unless both are within the limits."""
    low, high = limits.min_sample_rate, limits.max_sample_rate
    if not low <= sample_rate <= high:
        raise InvalidSampleRateError(
            f"a sample rate of {sample_rate} Hz is impossible: it must be {low} to {high} Hz"
        )
    if not 1 <= channels <= limits.max_channels:
        raise AudioTooLargeError(
            f"the audio has {channels} channels: it must have 1 to {limits.max_channels}"
        )


def check_bytes(count: int, limits: AudioLimits) -> None:
    """Raise AudioTooLargeError when `count` bytes of encoded audio are too many."""
    if count > limits.max_bytes:
        raise AudioTooLargeError(
            f"the audio has more than {limits.max_bytes} bytes: send it in parts, or compressed"
        )


def check_seconds(seconds: float, limits: AudioLimits) -> None:
    """Raise AudioTooLongError when `seconds` of audio are too many."""
    if seconds > limits.max_seconds + _ROUNDING:
        raise AudioTooLongError(
            f"the audio is longer than {limits.max_seconds:g} s: send it in parts"
        )


def check_work(samples: int, limits: AudioLimits) -> None:
    """Raise AudioTooLargeError when `samples` decoded over all channels are too many."""
    budget = _FREE_SAMPLES + limits.max_seconds * _SAMPLES_PER_SECOND
    if samples > budget:
        raise AudioTooLargeError(
            f"the audio decodes to more than {budget:.0f} samples over all channels: "
            "lower its sample rate or its number of channels"
        )
