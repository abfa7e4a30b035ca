"""Sounds in which nobody speaks: whatever is read in them is invented.

Each kind is a function of its seconds and of a seed.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt

from auricle.config import SAMPLE_RATE
from benchmarks.conditions import Samples

Sound = Callable[[float, int], Samples]
Doubles = npt.NDArray[np.float64]

MAINS = 50.0  # Hz
SCALE = 2 ** (np.arange(25) / 12)  # two octaves above the lowest note
LOWEST_NOTE = 110.0  # Hz
CHORDS = ((0, 4, 7, 12), (0, 3, 7, 12), (0, 5, 9, 12))  # semitones above a root
OVERTONES = 5
LONGEST_NOTE = 3.0  # seconds


def digital_silence(seconds: float, _seed: int) -> Samples:
    """Make samples that are all zero."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


def white_noise(seconds: float, seed: int, decibels: float) -> Samples:
    """Noise of one level in all frequencies."""
    return _at(decibels, _noise(seconds, seed))


def pink_noise(seconds: float, seed: int, decibels: float) -> Samples:
    """Noise of one level in all octaves."""
    spectrum = np.fft.rfft(_noise(seconds, seed))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    return _at(decibels, np.fft.irfft(spectrum, round(seconds * SAMPLE_RATE)))


def hum(seconds: float, seed: int) -> Samples:
    """The mains and their overtones."""
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, 7)
    times = 2 * np.pi * MAINS * _times(seconds)
    tones = sum(np.sin(n * times + phase) / n for n, phase in enumerate(phases, start=1))
    return _at(-26.0, np.asarray(tones))


def clicks(seconds: float, seed: int) -> Samples:
    """Single samples, two to eight a second, in a quiet room."""
    random = np.random.default_rng(seed)
    samples = 10 ** (-66 / 20) * _noise(seconds, seed)
    where = random.integers(0, len(samples), max(1, round(seconds * random.uniform(2, 8))))
    samples[where] = random.uniform(-0.8, 0.8, len(where))
    return _as_samples(samples)


def taps(seconds: float, seed: int) -> Samples:
    """Short bursts, as of keys and cups, two to six a second, in a quiet room."""
    random = np.random.default_rng(seed)
    samples = 10 ** (-60 / 20) * _noise(seconds, seed)
    for start in random.integers(0, len(samples), max(1, round(seconds * random.uniform(2, 6)))):
        length = min(round(SAMPLE_RATE * random.uniform(0.005, 0.04)), len(samples) - start)
        burst = random.standard_normal(length) * np.exp(-5 * np.arange(length) / length)
        samples[start : start + length] += random.uniform(0.1, 0.6) * burst
    return _as_samples(samples)


def music(seconds: float, seed: int) -> Samples:
    """Chords and arpeggios of decaying harmonic tones, at a tempo of their own."""
    random = np.random.default_rng(seed)
    samples, beat = np.zeros(round(seconds * SAMPLE_RATE)), random.uniform(0.2, 0.7)
    for start in np.arange(0, len(samples), round(beat * SAMPLE_RATE)):
        ringing = samples[start : start + round(LONGEST_NOTE * SAMPLE_RATE)]  # a view
        chord = np.array(CHORDS[random.integers(len(CHORDS))])
        played = chord if random.random() < 0.5 else random.choice(chord, 1)
        notes = LOWEST_NOTE * random.choice(SCALE) * 2 ** (played / 12)
        ringing += _tone(_times(len(ringing) / SAMPLE_RATE), notes, random.uniform(2, 5))
    return _as_samples(0.3 * samples / np.abs(samples).max())


WORDLESS: Mapping[str, Sound] = {
    "digital silence": digital_silence,
    "quiet room (white noise at -60 dB)": partial(white_noise, decibels=-60.0),
    "white noise at -30 dB": partial(white_noise, decibels=-30.0),
    "white noise at -12 dB": partial(white_noise, decibels=-12.0),
    "pink noise at -25 dB": partial(pink_noise, decibels=-25.0),
    "hum of 50 Hz": hum,
    "clicks": clicks,
    "taps": taps,
    "music-like sound": music,
}


def _tone(since: Doubles, notes: Doubles, decay: float) -> Doubles:
    """What sounds `since` seconds after the keys were struck: a soft attack, then a decay."""
    envelope = np.exp(-decay * since) * np.minimum(since / 0.01, 1)
    phases = 2 * np.pi * since[:, None] * notes
    overtones = (np.sin(n * phases).sum(axis=1) / n for n in range(1, OVERTONES + 1))
    tone: Doubles = envelope * sum(overtones)
    return tone


def _at(decibels: float, sound: Doubles) -> Samples:
    """At that level, full scale being 0."""
    level = 10 ** (decibels / 20) / np.sqrt((sound**2).mean())
    return _as_samples(level * sound)


def _as_samples(sound: Doubles) -> Samples:
    samples: Samples = sound.clip(-1, 1).astype(np.float32)
    return samples


def _noise(seconds: float, seed: int) -> Doubles:
    return np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))


def _times(seconds: float) -> Doubles:
    return np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
