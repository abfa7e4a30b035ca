"""Thousands of requests against a simulated clock: the budgets hold and nobody starves."""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from auricle.config import SAMPLE_RATE
from auricle.engine import Cost, Request, Room
from auricle.engine.request import Job
from auricle.engine.scheduler import Scheduler
from auricle_types.options import DecodingOptions, EngineConfig

FRAMES_PER_SECOND = 25
ENCODE = 0.02  # seconds of work for each second of audio, with its padding
STEP = 0.01  # seconds
BUDGET = 30.0  # seconds of audio
SLOTS = 64
MIB = 1 << 20
SILENCE = np.zeros(30 * SAMPLE_RATE, np.float32)


@dataclass
class Simulation:
    """A runner that only counts. What is asserted of every group is asserted while it plays."""

    pads: bool
    cache_mib: int = 100
    clock: float = 0.0
    groups: list[list[Job]] = field(default_factory=list)
    encode_times: list[float] = field(default_factory=list)  # between two steps
    left: dict[Job, int] = field(default_factory=dict)  # steps that a job still needs
    ahead: dict[Job, int] = field(default_factory=dict)  # jobs before it when it came
    groups_before: dict[Job, int] = field(default_factory=dict)
    begun: dict[Job, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        budgets = EngineConfig(max_queue=256, max_encode_seconds=BUDGET, slots=SLOTS)
        self.scheduler = Scheduler(budgets, pads=self.pads)

    def play(self, arrivals: list[tuple[Job, int]]) -> None:
        """Jobs with the steps they need, each coming at its time of submission or when it may."""
        coming = deque(sorted(arrivals, key=lambda arrival: arrival[0].submitted))
        while coming or self.scheduler.busy:
            if not self.scheduler.busy:
                self.clock = max(self.clock, coming[0][0].submitted)
            while coming and self._may_come(coming[0][0]):
                self._come(*coming.popleft())
            self._encode(self.scheduler.admit(self._room()))
            self._step()

    def _may_come(self, job: Job) -> bool:
        return job.submitted <= self.clock and self.scheduler.has_room_for(job)

    def _come(self, job: Job, steps: int) -> None:
        self.left[job] = steps
        self.ahead[job], self.groups_before[job] = self.scheduler.waiting, len(self.groups)
        self.scheduler.add(job)

    def _room(self) -> Room:
        costs = [job.cost for job in self.scheduler.running]
        slots = SLOTS - sum(cost.slots for cost in costs)
        return Room(slots, self.cache_mib * MIB - sum(cost.cache_bytes for cost in costs))

    def _encode(self, group: list[Job]) -> None:
        self.encode_times.append(ENCODE * computed(group, self.pads) / FRAMES_PER_SECOND)
        self.clock += self.encode_times[-1]
        if not group:
            return
        room = self._room()
        assert min(room.slots, room.cache_bytes) >= 0
        for job in group:
            assert job not in self.begun
            self.begun[job] = self.clock
            assert len(self.groups) - self.groups_before[job] <= self.ahead[job]
        self.groups.append(group)

    def _step(self) -> None:
        self.clock += STEP
        for job in list(self.scheduler.running):
            self.left[job] -= 1
            if not self.left[job]:
                self.scheduler.finish(job)


def computed(group: list[Job], pads: bool) -> int:
    """Encoder frames, with the padding."""
    frames = [job.cost.frames for job in group] or [0]
    return max(frames) * len(group) if pads else sum(frames)


def mixed(count: int, rate: float, seed: int) -> Iterator[tuple[Job, int]]:
    """Poisson arrivals at `rate` a second: commands, sentences, and pieces of a whole window."""
    chance, now = random.Random(seed), 0.0
    for _ in range(count):
        now += chance.expovariate(rate)
        lengths = (chance.uniform(0.5, 2), chance.uniform(2, 15), chance.uniform(15, 30))
        seconds = chance.choices(lengths, (5, 4, 1))[0]
        beam = chance.choices((1, 4, 32), (17, 2, 1))[0]
        frames = round(seconds * FRAMES_PER_SECOND)
        samples = SILENCE[: round(seconds * SAMPLE_RATE)]
        cost = Cost(frames, beam, frames * 16 * 1024)
        yield Job(Request(samples, DecodingOptions(beam)), now, cost), max(1, round(3 * seconds))


LOADS = pytest.mark.parametrize("rate", [2.0, 15.0, 500.0])  # idle, busy, far too much
KINDS = pytest.mark.parametrize("pads", [True, False])


@LOADS
@KINDS
def test_all_begin_once_and_none_after_more_groups_than_stood_before_it(
    pads: bool, rate: float
) -> None:
    simulation = Simulation(pads)
    arrivals = list(mixed(2_000, rate, seed=1))
    simulation.play(arrivals)
    assert simulation.begun.keys() == {job for job, _ in arrivals}
    assert not any(simulation.left.values())


@LOADS
@KINDS
def test_the_encoder_never_holds_up_the_decoder_for_more_than_the_budget(
    pads: bool, rate: float
) -> None:
    simulation = Simulation(pads)
    simulation.play(list(mixed(2_000, rate, seed=2)))
    assert max(simulation.encode_times) <= ENCODE * BUDGET + 1e-9
    assert max(simulation.encode_times) > 0.5 * ENCODE * BUDGET  # it is used, too


@LOADS
def test_padding_stays_below_a_tenth(rate: float) -> None:
    simulation = Simulation(pads=True)
    simulation.play(list(mixed(2_000, rate, seed=3)))
    for group in simulation.groups:
        assert computed(group, pads=False) >= 0.90 * computed(group, pads=True)


def test_a_backlog_is_still_encoded_in_large_groups() -> None:
    """Groups of one would need no padding either."""
    simulation = Simulation(pads=True, cache_mib=10_000)
    simulation.play([(job, 1) for job, _ in mixed(2_000, 500.0, seed=4) if job.cost.slots == 1])
    seconds = [computed(group, pads=True) / FRAMES_PER_SECOND for group in simulation.groups]
    assert sum(seconds) / len(seconds) > 0.75 * BUDGET
    assert len(simulation.begun) / len(simulation.groups) > 3


@LOADS
def test_where_nothing_is_padded_nobody_overtakes(rate: float) -> None:
    simulation = Simulation(pads=False)
    arrivals = list(mixed(2_000, rate, seed=5))
    simulation.play(arrivals)
    assert list(simulation.begun) == [job for job, _ in arrivals]


def test_overtaking_delays_nobody_much() -> None:
    """On the same load, whoever waits longest waits about as long with padding as without."""
    longest = {}
    for pads in (True, False):
        simulation = Simulation(pads)
        simulation.play(list(mixed(2_000, 15.0, seed=6)))
        longest[pads] = max(begun - job.submitted for job, begun in simulation.begun.items())
    assert longest[True] < 1.5 * longest[False] + 1.0


def test_one_of_an_odd_length_begins_in_its_turn_however_many_alike_keep_coming() -> None:
    """The nightmare of grouping by length: a stream that always makes a better group."""
    odd = job(25.0)
    scheduler = Scheduler(EngineConfig(max_queue=10_000, max_encode_seconds=BUDGET), pads=True)
    for waiting in (job(1.0), job(2.0), odd):
        scheduler.add(waiting)
    begun: list[list[Job]] = []
    while odd.phase == "waiting":
        for _ in range(50):
            scheduler.add(job(1.0))
        begun.append(scheduler.admit(Room(SLOTS, 1 << 40)))
        for done in begun[-1]:
            scheduler.finish(done)
    assert [len(group) for group in begun] == [30, 1, 1]


def job(seconds: float) -> Job:
    samples = SILENCE[: round(seconds * SAMPLE_RATE)]
    return Job(Request(samples), 0.0, Cost(round(seconds * FRAMES_PER_SECOND), 1, 0))
