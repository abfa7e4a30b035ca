"""Every submitted request ends: with an outcome, an error, or its cancellation."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait

import pytest

from auricle.config import EngineConfig
from auricle.engine import Engine, Outcome, Request
from auricle.errors import (
    DeadlineExceededError,
    EngineStoppedError,
    InferenceError,
    InvalidOptionError,
    QueueFullError,
)
from tests.asr.engine.fakes import POISON, FakeRunner, ForgetfulRunner, heard, request

MakeEngine = Callable[..., Engine]
PATIENCE = 30.0  # seconds that a test waits before it calls a request forgotten


@pytest.fixture
def runner() -> FakeRunner:
    """Its gate is shut."""
    return FakeRunner()


@pytest.fixture
def make_engine(runner: FakeRunner) -> Iterator[MakeEngine]:
    engines: list[Engine] = []

    def make(**budgets: int) -> Engine:
        engines.append(Engine(runner, EngineConfig(**budgets), model_id="fake"))
        return engines[-1]

    yield make
    runner.gate.set()
    for engine in engines:
        engine.close()


def occupy(engine: Engine, runner: FakeRunner) -> Future[Outcome]:
    """Put a request on the device, so that the next ones wait."""
    first = engine.submit(request(0.001))
    assert runner.busy.wait(PATIENCE)
    return first


def test_a_request_gets_its_outcome(make_engine: MakeEngine, runner: FakeRunner) -> None:
    runner.gate.set()
    outcome = make_engine().submit(request(0.25, 2.0)).result(PATIENCE)
    assert outcome.hypothesis == heard(request(0.25, 2.0))
    receipt = outcome.receipt
    assert (receipt.model_id, receipt.batch_size, receipt.tokens) == ("fake", 1, 3)
    assert (receipt.encode_seconds, receipt.decode_seconds) == (0.25, 0.5)
    assert receipt.padding_ratio == 0.125
    assert runner.threads == {"auricle-device"}


def test_waiting_requests_share_a_batch(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    first = occupy(engine, runner)
    others = [engine.submit(request(level / 100)) for level in range(7)]
    runner.gate.set()
    outcomes = [future.result(PATIENCE) for future in [first, *others]]
    assert runner.batches == [1, 7]
    assert [outcome.receipt.batch_size for outcome in outcomes] == [1] + [7] * 7
    assert [o.hypothesis for o in outcomes[1:]] == [heard(request(n / 100)) for n in range(7)]


def test_the_receipt_says_how_long_a_request_waited(runner: FakeRunner) -> None:
    times = iter([10.0, 13.5])
    runner.gate.set()
    engine = Engine(runner, clock=lambda: next(times))
    assert engine.submit(request()).result(PATIENCE).receipt.queue_seconds == 3.5
    engine.close()


@pytest.mark.parametrize("poisoned", [[0], [3], [6], [2, 3], [0, 6], list(range(7))])
def test_poison_fails_alone(
    make_engine: MakeEngine, runner: FakeRunner, poisoned: list[int]
) -> None:
    engine = make_engine()
    occupy(engine, runner)
    levels = [POISON if index in poisoned else index / 100 for index in range(7)]
    futures = [engine.submit(request(level)) for level in levels]
    runner.gate.set()
    for index, future in enumerate(futures):
        if index in poisoned:
            with pytest.raises(InferenceError, match="poison") as caught:
                future.result(PATIENCE)
            assert isinstance(caught.value.__cause__, ValueError)
        else:
            assert future.result(PATIENCE).hypothesis == heard(request(levels[index]))
    assert engine.submit(request(0.5)).result(PATIENCE).hypothesis == heard(request(0.5))


def test_a_typed_error_stays_as_it_is() -> None:
    class Refusing:
        def run(self, requests: object) -> None:
            raise InvalidOptionError("not like this")

    engine = Engine(Refusing())  # type: ignore[arg-type]  # it returns nothing
    with pytest.raises(InvalidOptionError, match="not like this"):
        engine.submit(request()).result(PATIENCE)
    engine.close()


def test_a_runner_that_loses_requests_leaves_nobody_waiting() -> None:
    engine = Engine(ForgetfulRunner())
    levels = [0.1, POISON, 0.2, 0.3]
    futures = [engine.submit(request(level)) for level in levels]
    for level, future in zip(levels, futures, strict=True):
        if level == POISON:
            assert isinstance(future.exception(PATIENCE), InferenceError)
        else:
            assert future.result(PATIENCE).hypothesis == heard(request(level))
    engine.close()


def test_a_full_queue_refuses_at_once(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine(max_queue=2)
    running = occupy(engine, runner)
    waiting = [engine.submit(request()) for _ in range(2)]
    with pytest.raises(QueueFullError):
        engine.submit(request())
    runner.gate.set()
    assert not wait([running, *waiting], PATIENCE).not_done


def test_a_passed_deadline_is_an_error(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    occupy(engine, runner)
    late = engine.submit(request(deadline=time.monotonic()))
    early = engine.submit(request(deadline=time.monotonic() + 3600))
    runner.gate.set()
    with pytest.raises(DeadlineExceededError):
        late.result(PATIENCE)
    assert early.result(PATIENCE).hypothesis == heard(request())
    assert sum(runner.batches) == 2  # the late one was not computed


def test_cancelled_before_it_runs_is_not_run(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    first = occupy(engine, runner)
    dropped, kept = engine.submit(request()), engine.submit(request())
    assert dropped.cancel()
    runner.gate.set()
    assert kept.result(PATIENCE).hypothesis == heard(request())
    assert first.result(PATIENCE).hypothesis == heard(request(0.001))
    assert not wait([dropped], PATIENCE).not_done  # whoever waits for it is told
    with pytest.raises(CancelledError):
        dropped.result(PATIENCE)
    assert runner.batches == [1, 1]


def test_cancelled_while_it_runs_is_dropped(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    running = occupy(engine, runner)
    assert running.cancel()
    runner.gate.set()
    assert engine.submit(request()).result(PATIENCE).hypothesis == heard(request())
    assert running.cancelled()


def test_poison_that_was_cancelled_while_it_ran_harms_nobody(
    make_engine: MakeEngine, runner: FakeRunner
) -> None:
    engine = make_engine()
    poison = engine.submit(request(POISON))
    assert runner.busy.wait(PATIENCE)
    assert poison.cancel()
    runner.gate.set()
    assert engine.submit(request()).result(PATIENCE).hypothesis == heard(request())


def test_a_drain_finishes_what_waits(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    occupy(engine, runner)
    waiting = [engine.submit(request(n / 10)) for n in range(3)]
    closing = threading.Thread(target=engine.close)
    closing.start()
    with pytest.raises(EngineStoppedError):
        submit_until_refused(engine)
    runner.gate.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert [f.result(0).hypothesis for f in waiting] == [heard(request(n / 10)) for n in range(3)]


def submit_until_refused(engine: Engine) -> None:
    """Closing happens on another thread: until it has begun, requests are taken."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        engine.submit(request(seconds=0.01))
        time.sleep(0.001)


def test_without_a_drain_what_waits_fails(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine()
    running = occupy(engine, runner)
    waiting = [engine.submit(request()) for _ in range(3)]
    assert waiting[0].cancel()
    closing = threading.Thread(target=lambda: engine.close(drain=False))
    closing.start()
    for future in waiting[1:]:
        with pytest.raises(EngineStoppedError, match="stopped before"):
            future.result(PATIENCE)
    runner.gate.set()
    closing.join(PATIENCE)
    assert running.result(0).hypothesis == heard(request(0.001))  # it was on the device
    assert runner.batches == [1]


@pytest.mark.parametrize("drain", [True, False])
def test_a_closed_engine_refuses(make_engine: MakeEngine, drain: bool) -> None:
    engine = make_engine()
    engine.close(drain=drain)
    engine.close(drain=drain)  # again: nothing happens
    with pytest.raises(EngineStoppedError):
        engine.submit(request())
    assert "auricle-device" not in {thread.name for thread in threading.enumerate()}


def test_sixteen_threads_each_get_their_own(make_engine: MakeEngine, runner: FakeRunner) -> None:
    engine = make_engine(max_queue=1_000)
    runner.gate.set()
    started = threading.Barrier(16)

    def client(number: int) -> None:
        started.wait(PATIENCE)
        mine = [request((number * 20 + n) / 1000, 0.01) for n in range(20)]
        futures = [engine.submit(one) for one in mine]
        for one, future in zip(mine, futures, strict=True):
            assert future.result(PATIENCE).hypothesis == heard(one)

    with ThreadPoolExecutor(16) as clients:
        list(clients.map(client, range(16)))
    assert sum(runner.batches) == 320


def test_in_a_storm_every_request_ends(make_engine: MakeEngine, runner: FakeRunner) -> None:
    """Poison, deadlines, cancellations, a small queue and a stop in the middle, all at once."""
    engine = make_engine(max_queue=20)
    runner.gate.set()
    taken: list[Future[Outcome]] = []

    def client(number: int) -> None:
        for index in range(60):
            try:
                future = engine.submit(storm_request(number + index))
            except (QueueFullError, EngineStoppedError):
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
    deadline = time.monotonic() if number % 7 == 0 else None
    return request(POISON if number % 3 == 0 else 0.5, 0.01, deadline=deadline)
