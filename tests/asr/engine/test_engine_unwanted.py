"""What nobody waits for any more leaves within a step, wherever it is."""

import random
from concurrent.futures import CancelledError, Future, wait

import pytest

from auricle.engine import Outcome
from auricle_types.errors import DeadlineExceededError
from tests.asr.engine.fakes import (
    PATIENCE,
    FakeRunner,
    MakeEngine,
    heard,
    occupy,
    request,
    words,
)


def test_cancelled_before_it_runs_is_not_run(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    first = occupy(engine, runner)
    dropped, kept = engine.submit(request()), engine.submit(request())
    assert dropped.cancel()
    runner.allow()
    assert words(kept) == heard(request())
    assert words(first) == heard(request(0.001))
    assert not wait([dropped], PATIENCE).not_done  # whoever waits for it is told
    with pytest.raises(CancelledError):
        dropped.result(PATIENCE)
    assert runner.joins == [1, 1]


def test_cancelled_while_it_runs_leaves_within_a_step(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    kept = occupy(engine, runner, steps=9)
    dropped = engine.submit(request(steps=9, beam=7))
    waiting = engine.submit(request(0.3, steps=1, beam=7))
    runner.allow(2)
    runner.wait_for_step(3)
    assert len(runner.running) == 2
    assert dropped.cancel()
    runner.allow(1)  # the step that was under way
    runner.wait_for_step(4)
    assert [job.future for job in runner.running] == [kept, waiting]  # its slots are taken already
    assert runner.steps == [1, 2, 2, 2]
    assert not wait([dropped], PATIENCE).not_done
    runner.allow()
    assert words(waiting) == heard(request(0.3))
    assert words(kept) == heard(request(0.001))


def test_cancelled_while_it_is_encoded_takes_one_step_at_most(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    occupy(engine, runner)
    join, joined = runner.join, list[Future[Outcome]]()

    def join_and_cancel(jobs: list) -> float:  # type: ignore[type-arg]  # of jobs
        joined.extend(job.future for job in jobs)
        assert joined[0].cancel()
        return join(jobs)

    runner.join = join_and_cancel  # type: ignore[method-assign,assignment]
    dropped, kept = engine.submit(request(steps=9)), engine.submit(request(0.2, steps=3))
    runner.allow()
    assert words(kept) == heard(request(0.2))
    assert dropped.cancelled()
    assert runner.steps == [1, 2, 1, 1]


def test_a_deadline_that_passes_while_it_waits(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()  # it is 100, and 102 once the first is encoded
    first = occupy(engine, runner)
    late = engine.submit(request(deadline=102.5))
    early = engine.submit(request(deadline=200.0))
    runner.allow()
    with pytest.raises(DeadlineExceededError):
        late.result(PATIENCE)
    assert words(early) == heard(request())
    assert words(first) == heard(request(0.001))
    assert runner.joins == [1, 1]  # the late one was never encoded


def test_a_deadline_that_passes_while_it_runs(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    runner.allow()
    late = engine.submit(request(steps=9, deadline=103.0))  # encoded at 102, two steps until 103
    with pytest.raises(DeadlineExceededError, match="before the answer was ready"):
        late.result(PATIENCE)
    assert runner.steps == [1, 1]
    in_time = engine.submit(request(steps=2, deadline=106.5))
    assert words(in_time) == heard(request())


def test_a_thousand_random_cancels_lose_no_slot(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine, chance = make_engine(max_queue=2_000), random.Random(0)
    runner.allow()
    futures = []
    for number in range(1_000):
        wanted = request(
            number / 1_000, 0.01, steps=chance.randint(1, 6), beam=chance.randint(1, 8)
        )
        futures.append(engine.submit(wanted))
        futures[chance.randrange(len(futures))].cancel()
        futures[-chance.randint(1, min(12, len(futures)))].cancel()
    assert not wait(futures, PATIENCE).not_done
    for number, future in enumerate(futures):
        if not future.cancelled():
            assert words(future) == heard(request(number / 1_000, 0.01))
    assert 100 < sum(future.cancelled() for future in futures) < 1_000
    engine.close()
    assert runner.running == {}
