"""A container's clock: gaps are silence, and the length that is compared is the track's own."""

import itertools
import math

import numpy as np
import pytest

from auricle.audio import AudioLimits, load_audio
from auricle.audio.clock import Clock
from auricle.audio.formats import FORMATS
from auricle_types.errors import AudioTooLongError
from tests.asr.audio.test_formats import both_ways
from tests.asr.audio_files import film

CLOCKED = [
    ("webm", "libopus"), ("matroska", "aac"), ("mp4", "aac"), ("3gp", "aac"), ("mpegts", "aac"),
    ("mpeg", "mp2"), ("asf", "wmav2"), ("flv", "aac"), ("nut", "aac"),
]  # fmt: skip


@pytest.mark.parametrize(("muxer", "codec"), [*CLOCKED, ("ogg", "libopus")])
def test_a_gap_is_silence_of_its_length(muxer: str, codec: str) -> None:
    audio = both_ways(film(muxer, codec, gap=(1.0, 3.0)))
    assert audio.duration == pytest.approx(5.0, abs=0.1)
    assert audio.warnings == ()
    loud = np.abs(audio.samples) > 0.05
    assert not loud[int(1.3 * 16_000) : int(3.8 * 16_000)].any()
    assert loud[int(4.1 * 16_000) : int(4.9 * 16_000)].any()


@pytest.mark.parametrize(("muxer", "codec"), CLOCKED)
def test_sound_that_begins_after_the_picture(muxer: str, codec: str) -> None:
    audio = both_ways(film(muxer, codec, picture=4.0, start=1.5))
    assert audio.duration == pytest.approx(3.5, abs=0.1)
    assert not (np.abs(audio.samples[: int(1.4 * 16_000)]) > 0.05).any()
    assert audio.warnings == ()


@pytest.mark.parametrize(("muxer", "codec"), [*CLOCKED, ("avi", "libmp3lame")])
def test_sound_that_ends_before_the_picture_is_whole(muxer: str, codec: str) -> None:
    audio = both_ways(film(muxer, codec, picture=4.0))
    assert audio.duration == pytest.approx(2.0, abs=0.1)
    assert audio.warnings == ()


@pytest.mark.parametrize(("muxer", "codec"), [*CLOCKED, ("ogg", "libopus")])
def test_a_clock_that_does_not_begin_at_zero(muxer: str, codec: str) -> None:
    audio = both_ways(film(muxer, codec, start=5.0))
    assert audio.duration == pytest.approx(2.0, abs=0.1)
    assert audio.warnings == ()


def test_a_film_cut_short_is_still_noticed() -> None:
    data = film("webm", "libopus", picture=3.0, seconds=3.0)
    audio = both_ways(data[: len(data) // 2])
    assert audio.warnings[0].startswith("audio is truncated")


def test_silence_counts_against_the_limit() -> None:
    with pytest.raises(AudioTooLongError):
        load_audio(film("webm", "libopus", gap=(1.0, 90.0)), limits=AudioLimits(max_seconds=60))


def gaps(name: str, times: list[float], start: float | None = 0.0) -> list[float]:
    """The silence before frames of 0.1 s at `times`."""
    clock = Clock(FORMATS[name], start)
    return [round(clock.gap(time, 0.1), 3) for time in times]


def test_rounded_and_jittering_times_are_no_gaps() -> None:
    times = [0.1 * i + jitter for i, jitter in zip(range(99), itertools.cycle([0, 0.04, -0.03]))]
    assert set(gaps("matroska", times)) == {0.0}


def test_small_gaps_add_up() -> None:
    filled = gaps("matroska", [0.16 * i for i in range(100)])
    assert sum(filled) == pytest.approx(0.06 * 99, abs=0.11)


def test_a_clock_set_anew_is_followed() -> None:
    assert gaps("ogg", [0.0, 0.1, 0.0, 0.1, 3.0]) == [0, 0, 0, 0, 2.6]  # what overlapped
    assert gaps("ogg", [50.0, 50.1, 0.0, 0.1, 1.2], 50.0) == [0, 0, 0, 0, 1.0]
    assert gaps("mpegts", [0.0, 0.1, 9000.0, 9000.1, 9001.2]) == [0, 0, 0, 0, 1.0]
    assert gaps("matroska", [0.0, 9000.1]) == [0, 9000.0]


def test_without_a_start_the_first_frame_is_it() -> None:
    assert gaps("mov", [7.0, 7.1], None) == [0, 0]
    assert math.isinf(FORMATS["mov"].max_gap)
