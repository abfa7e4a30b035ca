import numpy as np
import pytest

from benchmarks.conditions import CONDITIONS, noisy, telephone

RATE = 16_000


def tone(frequency: float) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE)).astype(np.float32)


def level(samples: np.ndarray) -> float:
    return float(np.sqrt((samples[2000:-2000] ** 2).mean()))


@pytest.mark.parametrize("name", CONDITIONS)
def test_each_keeps_the_length_and_repeats_itself(name: str) -> None:
    condition, samples = CONDITIONS[name], tone(1000.0)[:12_345]
    found = condition(samples)
    assert found.shape == samples.shape
    assert found.dtype == np.float32
    assert found.tolist() == condition(samples).tolist()


@pytest.mark.parametrize("snr", [20.0, 0.0])
def test_noise_is_as_loud_as_asked(snr: float) -> None:
    samples = tone(1000.0)
    noise = noisy(samples, snr) - samples
    assert 20 * np.log10(level(samples) / level(noise)) == pytest.approx(snr, abs=0.3)


def test_a_telephone_passes_the_voice_alone() -> None:
    assert level(telephone(tone(1000.0))) == pytest.approx(level(tone(1000.0)), rel=0.2)
    for frequency in (50.0, 6000.0):
        assert level(telephone(tone(frequency))) < 0.1 * level(tone(frequency))
