"""The scheduler without threads, clocks or tensors."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auricle.config import EngineConfig
from auricle.engine.request import Job
from auricle.engine.scheduler import Scheduler
from auricle.errors import QueueFullError
from tests.asr.engine.fakes import request

NOW = 100.0


def job(seconds: float = 1.0, deadline: float | None = None) -> Job:
    return Job(request(seconds=seconds, deadline=deadline), NOW)


def scheduler(*jobs: Job, max_batch_seconds: float = 10.0, max_queue: int = 100) -> Scheduler:
    filled = Scheduler(EngineConfig(max_queue=max_queue, max_batch_seconds=max_batch_seconds))
    for waiting in jobs:
        filled.add(waiting)
    return filled


def batches(filled: Scheduler) -> list[list[Job]]:
    found = []
    while len(filled):
        batch, expired = filled.next_batch(NOW)
        assert expired == []
        assert batch
        found.append(batch)
    return found


def test_an_empty_queue_has_no_batch() -> None:
    assert scheduler().next_batch(NOW) == ([], [])


def test_jobs_run_together_in_the_order_they_came() -> None:
    jobs = [job(), job(0.5), job(2.0)]
    filled = scheduler(*jobs)
    assert filled.next_batch(NOW) == (jobs, [])
    assert len(filled) == 0


def test_padding_counts() -> None:
    """Four jobs of 1 s fit into 10 s, but not beside one of 3 s: that makes 12 s."""
    jobs = [job(), job(), job(3.0), job()]
    assert batches(scheduler(*jobs)) == [jobs[:3], jobs[3:]]


def test_a_batch_may_fill_the_budget_exactly() -> None:
    jobs = [job(5.0), job(5.0), job(0.5)]
    assert batches(scheduler(*jobs)) == [jobs[:2], jobs[2:]]


def test_a_job_longer_than_the_budget_runs_alone() -> None:
    jobs = [job(30.0), job(), job(30.0), job()]
    assert batches(scheduler(*jobs)) == [[one] for one in jobs]


@given(
    st.lists(st.sampled_from([0.1, 0.5, 1.0, 2.0, 7.0]), max_size=20),
    st.sampled_from([0.5, 3.0, 10.0]),
)
def test_every_job_runs_once_in_order_and_within_the_budget(
    lengths: list[float], budget: float
) -> None:
    jobs = [job(seconds) for seconds in lengths]
    found = batches(scheduler(*jobs, max_batch_seconds=budget))
    assert [one for batch in found for one in batch] == jobs
    for batch in found:
        padded = max(one.request.seconds for one in batch) * len(batch)
        assert padded <= budget or len(batch) == 1
    for batch, later in pairwise(found):
        longest = max(one.request.seconds for one in [*batch, later[0]])
        assert longest * (len(batch) + 1) > budget  # no batch ends before it must


def test_a_full_queue_refuses() -> None:
    filled = scheduler(job(), job(), max_queue=2)
    with pytest.raises(QueueFullError, match="2 requests are waiting"):
        filled.add(job())
    filled.next_batch(NOW)
    filled.add(job())
    assert len(filled) == 1


def test_cancelled_jobs_are_dropped() -> None:
    jobs = [job(), job(), job()]
    filled = scheduler(*jobs)
    jobs[1].future.cancel()
    assert filled.next_batch(NOW) == ([jobs[0], jobs[2]], [])


def test_cancelled_jobs_take_no_room() -> None:
    jobs = [job(), job()]
    filled = scheduler(*jobs, max_queue=2)
    jobs[0].future.cancel()
    filled.add(job())
    assert len(filled) == 2
    with pytest.raises(QueueFullError):
        filled.add(job())


def test_jobs_past_their_deadline_come_back_apart() -> None:
    jobs = [job(deadline=NOW - 1), job(deadline=NOW), job(deadline=NOW + 1), job()]
    assert scheduler(*jobs).next_batch(NOW) == (jobs[2:], jobs[:2])


def test_jobs_past_their_deadline_do_not_wait_for_a_batch() -> None:
    jobs = [job(10.0), job(10.0), job(deadline=NOW - 1)]
    filled = scheduler(*jobs)
    assert filled.next_batch(NOW) == (jobs[:1], jobs[2:])
    assert len(filled) == 1


def test_dropped_jobs_do_not_weigh_on_a_batch() -> None:
    jobs = [job(1.0), job(10.0), job(10.0, deadline=NOW - 1), job(1.0)]
    jobs[1].future.cancel()
    assert scheduler(*jobs).next_batch(NOW) == ([jobs[0], jobs[3]], [jobs[2]])


def test_all_may_be_dropped() -> None:
    late, cancelled = job(deadline=NOW), job()
    cancelled.future.cancel()
    filled = scheduler(late, cancelled)
    assert filled.next_batch(NOW) == ([], [late])
    assert len(filled) == 0


def test_clear_takes_all() -> None:
    jobs = [job(), job()]
    filled = scheduler(*jobs)
    assert filled.clear() == jobs
    assert len(filled) == 0
    assert filled.clear() == []
