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
            self._drop_cancelled()
        if len(self._waiting) >= self.config.max_queue:
            raise QueueFullError(
                f"{self.config.max_queue} requests are waiting: try again in a moment"
            )
        self._waiting.append(job)

    def next_batch(self, now: float) -> tuple[list[Job], list[Job]]:
        """Take the next jobs to run together, and those whose deadline has passed.

        Cancelled jobs are dropped. A job that is longer than the whole budget runs alone.
        """
        expired = self._drop_expired(now)
        batch: list[Job] = []
        longest = 0.0
        while self._waiting:
            job = self._waiting[0]
            longest = max(longest, job.request.seconds)
            if batch and longest * (len(batch) + 1) > self.config.max_batch_seconds:
                break
            batch.append(self._waiting.popleft())
        return batch, expired

    def _drop_expired(self, now: float) -> list[Job]:
        """Take out the jobs that nobody waits for; return those whose deadline has passed."""
        self._drop_cancelled()
        expired = [job for job in self._waiting if job.expired(now)]
        self._waiting = deque(job for job in self._waiting if not job.expired(now))
        return expired

    def _drop_cancelled(self) -> None:
        cancelled = [job for job in self._waiting if job.future.cancelled()]
        for job in cancelled:
            job.future.set_running_or_notify_cancel()  # wakes those in `concurrent.futures.wait`
            self._waiting.remove(job)

    def clear(self) -> list[Job]:
        """Take all waiting jobs out of the queue."""
        jobs = list(self._waiting)
        self._waiting.clear()
        return jobs
