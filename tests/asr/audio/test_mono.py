"""Several channels to one, and samples of absurd values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auricle.audio import PcmFormat, load_audio, validate_samples
from auricle.audio.mono import Downmix
from auricle_types.errors import InvalidSamplesError
from tests.asr.audio.test_formats import both_ways
from tests.asr.audio_files import chirp, write

WARNING = "the audio's channels cancel each other out: one of them was taken, not their mean"
TONE = chirp(1.0, 16_000, 1)[:, 0]
NOISE = np.random.default_rng(0).normal(0, 0.02, (16_000, 8)).astype(np.float32)


def mixed(*channels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    audio = both_ways(write(np.stack(channels, axis=1), 16_000, subtype="FLOAT"))
    return audio.samples, audio.warnings


def test_of_channels_of_opposite_sign_one_is_taken() -> None:
    samples, warnings = mixed(TONE, -TONE)
    np.testing.assert_array_equal(samples, TONE)
    assert warnings == (WARNING,)


@pytest.mark.parametrize(
    "channels",
    [
        (TONE, -0.8 * TONE),
        (0.8 * TONE, -TONE),
        (TONE + NOISE[:, 0], -TONE + NOISE[:, 1]),
        (TONE, -TONE, TONE, -TONE),
        (TONE, NOISE[:, 0] / 100, -TONE),
        (TONE + 0.2, -TONE + 0.2),  # a constant is no sound
        (0.01 * TONE, -0.01 * TONE),
    ],
)
def test_nearly_opposite_channels_keep_the_sound(channels: tuple[np.ndarray, ...]) -> None:
    samples, warnings = mixed(*channels)
    assert warnings == (WARNING,)
    assert samples.std() > 0.7 * max(channel.std() for channel in channels)


@pytest.mark.parametrize(
    "channels",
    [
        (TONE, TONE),
        (TONE, np.zeros_like(TONE)),
        (TONE, 0.5 * np.roll(TONE, 4000)),
        tuple(NOISE.T),  # independent channels, whose mean is quieter, too
        (TONE, *np.zeros((7, 16_000), np.float32)),
        (np.zeros_like(TONE), np.zeros_like(TONE)),
    ],
)
def test_other_channels_are_averaged(channels: tuple[np.ndarray, ...]) -> None:
    samples, warnings = mixed(*channels)
    assert warnings == ()
    np.testing.assert_array_equal(samples, np.stack(channels, 1).mean(axis=1, dtype=np.float32))


def test_speech_that_is_cancelled_later_is_kept_too() -> None:
    samples, warnings = mixed(np.tile(TONE, 4), np.concatenate([TONE, TONE, -TONE, -TONE]))
    assert warnings == (WARNING,)
    assert samples[-8_000:].std() == pytest.approx(TONE[-8_000:].std(), rel=0.01)


@given(cuts=st.lists(st.integers(0, 16_000), max_size=6))
@settings(max_examples=20, deadline=None)
def test_the_cuts_change_nothing(cuts: list[int]) -> None:
    sound = np.stack([TONE, np.where(np.arange(16_000) < 7_000, TONE, -TONE)], axis=1)
    whole, parts = Downmix(16_000, 2), Downmix(16_000, 2)
    expected = np.concatenate([whole.feed(sound), whole.flush()])
    pieces = [parts.feed(piece) for piece in np.split(sound, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate([*pieces, parts.flush()]), expected)


# --- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2**15, 2**23, 2**31])
def test_floats_of_integers_are_refused_with_their_scale(scale: int) -> None:
    samples = (TONE * scale).astype(np.float32)
    with pytest.raises(InvalidSamplesError, match=f"divided by {scale}"):
        validate_samples(samples)
    for data, pcm in (
        (write(samples[:, None], 16_000, subtype="FLOAT"), None),
        (write(samples[:, None], 44_100, subtype="DOUBLE"), None),
        (samples.tobytes(), PcmFormat(16_000, encoding="f32le")),
    ):
        with pytest.raises(InvalidSamplesError, match=f"divided by {scale}"):
            load_audio(data, pcm=pcm)


def test_floats_somewhat_beyond_full_scale_are_audio() -> None:
    loud = (8 * TONE).astype(np.float32)
    np.testing.assert_array_equal(validate_samples(loud), loud)
    samples = load_audio(write(loud[:, None], 16_000, subtype="FLOAT")).samples
    np.testing.assert_array_equal(samples, loud)
