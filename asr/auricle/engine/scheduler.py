"""Who runs when, and with whom: waiting -> encoding -> decoding -> finished.

Pure Python: no tensor, no thread, no clock. Jobs begin in the order in which they came, as soon
as decoder slots are free and the step's budget of audio to encode allows; nobody overtakes, so
nobody starves. What is unwanted leaves at the next step, wherever it is.
"""

from collections import deque
from collections.abc import Sequence

from auricle.config import EngineConfig
from auricle.engine.request import Job, Room
from auricle.errors import QueueFullError


class Scheduler:
    """The queue, the jobs under way, and the budgets."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self.running: list[Job] = []
        self._waiting: deque[Job] = deque()

    @property
    def busy(self) -> bool:
        """Whether any job waits or runs."""
        return bool(self._waiting or self.running)

    @property
    def has_room(self) -> bool:
        """Whether one more job may wait."""
        return len(self._waiting) < self.config.max_queue

    def add(self, job: Job) -> None:
        """Queue `job`. Raises QueueFullError when `max_queue` jobs wait already."""
        if not self.has_room:
            self._drop_cancelled()
        if not self.has_room:
            raise QueueFullError(
                f"{self.config.max_queue} requests are waiting: try again in a moment"
            )
        self._waiting.append(job)

    def drop_unwanted(self, now: float) -> list[Job]:
        """Take out the jobs, waiting or running, that nobody waits for any more."""
        jobs = [*self._waiting, *self.running]
        unwanted = [job for job in jobs if job.unwanted(now)]  # asked once: it may change any time
        if unwanted:
            gone = set(unwanted)
            self._waiting = deque(job for job in self._waiting if job not in gone)
            self.running = [job for job in self.running if job not in gone]
        return unwanted

    def admit(self, room: Room) -> list[Job]:
        """Take the next jobs to encode: as many as fit the room and the budget of audio.

        A job longer than the whole budget is encoded by itself. A suspect runs alone. Where nobody
        runs, no slot will come free: the next job is taken and the runner says what is wrong.
        """
        admitted: list[Job] = []
        seconds, slots, cache_bytes = 0.0, room.slots, room.cache_bytes
        while self._waiting and self._may_join(self._waiting[0], admitted):
            job = self._waiting[0]
            slots -= job.cost.slots
            cache_bytes -= job.cost.cache_bytes
            seconds += job.request.seconds
            if min(slots, cache_bytes) < 0 and (admitted or self.running):
                break
            if admitted and seconds > self.config.max_encode_seconds:
                break
            admitted.append(self._waiting.popleft())
        for job in admitted:
            job.phase = "encoding"
        self.running += admitted
        return admitted

    def _drop_cancelled(self) -> None:
        jobs, self._waiting = self._waiting, deque()
        for job in jobs:
            if job.future.cancelled():
                job.future.set_running_or_notify_cancel()  # whoever waits for it is told
            else:
                self._waiting.append(job)

    def _may_join(self, job: Job, admitted: list[Job]) -> bool:
        companions = [*self.running, *admitted]
        return not companions or not (job.alone or companions[0].alone)

    def finish(self, job: Job) -> None:
        """A job has its answer."""
        self.running.remove(job)
        job.phase = "finished"

    def suspect(self, jobs: Sequence[Job]) -> None:
        """Jobs whose step failed: each begins anew, alone, before all others."""
        for job in reversed(jobs):
            self.running.remove(job)
            job.phase, job.alone = "waiting", True
            self._waiting.appendleft(job)

    def clear(self) -> list[Job]:
        """Take out all jobs."""
        jobs = [*self._waiting, *self.running]
        self._waiting.clear()
        self.running.clear()
        return jobs
