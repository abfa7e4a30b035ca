import numpy as np
import pytest

from benchmarks.wordless import WORDLESS, pink_noise, white_noise

RATE = 16_000
AUDIBLE = [kind for kind in WORDLESS if kind != "digital silence"]


def level(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt((samples.astype(np.float64) ** 2).mean())))


@pytest.mark.parametrize("kind", WORDLESS)
def test_each_has_the_length_and_repeats_itself(kind: str) -> None:
    samples = WORDLESS[kind](2.0, 7)
    assert samples.dtype == np.float32
    assert samples.shape == (2 * RATE,)
    assert samples.tolist() == WORDLESS[kind](2.0, 7).tolist()


@pytest.mark.parametrize("kind", AUDIBLE)
def test_what_holds_no_words_is_audible_not_clipped_and_never_the_same(kind: str) -> None:
    samples = WORDLESS[kind](2.0, 7)
    assert 0 < np.abs(samples).max() <= 1
    assert (np.abs(samples) == 1).mean() < 0.001
    assert samples.tolist() != WORDLESS[kind](2.0, 8).tolist()


@pytest.mark.parametrize("decibels", [-60.0, -30.0])
def test_noise_is_as_loud_as_asked(decibels: float) -> None:
    assert level(white_noise(2.0, 0, decibels)) == pytest.approx(decibels, abs=0.1)
    assert level(pink_noise(2.0, 0, decibels)) == pytest.approx(decibels, abs=0.1)


def test_pink_noise_has_as_much_in_every_octave() -> None:
    power = np.abs(np.fft.rfft(pink_noise(8.0, 0, -20.0))) ** 2
    low, high = (power[begin * 8 : 2 * begin * 8].sum() for begin in (200, 3200))
    assert low == pytest.approx(high, rel=0.2)


def test_music_has_pitch() -> None:
    """A few frequencies hold most of it."""
    power = np.sort(np.abs(np.fft.rfft(WORDLESS["music-like sound"](4.0, 3))) ** 2)[::-1]
    assert power[: len(power) // 50].sum() > 0.8 * power.sum()


def test_clicks_are_rare_and_loud() -> None:
    samples = np.abs(WORDLESS["clicks"](4.0, 3))
    assert 4 <= (samples > 0.05).sum() <= 40
    assert np.median(samples) < 0.001
