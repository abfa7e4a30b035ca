"""The scheduler without threads, clocks or tensors."""

import functools
import random
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.config import SAMPLE_RATE
from auricle.engine import Outcome, Request
from auricle.engine.request import Cost, Job, Room
from auricle.engine.scheduler import MIB, Scheduler
from auricle_types.errors import AudioTooLongError, AuricleError, InvalidOptionError
from auricle_types.options import DecodingOptions, EngineConfig

NOW = 100.0
ROOM = Room(100, 1 << 40)  # where it does not matter


@functools.cache
def silence(seconds: float) -> Request:
    return Request(np.zeros(round(seconds * SAMPLE_RATE), np.float32))


def job(
    seconds: float = 1.0, *, slots: int = 1, cache_bytes: int = 0, deadline: float | None = None
) -> Job:
    samples = silence(seconds).samples
    request = Request(samples, DecodingOptions(beam_size=slots), deadline)
    return Job(request, NOW, Cost(round(seconds * 25), slots, cache_bytes))


def scheduler(
    *jobs: Job, max_encode_seconds: float = 10.0, max_queue: int = 100, pads: bool = False
) -> Scheduler:
    config = EngineConfig(max_queue=max_queue, max_encode_seconds=max_encode_seconds)
    filled = Scheduler(config, pads=pads)
    for waiting in jobs:
        filled.add(waiting)
    return filled


def test_an_empty_queue_admits_nobody() -> None:
    empty = scheduler()
    assert not empty.busy
    assert empty.admit(ROOM) == empty.drop_unwanted(NOW) == empty.clear() == []


def test_jobs_begin_in_the_order_they_came() -> None:
    jobs = [job(), job(0.5), job(2.0)]
    filled = scheduler(*jobs)
    assert filled.busy
    assert [one.phase for one in jobs] == ["waiting"] * 3
    assert filled.admit(ROOM) == filled.running == jobs
    assert [one.phase for one in jobs] == ["encoding"] * 3
    assert filled.admit(ROOM) == []
    for one in jobs:
        filled.finish(one)
    assert [one.phase for one in jobs] == ["finished"] * 3
    assert not filled.busy


def test_a_step_encodes_no_more_than_its_budget() -> None:
    jobs = [job(5.0), job(5.0), job(0.5), job(9.5), job(0.5)]
    filled = scheduler(*jobs)
    admitted = [filled.admit(ROOM) for _ in range(4)]
    assert admitted == [jobs[:2], jobs[2:4], jobs[4:], []]


def test_a_job_longer_than_the_budget_is_encoded_by_itself() -> None:
    jobs = [job(30.0), job(), job(30.0), job()]
    filled = scheduler(*jobs)
    assert [filled.admit(ROOM) for _ in jobs] == [[one] for one in jobs]


def test_slots_are_not_overbooked_and_nobody_overtakes() -> None:
    jobs = [job(slots=3), job(slots=4), job(slots=1)]
    filled = scheduler(*jobs)
    assert filled.admit(Room(6, 0)) == jobs[:1]
    assert filled.admit(Room(3, 0)) == []  # the last one would fit, but it is not its turn
    filled.finish(jobs[0])
    assert filled.admit(Room(6, 0)) == jobs[1:]


def test_who_pads_gets_neighbours_in_length() -> None:
    jobs = [job(4.0), job(1.0), job(4.5), job(3.9), job(9.0), job(4.0)]
    filled = scheduler(*jobs, max_encode_seconds=30.0, pads=True)
    assert filled.admit(ROOM) == [jobs[n] for n in (0, 5, 3, 2)]  # the nearest first
    assert [filled.admit(ROOM) for _ in range(3)] == [[jobs[1]], [jobs[4]], []]


def test_neighbours_who_do_not_fit_are_passed_over_but_never_the_leader() -> None:
    jobs = [job(slots=5), job(slots=6), job(slots=2), job(slots=1)]
    filled = scheduler(*jobs, pads=True)
    assert filled.admit(Room(8, 0)) == [jobs[0], jobs[2], jobs[3]]
    assert filled.admit(Room(5, 0)) == []
    filled.add(job())
    assert filled.admit(Room(5, 0)) == []  # one slot would do for it, but the wide one leads
    assert filled.admit(Room(6, 0)) == jobs[1:2]


def test_the_cache_is_not_overbooked() -> None:
    jobs = [job(cache_bytes=size) for size in (300, 500, 100)]
    filled = scheduler(*jobs)
    assert filled.admit(Room(9, 700)) == jobs[:1]
    assert filled.admit(Room(9, 400)) == []
    assert filled.admit(Room(9, 700)) == jobs[1:]


@pytest.mark.parametrize(
    ("cost", "error"),
    [
        (Cost(1, 65, 0), InvalidOptionError),
        (Cost(9, 1, 2048 * MIB + 1), AudioTooLongError),
    ],
)
def test_more_than_a_budget_would_wait_for_ever(cost: Cost, error: type[AuricleError]) -> None:
    with pytest.raises(error):
        scheduler().check(cost)
    scheduler().check(Cost(10**9, 64, 2048 * MIB))


def test_where_nobody_runs_the_next_one_is_taken() -> None:
    """Its joining says what is wrong: waiting would not help."""
    jobs = [job(slots=9), job()]
    filled = scheduler(*jobs)
    assert filled.admit(Room(8, 0)) == jobs[:1]
    assert filled.admit(Room(8, 0)) == jobs[1:]


@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.5, 1.0, 2.0, 7.0]), st.integers(1, 4)), max_size=20),
    st.sampled_from([0.5, 3.0, 10.0]),
    st.integers(4, 9),
)
def test_every_job_begins_once_in_order_and_within_the_budgets(
    kinds: list[tuple[float, int]], budget: float, slots: int
) -> None:
    jobs = [job(seconds, slots=width) for seconds, width in kinds]
    filled, begun = scheduler(*jobs, max_encode_seconds=budget), list[Job]()
    while filled.busy:
        free = slots - sum(one.request.slots for one in filled.running)
        admitted = filled.admit(Room(free, 0))
        begun += admitted
        assert sum(one.request.slots for one in filled.running) <= slots
        seconds = sum(one.request.seconds for one in admitted)
        assert seconds <= budget or len(admitted) == 1
        assert filled.running
        filled.finish(filled.running[0])
    assert begun == jobs


def test_the_queue_has_as_much_room_as_was_said() -> None:
    filled = scheduler(job(), max_queue=2)
    assert filled.has_room_for(job())
    filled.add(job())
    assert not filled.has_room_for(job())
    assert filled.waiting == 2
    filled.admit(Room(1, 0))
    assert filled.has_room_for(job())
    assert len(filled.jobs) == len(filled.clear()) == 2


def test_cancelled_jobs_can_be_told_to_make_room() -> None:
    jobs = [job(), job(), job()]
    filled = scheduler(*jobs, max_queue=3)
    filled.admit(Room(1, 0))
    jobs[0].future.cancel()
    jobs[1].future.cancel()
    assert filled.drop_cancelled() == jobs[1:2]  # not the one that runs
    assert filled.drop_cancelled() == []
    assert filled.jobs == [jobs[2], jobs[0]]


def test_what_nobody_waits_for_is_dropped_wherever_it_is() -> None:
    jobs = [job(), job(), job(deadline=NOW), job(), job(deadline=NOW - 1), job(), job()]
    filled = scheduler(*jobs)
    assert filled.admit(Room(3, 0)) == jobs[:3]
    jobs[0].future.cancel()
    jobs[3].future.cancel()
    dropped = filled.drop_unwanted(NOW)
    assert sorted(map(jobs.index, dropped)) == [0, 2, 3, 4]
    assert filled.running == jobs[1:2]
    assert filled.admit(ROOM) == jobs[5:]
    assert filled.drop_unwanted(NOW) == []


def test_a_deadline_has_passed_when_it_is_reached() -> None:
    jobs = [job(deadline=NOW + 1)]
    filled = scheduler(*jobs)
    assert filled.drop_unwanted(NOW + 0.999) == []
    assert filled.drop_unwanted(NOW + 1) == jobs
    assert not filled.busy


class LateFuture(Future[Outcome]):
    """Is cancelled by another thread right after it was first asked."""

    def cancelled(self) -> bool:
        before = super().cancelled()
        self.cancel()
        return before


@pytest.mark.parametrize("admitted", [0, 2])
def test_a_job_that_is_cancelled_meanwhile_is_not_lost(admitted: int) -> None:
    jobs = [job(), Job(silence(1.0), NOW, Cost(25, 1, 0), LateFuture())]
    filled = scheduler(*jobs)
    filled.admit(Room(admitted, 0))
    jobs[0].future.cancel()
    dropped = [*filled.drop_unwanted(NOW), *filled.drop_unwanted(NOW)]
    assert dropped == jobs  # the second one at the second time, but not never
    assert not filled.busy


def test_suspects_run_alone_before_all_others() -> None:
    jobs = [job(slots=2), job(), job(), job()]
    filled = scheduler(*jobs[:2])
    filled.admit(ROOM)
    for later in jobs[2:]:
        filled.add(later)
    filled.suspect(jobs[:2])
    assert filled.running == []
    assert [one.phase for one in jobs] == ["waiting"] * 4
    order = []
    while filled.busy:
        order.append(filled.admit(ROOM))
        assert filled.admit(ROOM) == []  # nobody joins a suspect, no suspect joins anybody
        for one in list(filled.running):
            filled.finish(one)
    assert order == [jobs[:1], jobs[1:2], jobs[2:]]


def test_a_suspect_counts_from_the_beginning_again() -> None:
    one = job()
    filled = scheduler(one)
    filled.admit(ROOM)
    one.steps, one.companions = 3, 12
    filled.suspect([one])
    assert (one.steps, one.companions, one.alone) == (0, 0, True)


def test_a_suspect_waits_until_nobody_runs() -> None:
    jobs = [job(), job()]
    filled = scheduler(jobs[0])
    filled.admit(ROOM)
    jobs[1].alone = True
    filled.add(jobs[1])
    assert filled.admit(ROOM) == []
    filled.finish(jobs[0])
    assert filled.admit(ROOM) == jobs[1:]


@pytest.mark.parametrize("pads", [True, False])
def test_a_suspect_is_nobodys_companion(pads: bool) -> None:
    jobs = [job(), job(), job()]
    jobs[1].alone = True
    filled = scheduler(*jobs, pads=pads)
    assert jobs[1] not in filled.admit(ROOM)


def test_clear_takes_all() -> None:
    jobs = [job(), job(), job()]
    filled = scheduler(*jobs)
    filled.admit(Room(1, 0))
    assert sorted(map(jobs.index, filled.clear())) == [0, 1, 2]
    assert not filled.busy
    assert filled.clear() == []


@dataclass
class Simulation:
    """A decoder with `slots` slots; each job stays for its number of steps."""

    stays: dict[Job, int]
    slots: int
    work: int = 0  # slots times steps that all jobs here still need
    step: int = 0
    came: dict[Job, int] = field(default_factory=dict)
    work_before: dict[Job, int] = field(default_factory=dict)  # when each came
    jobs_before: dict[Job, int] = field(default_factory=dict)
    waits: dict[Job, int] = field(default_factory=dict)

    def play(self, filled: Scheduler, arrivals: list[int]) -> None:
        """Jobs come at these steps, ascending."""
        coming = deque(zip(arrivals, self.stays, strict=True))
        while coming or filled.busy:
            while coming and coming[0][0] <= self.step:
                self._come(filled, coming.popleft()[1])
            for one in filled.admit(Room(self.slots - used(filled), 0)):
                self.waits[one] = self.step - self.came[one]
            assert used(filled) <= self.slots
            self._decode(filled)

    def _come(self, filled: Scheduler, one: Job) -> None:
        filled.add(one)
        self.came[one], self.work_before[one] = self.step, self.work
        self.jobs_before[one] = len(self.came) - len(self.waits) - 1
        self.work += self.stays[one] * one.request.slots

    def _decode(self, filled: Scheduler) -> None:
        self.step += 1
        for one in list(filled.running):
            self.work -= one.request.slots
            self.stays[one] -= 1
            if not self.stays[one]:
                filled.finish(one)


def used(filled: Scheduler) -> int:
    return sum(one.request.slots for one in filled.running)


@pytest.mark.parametrize("load", [0.5, 0.9, 3.0])
def test_thousands_come_and_nobody_starves(load: float) -> None:
    """Wide beams and long audio among a stream of short greedy ones.

    Whoever waits for slots sees few of them free, so the work before it shrinks with each step;
    whoever waits for the budget sees somebody begin. What comes later does not count.
    """
    chance, slots, widest = random.Random(0), 16, 12
    stays = {
        job(chance.choice([0.5, 1.0, 20.0]), slots=chance.choice([1] * 9 + [widest])):
        chance.randint(1, 40)
        for _ in range(3_000)
    }  # fmt: skip
    steps = sum(stay * one.request.slots for one, stay in stays.items()) / slots
    arrivals = sorted(chance.randrange(round(steps / load)) for _ in stays)
    simulation = Simulation(stays, slots)
    simulation.play(scheduler(max_queue=3_000, max_encode_seconds=30.0), arrivals)
    assert len(simulation.waits) == 3_000
    assert list(simulation.waits) == list(stays)  # in the order they came
    for one, waited in simulation.waits.items():
        busy_steps = simulation.work_before[one] / (slots - widest + 1)
        assert waited <= busy_steps + simulation.jobs_before[one]
    assert simulation.work == 0
    assert max(simulation.waits.values()) > 40  # there was something to wait for


def test_a_wide_job_waits_for_those_before_it_only() -> None:
    """However many narrow ones follow it."""
    filled = scheduler(*[job() for _ in range(8)], max_queue=5_000)
    filled.admit(Room(8, 0))
    wide = job(slots=8)
    filled.add(wide)
    for _ in range(8):
        filled.add(job())
        assert filled.admit(Room(8 - len(filled.running), 0)) == []
        filled.finish(filled.running[0])
    assert filled.admit(Room(8, 0)) == [wide]


# --- interim requests --------------------------------------------------------------------------


def interim(seconds: float = 1.0) -> Job:
    request = Request(np.zeros(round(seconds * 16_000), np.float32), interim=True)
    return Job(request, 0.0, Cost(round(seconds * 50), 1, 0))


def test_interim_requests_begin_when_no_other_job_waits_or_runs() -> None:
    filled = scheduler(first := interim(), final := job(), second := interim())
    assert filled.admit(Room(9, 0)) == [final]
    assert filled.admit(Room(9, 0)) == []
    filled.finish(final)
    assert filled.admit(Room(9, 0)) == [first, second]


def test_a_final_request_joins_interim_ones_that_run() -> None:
    filled = scheduler(first := interim())
    assert filled.admit(Room(9, 0)) == [first]
    filled.add(final := job())
    assert filled.admit(Room(9, 0)) == [final]


def test_interim_requests_encode_a_few_seconds_at_a_time() -> None:
    waiting = [interim(5.0), interim(3.0), interim(1.0)]
    filled = scheduler(*waiting)
    assert filled.admit(Room(9, 0)) == waiting[:2]
    assert filled.admit(Room(9, 0)) == waiting[2:]


def test_each_queue_has_its_own_room() -> None:
    filled = scheduler(job(), max_queue=1)
    assert not filled.has_room_for(job())
    assert filled.has_room_for(interim())
    filled.add(interim())
    assert not filled.has_room_for(interim())
    assert filled.waiting == 2
    assert len(filled.clear()) == 2
