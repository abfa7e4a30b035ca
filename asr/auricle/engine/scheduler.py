"""Who runs next, and with whom. Pure Python: no tensor, no thread, no clock.

First come, first served: a batch is the longest run of waiting jobs whose padded duration fits
the budget.
"""

from collections import deque

from auricle.config import EngineConfig
from auricle.engine.request import Job
from auricle.errors import QueueFullError


class Scheduler:
    """The queue and the budgets."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self._waiting: deque[Job] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, job: Job) -> None:
        """Queue `job`. Raises QueueFullError when `max_queue` jobs wait already."""
        if len(self._waiting) >= self.config.max_queue:
            raise QueueFullError(
                f"{self.config.max_queue} requests are waiting: try again in a moment"
            )
        self._waiting.append(job)

    def next_batch(self, now: float) -> tuple[list[Job], list[Job]]:
        """Take the next jobs to run together, and those whose deadline has passed.

        Cancelled jobs are dropped. A job that is longer than the whole budget runs alone.
        """
        batch: list[Job] = []
        expired: list[Job] = []
        longest = 0.0
        while self._waiting:
            job = self._waiting[0]
            padded = max(longest, job.request.seconds) * (len(batch) + 1)
            if batch and padded > self.config.max_batch_seconds:
                break
            self._waiting.popleft()
            if job.future.cancelled():
                continue
            if job.expired(now):
                expired.append(job)
                continue
            batch.append(job)
            longest = max(longest, job.request.seconds)
        return batch, expired

    def clear(self) -> list[Job]:
        """Take all waiting jobs out of the queue."""
        jobs = list(self._waiting)
        self._waiting.clear()
        return jobs
