"""Every submitted request ends: with an outcome, an error, or its cancellation."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait

import pytest

from auricle.engine import Outcome, Request
from auricle_types.errors import (
    AudioTooLongError,
    DeadlineExceededError,
    EngineStoppedError,
    InvalidOptionError,
    QueueFullError,
)
from tests.asr.engine.fakes import (
    NOT_FINITE,
    PATIENCE,
    POISON,
    VENOM,
    FakeRunner,
    MakeEngine,
    heard,
    occupy,
    request,
    words,
)


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
