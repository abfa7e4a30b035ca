"""Every submitted request ends: with an outcome, an error, or its cancellation."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait

import pytest

from auricle.config import EngineConfig
from auricle.engine import Engine, Outcome, Request
from auricle.errors import (
    AudioTooLongError,
    DeadlineExceededError,
    EngineStoppedError,
    InferenceError,
    InvalidOptionError,
    QueueFullError,
)
from tests.asr.engine.fakes import (
    NOT_FINITE,
    PATIENCE,
    POISON,
    VENOM,
    Clock,
    FakeRunner,
    heard,
    request,
)

MakeEngine = Callable[..., Engine]


@pytest.fixture
def runner() -> FakeRunner:
    """It takes no step before a test allows it."""
    return FakeRunner(clock=Clock())


@pytest.fixture
def make_engine(runner: FakeRunner) -> Iterator[MakeEngine]:
    engines: list[Engine] = []

    def make(**budgets: float) -> Engine:
        config = EngineConfig(**budgets)  # type: ignore[arg-type]  # whole numbers, some of them
        assert runner.clock is not None
        engines.append(Engine(runner, config, model_id="fake", clock=runner.clock))
        return engines[-1]

    yield make
    runner.allow()
    for engine in engines:
        engine.close()
        assert not engine._scheduler.busy
    assert runner.running == {}  # no slot is lost, whatever a test did
    assert runner.free_slots == runner.slots


def occupy(engine: Engine, runner: FakeRunner, steps: int = 1) -> Future[Outcome]:
    """Put a request on the device, so that the next ones wait for its step."""
    first = engine.submit(request(0.001, steps=steps))
    runner.wait_for_step(1)
    return first


def words(future: Future[Outcome]) -> object:
    return future.result(PATIENCE).hypothesis


# What runs with whom


def test_a_request_gets_its_outcome(make_engine: MakeEngine, runner: FakeRunner) -> None:
    runner.allow()
    outcome = make_engine().submit(request(0.25, 2.0, steps=3)).result(PATIENCE)
    assert outcome.hypothesis == heard(request(0.25, 2.0))
    receipt = outcome.receipt
    assert (receipt.model_id, receipt.batch_size, receipt.tokens) == ("fake", 1, 3)
    assert (receipt.queue_seconds, receipt.encode_seconds) == (0.0, 2.0)
    assert receipt.decode_seconds == 1.5  # three steps
    assert receipt.padding_ratio == 0.25
    assert runner.threads == {"auricle-device"}


def test_waiting_requests_are_encoded_together(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    first = occupy(engine, runner)
    others = [engine.submit(request(level / 100)) for level in range(7)]
    runner.allow()
    outcomes = [future.result(PATIENCE) for future in [first, *others]]
    assert runner.joins == [1, 7]
    assert [outcome.receipt.batch_size for outcome in outcomes] == [1] + [7] * 7
    assert [o.hypothesis for o in outcomes[1:]] == [heard(request(n / 100)) for n in range(7)]
    assert outcomes[1].receipt.queue_seconds == 0.5  # the step that was under way


def test_a_request_joins_while_another_decodes(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    long = occupy(engine, runner, steps=6)
    runner.allow(1)
    runner.wait_for_step(2)
    short = engine.submit(request(0.2, steps=2))
    runner.allow(3)
    assert words(short) == heard(request(0.2))
    runner.wait_for_step(5)
    assert not long.done()
    runner.allow()
    assert words(long) == heard(request(0.001))
    assert runner.steps == [1, 1, 2, 2, 1, 1]
    assert long.result().receipt.batch_size == 1  # 8 in 6 steps
    assert short.result().receipt.batch_size == 2


def test_slots_go_to_the_next_as_soon_as_they_are_free(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    occupy(engine, runner, steps=2)
    stays = [1, 2, 3, 1, 1, 1, 1, 1, 1, 1]
    futures = [engine.submit(request(n / 100, steps=stay)) for n, stay in enumerate(stays)]
    runner.allow()
    assert [words(future) for future in futures] == [heard(request(n / 100)) for n in range(10)]
    assert runner.steps == [1, 8, 5, 1]
    assert runner.joins == [1, 7, 3]


def test_beams_take_as_many_slots_as_they_are_wide(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    occupy(engine, runner)
    futures = [engine.submit(request(n / 100, beam=beam)) for n, beam in enumerate([5, 3, 8, 1])]
    runner.allow()
    assert [words(future) for future in futures] == [heard(request(n / 100)) for n in range(4)]
    assert runner.steps == [1, 2, 1, 1]


def test_between_two_steps_a_budget_of_audio_is_encoded(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine(max_encode_seconds=5.0)
    occupy(engine, runner, steps=3)
    futures = [engine.submit(request(n / 100, 2.0, steps=9)) for n in range(5)]
    runner.allow()
    assert not wait(futures, PATIENCE).not_done
    assert runner.joins == [1, 2, 2, 1]
    assert runner.steps[:4] == [1, 3, 5, 5]  # nobody stops decoding meanwhile


# What is refused


def test_what_could_never_run_is_refused(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    with pytest.raises(AudioTooLongError):
        engine.submit(request(seconds=30.1))
    with pytest.raises(InvalidOptionError):
        engine.submit(request(beam=9))
    with pytest.raises(DeadlineExceededError):
        engine.submit(request(deadline=100.0))
    assert not engine._scheduler.busy
    assert runner.joins == []


def test_a_full_queue_refuses_at_once(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine(max_queue=2)
    running = occupy(engine, runner)
    waiting = [engine.submit(request()) for _ in range(2)]
    with pytest.raises(QueueFullError):
        engine.submit(request())
    runner.allow()
    assert not wait([running, *waiting], PATIENCE).not_done


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_who_wants_to_waits_for_room(
    make_engine: MakeEngine, runner: FakeRunner, pool: ThreadPoolExecutor
) -> None:
    engine = make_engine(max_queue=1)
    occupy(engine, runner)
    engine.submit(request(0.1))
    patient = [pool.submit(engine.submit, request(n / 10), block=True) for n in (2, 3, 4)]
    runner.allow()
    found = [words(future.result(PATIENCE)) for future in patient]
    assert found == [heard(request(n / 10)) for n in (2, 3, 4)]


@pytest.mark.parametrize("drain", [True, False])
def test_who_waits_for_room_learns_that_the_engine_closes(
    make_engine: MakeEngine, runner: FakeRunner, pool: ThreadPoolExecutor, drain: bool
) -> None:
    engine = make_engine(max_queue=1)
    occupy(engine, runner)
    engine.submit(request())
    patient = pool.submit(engine.submit, request(), block=True)
    closing = pool.submit(engine.close, drain=drain)
    with pytest.raises(EngineStoppedError):
        patient.result(PATIENCE)
    runner.allow()
    closing.result(PATIENCE)


# What is not wanted any more


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


# What fails


@pytest.mark.parametrize("poisoned", [[0], [3], [6], [2, 3], [0, 6], list(range(7))])
def test_poison_at_joining_fails_alone(
    make_engine: MakeEngine, runner: FakeRunner, poisoned: list[int]
) -> None:
    engine = make_engine()
    first = occupy(engine, runner, steps=3)
    levels = [POISON if index in poisoned else index / 100 for index in range(7)]
    futures = [engine.submit(request(level)) for level in levels]
    runner.allow()
    for index, future in enumerate(futures):
        if index in poisoned:
            with pytest.raises(InferenceError, match="poison") as caught:
                future.result(PATIENCE)
            assert isinstance(caught.value.__cause__, ValueError)
        else:
            assert words(future) == heard(request(levels[index]))
    assert words(first) == heard(request(0.001))
    assert runner.steps[0] == 1
    assert max(runner.joins) == 7
    assert words(engine.submit(request(0.5))) == heard(request(0.5))


def test_halves_are_tried_until_the_one_to_blame_stands_alone(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    occupy(engine, runner)
    futures = [engine.submit(request(POISON if n == 5 else 0.5)) for n in range(7)]
    runner.allow()
    assert isinstance(futures[5].exception(PATIENCE), InferenceError)
    assert not wait(futures, PATIENCE).not_done
    assert runner.joins == [1, 7, 3, 4, 2, 2, 1, 1]
    assert runner.steps == [1, 6]  # the others did not begin anew


@pytest.mark.parametrize("venomous", [[0], [2], [1, 3]])
def test_a_failing_step_begins_anew_with_each_alone(
    make_engine: MakeEngine, runner: FakeRunner, venomous: list[int]
) -> None:
    engine = make_engine()
    occupy(engine, runner)
    levels = [VENOM if index in venomous else index / 100 for index in range(4)]
    futures = [engine.submit(request(level, steps=2)) for level in levels]
    runner.allow(1)
    runner.wait_for_step(2)
    later = engine.submit(request(0.7))
    runner.allow()
    assert words(later) == heard(request(0.7))
    for level, future in zip(levels, futures, strict=True):
        assert future.done()  # before all others
        if level == VENOM:
            with pytest.raises(InferenceError, match="venom"):
                future.result(PATIENCE)
        else:
            assert words(future) == heard(request(level))
    assert runner.steps[:2] == [1, 4]
    assert set(runner.steps[2:]) == {1}
    assert runner.joins == [1, 4, 1, 1, 1, 1, 1]


def test_what_the_runner_blames_fails_alone(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    occupy(engine, runner)
    levels = [0.1, NOT_FINITE, 0.2]
    futures = [engine.submit(request(level, steps=2)) for level in levels]
    runner.allow()
    with pytest.raises(InferenceError, match="not finite"):
        futures[1].result(PATIENCE)
    assert [words(futures[n]) for n in (0, 2)] == [heard(request(levels[n])) for n in (0, 2)]
    assert runner.steps == [1, 3, 3]


def test_a_suspect_may_be_cancelled(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    occupy(engine, runner)
    venom, dropped, kept = (engine.submit(request(level)) for level in (VENOM, 0.1, 0.2))
    runner.allow(2)  # the second one fails
    runner.wait_for_step(3)
    assert dropped.cancel()
    runner.allow()
    assert words(kept) == heard(request(0.2))
    assert isinstance(venom.exception(PATIENCE), InferenceError)
    assert runner.steps == [1, 3, 1, 1]


@pytest.mark.parametrize("level", [POISON, VENOM, NOT_FINITE])
def test_what_was_cancelled_before_it_failed_harms_nobody(
    make_engine: MakeEngine, runner: FakeRunner, level: float
) -> None:
    engine = make_engine()
    bad = engine.submit(request(level))
    assert bad.cancel() or level == POISON  # which may have failed already
    runner.allow()
    assert words(engine.submit(request())) == heard(request())
    assert bad.done()


def test_a_callback_that_raises_harms_nobody(make_engine: MakeEngine, runner: FakeRunner) -> None:
    def shout(future: Future[Outcome]) -> None:
        raise RuntimeError("not my fault")

    engine = make_engine()
    first = occupy(engine, runner)
    first.add_done_callback(shout)
    runner.allow()
    assert words(engine.submit(request())) == heard(request())


def test_a_callback_may_submit(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine, after = make_engine(), list[Future[Outcome]]()
    first = occupy(engine, runner)
    done = threading.Event()

    def submit_again(future: Future[Outcome]) -> None:
        after.append(engine.submit(request(0.9)))
        done.set()

    first.add_done_callback(submit_again)
    runner.allow()
    assert done.wait(PATIENCE)
    assert words(after[0]) == heard(request(0.9))


# How it stops


def test_a_drain_finishes_what_waits_and_what_runs(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    running = occupy(engine, runner, steps=4)
    waiting = [engine.submit(request(n / 10, steps=3)) for n in range(9)]
    closing = threading.Thread(target=engine.close)
    closing.start()
    refuse_eventually(engine)
    runner.allow()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert running.result(0).hypothesis == heard(request(0.001))
    assert [f.result(0).hypothesis for f in waiting] == [heard(request(n / 10)) for n in range(9)]


def refuse_eventually(engine: Engine) -> None:
    """Closing happens on another thread: once it has begun."""
    while not engine._stopping:
        time.sleep(0.001)
    with pytest.raises(EngineStoppedError):
        engine.submit(request())


def test_without_a_drain_all_stop_after_the_step(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    running = occupy(engine, runner, steps=5)
    ending = engine.submit(request(0.2, steps=1))
    runner.allow(1)
    runner.wait_for_step(2)
    waiting = [engine.submit(request()) for _ in range(3)]
    assert waiting[0].cancel()
    closing = threading.Thread(target=lambda: engine.close(drain=False))
    closing.start()
    refuse_eventually(engine)
    runner.allow()
    for future in [running, *waiting[1:]]:
        with pytest.raises(EngineStoppedError, match="stopped before"):
            future.result(PATIENCE)
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert ending.result(0).hypothesis == heard(request(0.2))  # that step was its last
    assert runner.steps == [1, 2]
    assert runner.joins == [1, 1]


def test_a_drain_can_be_cut_short_but_not_taken_back(
    make_engine: MakeEngine, runner: FakeRunner, pool: ThreadPoolExecutor
) -> None:
    engine = make_engine()
    running = occupy(engine, runner, steps=1_000)
    closings = [pool.submit(engine.close, drain=drain) for drain in (True, False)]
    while not engine._dropping:
        time.sleep(0.001)
    closings.append(pool.submit(engine.close))
    runner.allow()
    assert isinstance(running.exception(PATIENCE), EngineStoppedError)
    assert not wait(closings, PATIENCE).not_done
    assert len(runner.steps) == 1


@pytest.mark.parametrize("drain", [True, False])
def test_a_closed_engine_refuses(make_engine: MakeEngine, drain: bool) -> None:
    engine = make_engine()
    engine.close(drain=drain)
    engine.close(drain=drain)  # again: nothing happens
    with pytest.raises(EngineStoppedError):
        engine.submit(request())
    assert not engine._thread.is_alive()


# All at once


def test_sixteen_threads_each_get_their_own(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine(max_queue=1_000)
    runner.allow()
    started = threading.Barrier(16)

    def client(number: int) -> None:
        started.wait(PATIENCE)
        mine = [request((number * 20 + n) / 1000, 0.01, steps=1 + n % 4) for n in range(20)]
        futures = [engine.submit(one) for one in mine]
        for one, future in zip(mine, futures, strict=True):
            assert words(future) == heard(one)

    with ThreadPoolExecutor(16) as clients:
        list(clients.map(client, range(16)))
    assert sum(runner.joins) == 320


def test_in_a_storm_every_request_ends(make_engine: MakeEngine, runner: FakeRunner) -> None:
    """Poison, deadlines, cancellations, a small queue and a stop in the middle, all at once."""
    engine = make_engine(max_queue=20)
    runner.allow()
    taken: list[Future[Outcome]] = []

    def client(number: int) -> None:
        for index in range(60):
            try:
                future = engine.submit(storm_request(number + index))
            except (QueueFullError, EngineStoppedError, DeadlineExceededError):
                continue
            taken.append(future)
            if index % 5 == 0:
                future.cancel()

    with ThreadPoolExecutor(8) as clients:
        running = [clients.submit(client, number) for number in range(8)]
        running[0].result(PATIENCE)
        engine.close(drain=False)
    done, forgotten = wait(taken, timeout=PATIENCE)
    assert not forgotten
    assert len(done) > 20
    assert all(one.exception() is None for one in running)


def storm_request(number: int) -> Request:
    level = (POISON, 0.5, VENOM, 0.5, NOT_FINITE, 0.5, 0.5)[number % 7]
    deadline = 100.0 + number if number % 3 == 0 else None
    return request(level, 0.01, steps=1 + number % 5, beam=1 + number % 3, deadline=deadline)
