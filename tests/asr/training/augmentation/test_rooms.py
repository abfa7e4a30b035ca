"""Rooms: physics of the bank, and what an echo keeps of the speech."""

import numpy as np
import pytest
import torch

from auricle.config import SAMPLE_RATE
from auricle.training.augmentation import seed_everything
from auricle.training.augmentation.rooms import (
    ROOMS,
    SPEED_OF_SOUND,
    Rooms,
    _early,
    echo,
    room_bank,
    room_response,
)
from auricle.training.config import AugmentationConfig
from tests.asr.tiny import sound

ALWAYS = AugmentationConfig(room_probability=1.0)


def test_the_direct_sound_and_the_six_walls_arrive_when_they_must() -> None:
    size, source = np.array([5.0, 4.0, 3.0]), np.array([1.0, 2.0, 1.0])
    listener = np.array([3.0, 2.0, 1.0])
    weak = 1e-4  # so that what has met two walls counts for nothing
    early = _early(size, source, listener, weak)
    assert early[0] == pytest.approx(1 / 2)  # 2 m away
    # Mirrored at x = 0, x = 5, y = 0, y = 4, z = 0, z = 3: paths in metres.
    paths = [4.0, 6.0, np.hypot(2, 4), np.hypot(2, 4), np.hypot(2, 2), np.hypot(2, 4)]
    for path in paths:
        sample = round((path - 2.0) / SPEED_OF_SOUND * SAMPLE_RATE)
        together = sum(weak / other for other in paths if abs(other - path) < 1e-9)
        assert early[sample] == pytest.approx(together, rel=1e-2)
    assert np.flatnonzero(early)[1] == round((np.hypot(2, 2) - 2) / SPEED_OF_SOUND * SAMPLE_RATE)


@pytest.mark.parametrize("rt60", [0.2, 0.5, 0.8])
def test_rooms_decay_as_fast_as_they_are_told(rt60: float) -> None:
    """Schroeder's backward integral (1965), between -5 and -25 dB, on the average of rooms."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(20):
        response = room_response(rt60, random)
        energy = np.cumsum(response[::-1] ** 2)[::-1]
        level = 10 * np.log10(energy / energy[0])
        start, end = np.argmax(level < -5), np.argmax(level < -25)
        found.append(3 * (end - start) / SAMPLE_RATE)
    assert np.median(found) == pytest.approx(rt60, rel=0.25)


def test_the_tail_goes_on_where_the_images_end() -> None:
    """No step at the seam: 10 ms before and behind it are alike, on the average of rooms."""
    random = np.random.default_rng(1)
    responses = np.array([room_response(0.4, random) for _ in range(40)])
    seam = round(0.04 * SAMPLE_RATE)
    before = np.sqrt(np.mean(responses[:, seam - 160 : seam] ** 2, axis=1))
    behind = np.sqrt(np.mean(responses[:, seam : seam + 160] ** 2, axis=1))
    assert 0.6 < np.median(behind / before) < 1.2


def test_the_bank_is_always_the_same() -> None:
    bank = room_bank((0.1, 0.3))
    assert torch.equal(bank, room_bank((0.1, 0.3)))
    assert len(bank) == ROOMS
    assert len({tuple(row[:50].tolist()) for row in bank}) == ROOMS
    assert bank.isfinite().all()


def test_speech_stays_in_place_and_as_loud() -> None:
    """A click's loudest moment stays, nothing comes before it, and the energy is kept."""
    samples = torch.zeros(2, SAMPLE_RATE)
    samples[:, 4_000] = 0.5
    lens = torch.tensor([SAMPLE_RATE, 12_000])
    seed_everything(0)
    wet = Rooms(ALWAYS)(samples, lens)
    assert wet.shape == samples.shape
    assert wet[:, :3_999].abs().max() < 1e-4
    assert (wet.abs() > 1e-3).int().argmax(dim=1).tolist() == [4_000, 4_000]
    assert wet[1, 12_000:].abs().max() == 0  # the padding stays empty
    torch.testing.assert_close(wet.norm(dim=1), samples.norm(dim=1))
    assert not torch.equal(wet[0], samples[0])


def test_an_echo_is_the_convolution() -> None:
    samples = torch.from_numpy(sound(0, 0.1))[None]
    response = torch.tensor([[1.0, 0.0, 0.0, -0.5]])
    expected = samples.clone()
    expected[0, 3:] -= 0.5 * samples[0, :-3]
    expected *= samples.norm() / expected.norm()
    wet = echo(samples, torch.tensor([samples.shape[1]]), response)
    torch.testing.assert_close(wet, expected, atol=1e-5, rtol=0)


def test_some_rows_stay_outside() -> None:
    samples = torch.from_numpy(sound(0, 0.2)).repeat(40, 1)
    lens = torch.full((40,), samples.shape[1])
    seed_everything(0)
    wet = Rooms(AugmentationConfig(room_probability=0.5))(samples, lens)
    outside = sum(torch.equal(a, b) for a, b in zip(wet, samples, strict=True))
    assert 10 < outside < 30


def test_silence_stays_silence() -> None:
    seed_everything(0)
    assert not Rooms(ALWAYS)(torch.zeros(2, 800), torch.tensor([800, 400])).any()
