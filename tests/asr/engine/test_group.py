"""Jobs that are encoded together stay within the room, the budget and the padding."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from auricle.config import SAMPLE_RATE
from auricle.engine import Cost, Request, Room
from auricle.engine.group import EFFICIENCY, Group
from auricle.engine.request import Job

BUDGET = 10.0
ROOM = Room(8, 1_000)
FRAMES_PER_SECOND = 25


def job(frames: int, slots: int = 1, cache_bytes: int = 0) -> Job:
    samples = np.zeros(frames * SAMPLE_RATE // FRAMES_PER_SECOND, np.float32)
    return Job(Request(samples), 0.0, Cost(frames, slots, cache_bytes))


def group(*jobs: Job, pads: bool = False) -> Group:
    filled = Group(jobs[0], ROOM, BUDGET, pads=pads)
    for one in jobs[1:]:
        assert filled.takes(one)
        filled.add(one)
    return filled


def test_the_leader_is_in_it_whatever_it_takes() -> None:
    huge = job(30 * FRAMES_PER_SECOND, slots=9)
    alone = group(huge)
    assert alone.leader is huge
    assert not alone.fits
    assert not alone.takes(job(1, slots=0))
    assert group(job(1, slots=8, cache_bytes=1_000)).fits
    assert not group(job(1, cache_bytes=1_001)).fits


def test_each_budget_closes_it() -> None:
    assert not group(job(1, slots=6)).takes(job(1, slots=3))
    assert group(job(1, slots=6)).takes(job(1, slots=2))
    assert not group(job(1, cache_bytes=600)).takes(job(1, cache_bytes=401))
    assert group(job(1, cache_bytes=600)).takes(job(1, cache_bytes=400))
    assert not group(job(150)).takes(job(101))
    assert group(job(150)).takes(job(100))


def test_padding_counts_against_the_budget() -> None:
    """Two of 120 frames are 9.6 s; 125 and 120 are 10 s, once padded; 126 and 120 are more."""
    assert group(job(120), pads=True).takes(job(125))
    assert not group(job(120), pads=True).takes(job(126))
    assert not group(job(126), pads=True).takes(job(120))
    assert group(job(126)).takes(job(120))


def test_unlike_lengths_are_kept_apart_only_where_they_would_be_padded() -> None:
    for other in (79, 126):  # beside 100
        assert not group(job(100), pads=True).takes(job(other))
        assert group(job(100)).takes(job(other))
    for other in (80, 125):
        assert group(job(100), pads=True).takes(job(other))


@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.integers(1, 5), st.integers(0, 500)),
        min_size=1,
        max_size=30,
    ),
    st.booleans(),
)
def test_whoever_it_takes_its_bounds_hold(kinds: list[tuple[int, int, int]], pads: bool) -> None:
    jobs = [job(*kind) for kind in kinds]
    filled = Group(jobs[0], ROOM, BUDGET, pads=pads)
    for one in jobs[1:]:
        if filled.takes(one):
            filled.add(one)
    frames = [one.cost.frames for one in filled.jobs]
    assert filled.useful_frames == sum(frames)
    assert filled.computed_frames == (max(frames) * len(frames) if pads else sum(frames))
    assert filled.useful_frames >= EFFICIENCY * filled.computed_frames
    if len(filled.jobs) > 1:
        assert filled.fits
        assert filled.computed_frames <= BUDGET * FRAMES_PER_SECOND
        assert sum(one.cost.slots for one in filled.jobs) <= ROOM.slots
        assert sum(one.cost.cache_bytes for one in filled.jobs) <= ROOM.cache_bytes
