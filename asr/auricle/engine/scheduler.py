"""Who runs when, and with whom: waiting -> encoding -> decoding -> finished.

Pure Python: no tensor, no thread, no clock. What is bounded are budgets, never the number of
requests: seconds of audio that are encoded between two steps of the decoder, slots of the decoder,
memory of cross-attention.

Nobody starves: the job that has waited longest leads the next group, and while there is no room for
it, nobody begins. So at most `p` groups begin before that of a job with `p` others before it in the
queue, however many come behind it; only suspects of a failure are put before it. Between two groups
all that decode take a step, and a group is no more than the budget, or one job. A runner that packs
gets its jobs strictly in the order in which they came. One that pads gets the leader's neighbours
in length: they overtake others, but never the leader.

Interim requests are the exception: they stand in a queue of their own. They begin, a few seconds of
audio at a time, only while no other job waits or runs, so that they hold up none for long. Whoever
asks has at most one of them waiting.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice

from auricle.engine.group import Group
from auricle.engine.request import Cost, Job, Room
from auricle_types.errors import AudioTooLongError, InvalidOptionError
from auricle_types.options import EngineConfig

MIB = 1 << 20
INTERIM_SECONDS = 8.0  # of audio that interim requests encode at a time


class Scheduler:
    """The queue, the jobs under way, and the budgets."""

    def __init__(self, config: EngineConfig, *, pads: bool = False) -> None:
        """`pads`: the encoder pads a group to its longest job."""
        self.config = config
        self.running: list[Job] = []
        self._waiting: deque[Job] = deque()
        self._interim: deque[Job] = deque()  # these wait until no other job does
        self._pads = pads

    @property
    def jobs(self) -> list[Job]:
        """All that wait, in their order, and all that run."""
        return [*self._waiting, *self._interim, *self.running]

    @property
    def waiting(self) -> int:
        """How many jobs wait in the queues."""
        return len(self._waiting) + len(self._interim)

    @property
    def busy(self) -> bool:
        """Whether any job waits or runs."""
        return bool(self._waiting or self._interim or self.running)

    def has_room_for(self, job: Job) -> bool:
        """Whether `job` may wait, too."""
        return len(self._queue_of(job)) < self.config.max_queue

    def _queue_of(self, job: Job) -> deque[Job]:
        return self._interim if job.request.interim else self._waiting

    def check(self, cost: Cost) -> None:
        """Refuse what is more than a budget, and would wait for ever.

        Raises:
            InvalidOptionError: it takes more than all slots of the decoder.
            AudioTooLongError: it takes more than all memory of cross-attention.
        """
        slots, cache_mib = self.config.slots, self.config.max_cache_mib
        if cost.slots > slots:
            raise InvalidOptionError(
                f"beam_size {cost.slots} needs more than the engine's {slots} slots"
            )
        if cost.cache_bytes > cache_mib * MIB:
            raise AudioTooLongError(
                f"a piece of {cost.frames} encoder frames needs {cost.cache_bytes / MIB:.1f} MiB "
                f"where max_cache_mib is {cache_mib}: cut it, or raise the budget"
            )

    def add(self, job: Job) -> None:
        """Put `job` at the end of its queue."""
        self._queue_of(job).append(job)

    def drop_cancelled(self) -> list[Job]:
        """Take out the waiting jobs that were cancelled."""
        waiting = (*self._waiting, *self._interim)
        return self._drop([job for job in waiting if job.future.cancelled()])

    def drop_unwanted(self, now: float) -> list[Job]:
        """Take out the jobs, waiting or running, that nobody waits for any more."""
        return self._drop([job for job in self.jobs if job.unwanted(now)])

    def admit(self, room: Room) -> list[Job]:
        """Take the next jobs to encode: the one that has waited longest and who fits beside it.

        A job longer than the whole budget is encoded by itself. A suspect runs alone. Where nobody
        runs, no room will come: the next job is taken and the runner says what is wrong.
        """
        queue, budget = self._next_queue()
        if not queue:
            return []
        group = Group(queue[0], room, budget, pads=self._pads)
        if self.running and not (group.fits and self._may_join(group.leader)):
            return []
        if not group.leader.alone:
            self._fill(group, queue)
        self._drop(group.jobs)
        for job in group.jobs:
            job.phase = "encoding"
        self.running += group.jobs
        return group.jobs

    def _next_queue(self) -> tuple[deque[Job], float]:
        """Choose who may begin, and how many seconds of audio are encoded at a time."""
        budget = self.config.max_encode_seconds
        if self._waiting or any(not job.request.interim for job in self.running):
            return self._waiting, budget
        return self._interim, min(budget, INTERIM_SECONDS)

    def _fill(self, group: Group, queue: deque[Job]) -> None:
        for job in self._companions(group.leader, queue):
            if group.takes(job) and not job.alone:
                group.add(job)
            elif not self._pads:
                return

    def _companions(self, leader: Job, queue: deque[Job]) -> Iterable[Job]:
        others = islice(queue, 1, None)
        if not self._pads:
            return others
        return sorted(others, key=lambda job: abs(job.cost.frames - leader.cost.frames))

    def _may_join(self, job: Job) -> bool:
        return not (job.alone or self.running[0].alone)

    def _drop(self, jobs: Sequence[Job]) -> list[Job]:
        if jobs:
            gone = set(jobs)
            self._waiting = deque(job for job in self._waiting if job not in gone)
            self._interim = deque(job for job in self._interim if job not in gone)
            self.running = [job for job in self.running if job not in gone]
        return list(jobs)

    def finish(self, job: Job) -> None:
        """A job has its answer."""
        self.running.remove(job)
        job.phase = "finished"

    def suspect(self, jobs: Sequence[Job]) -> None:
        """Jobs whose step failed: each begins anew, alone, before all others."""
        for job in reversed(jobs):
            self.running.remove(job)
            job.begin_anew()
            self._waiting.appendleft(job)

    def clear(self) -> list[Job]:
        """Take out all jobs."""
        jobs = self.jobs
        self._waiting.clear()
        self._interim.clear()
        self.running.clear()
        return jobs
