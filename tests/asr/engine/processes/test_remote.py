"""An engine in a process of its own: what it answers, and that nobody waits in vain for it."""

import logging
import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from functools import partial
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from threading import Event, Thread

import pytest

from auricle.engine import Engine
from auricle.engine.processes.messages import Cancel, Submit
from auricle.engine.processes.remote import RemoteEngine, started
from auricle.engine.processes.worker import Build
from auricle_types.errors import (
    AudioTooLongError,
    CorruptCheckpointError,
    DeadlineExceededError,
    EngineStoppedError,
    InferenceError,
    InvalidOptionError,
    QueueFullError,
)
from auricle_types.options import EngineConfig
from tests.asr.engine.fakes import PATIENCE, POISON, FakeRunner, heard, request, words

FOREVER = 10**9  # steps
Started = tuple[Engine, object]


pytestmark = pytest.mark.usefixtures("quick_processes")


class SlowRunner(FakeRunner):
    """A step takes it a moment, so that a process does not burn its core."""

    def step(self) -> list:  # type: ignore[type-arg]  # as the fake's
        time.sleep(0.002)
        return super().step()


def fake(**budgets: int) -> Started:
    logging.getLogger("tests.remote").warning("built with %s", budgets)
    runner = SlowRunner(allowed=math.inf, slots=budgets.get("slots", 8))
    return Engine(
        runner,
        EngineConfig(**budgets),  # type: ignore[arg-type]  # whole numbers
        model_id="fake",
    ), budgets


def damaged() -> Started:
    raise CorruptCheckpointError("model.safetensors is truncated")


class UnsendableError(Exception):
    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


def unsendable() -> Started:
    raise UnsendableError("one ", "other")


def dead() -> Started:
    os._exit(7)


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., RemoteEngine]]:
    engines: list[RemoteEngine] = []

    def start(**budgets: int) -> RemoteEngine:
        engines.append(RemoteEngine(partial(fake, **budgets), threads=1))
        assert engines[-1].ready() == budgets
        return engines[-1]

    yield start
    for engine in engines:
        engine.close(drain=False)
        assert not engine._process.is_alive()


@pytest.fixture(scope="module")
def remote(start: Callable[..., RemoteEngine]) -> RemoteEngine:
    return start(max_queue=2, slots=8)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def idle(engine: RemoteEngine) -> None:
    """Until nothing waits or runs there, by figures that were asked for from now on."""
    for _ in range(2):
        until(lambda known=engine._counted: engine._counted is not known)  # type: ignore[misc]
    until(lambda: not (engine.statistics().waiting or engine.statistics().running))


def test_requests_get_what_an_engine_here_gives_them(remote: RemoteEngine) -> None:
    before = remote.statistics()
    futures = [remote.submit(request(n / 100, steps=n + 1), block=True) for n in range(12)]
    assert [words(future) for future in futures] == [heard(request(n / 100)) for n in range(12)]
    receipt = futures[-1].result().receipt
    assert receipt.model_id == "fake"
    assert receipt.queue_seconds >= 0
    after = remote.statistics()
    assert (after.submitted - before.submitted, after.finished - before.finished) == (12, 12)


def test_what_could_never_run_is_refused_at_once(remote: RemoteEngine) -> None:
    for refused, error in (
        (request(seconds=30.1), AudioTooLongError),
        (request(beam=9), InvalidOptionError),
        (request(deadline=time.monotonic() - 1), DeadlineExceededError),
    ):
        with pytest.raises(error):
            remote.submit(refused)


def test_who_fails_gets_the_error_and_nobody_else(
    remote: RemoteEngine, caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = remote.submit(request(0.3), block=True), remote.submit(request(POISON), block=True)
    with pytest.raises(InferenceError, match="poison"):
        bad.result(PATIENCE)
    assert words(good) == heard(request(0.3))
    idle(remote)
    assert "the model failed on a request" in caplog.text  # its log is ours
    assert "ValueError: poison" in caplog.text


def test_a_full_queue_refuses_at_once_and_lets_wait_who_wants_to(remote: RemoteEngine) -> None:
    wide = [remote.submit(request(0.1, steps=FOREVER, beam=8))]
    until(lambda: remote.statistics().running == 1)
    wide += [remote.submit(request(0.1, steps=FOREVER)) for _ in range(2)]
    with pytest.raises(QueueFullError) as refused:
        remote.submit(request())
    assert (refused.value.retry_after or 0) > 0
    with pytest.raises(DeadlineExceededError):
        remote.submit(request(deadline=time.monotonic() + 0.2), block=True)
    for future in wide:
        assert future.cancel()
    assert words(remote.submit(request(0.2), block=True)) == heard(request(0.2))


def test_cancelled_work_leaves_the_device(remote: RemoteEngine) -> None:
    before = remote.statistics()
    future = remote.submit(request(steps=FOREVER))
    assert future.cancel()
    idle(remote)
    until(lambda: remote.statistics().cancelled - before.cancelled == 1)
    with pytest.raises(CancelledError):
        future.result()


def test_a_callback_may_submit(remote: RemoteEngine) -> None:
    again = []
    first = remote.submit(request(0.1), block=True)
    first.add_done_callback(lambda _: again.append(remote.submit(request(0.2), block=True)))
    words(first)
    until(lambda: bool(again))
    assert words(again[0]) == heard(request(0.2))


def test_signals_are_for_the_owner(remote: RemoteEngine) -> None:
    assert remote._process.pid is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(remote._process.pid, number)
    assert words(remote.submit(request(0.4), block=True)) == heard(request(0.4))


def test_closing_drains_or_drops(start: Callable[..., RemoteEngine]) -> None:
    draining, dropping = start(), start()
    drained = [draining.submit(request(n / 10, steps=20)) for n in range(9)]
    dropped = [dropping.submit(request(n / 10, steps=FOREVER)) for n in range(9)]
    draining.close()
    dropping.close(drain=False)
    assert [words(future) for future in drained] == [heard(request(n / 10)) for n in range(9)]
    for future in dropped:
        with pytest.raises(EngineStoppedError):
            future.result(PATIENCE)
    for engine in (draining, dropping):
        with pytest.raises(EngineStoppedError):
            engine.submit(request())
    assert draining.statistics().finished == 9
    assert dropping.statistics().failed == 9
    assert dropping.statistics().running == 0


def test_who_waits_for_room_holds_up_nobody(start: Callable[..., RemoteEngine]) -> None:
    engine = start(max_queue=1, slots=1)
    full = [engine.submit(request(steps=FOREVER))]
    until(lambda: engine.statistics().running == 1)
    full.append(engine.submit(request(steps=FOREVER)))
    with ThreadPoolExecutor(1) as patient:
        waiting = patient.submit(engine.submit, request(0.3), block=True)
        with pytest.raises(AudioTooLongError):
            engine.submit(request(seconds=40.0), block=True)
        with pytest.raises(DeadlineExceededError):
            engine.submit(request(deadline=time.monotonic() + 0.2), block=True)
        assert not waiting.done()
        for future in full:
            future.cancel()
        assert words(waiting.result(PATIENCE)) == heard(request(0.3))


def test_a_callback_may_close(start: Callable[..., RemoteEngine]) -> None:
    engine, closed = start(), Event()

    def close(_: object) -> None:
        engine.close()
        closed.set()

    engine.submit(request(steps=5)).add_done_callback(close)
    assert closed.wait(PATIENCE)
    assert not engine._process.is_alive()


def test_while_it_drains_others_may_close_cancel_and_ask(
    start: Callable[..., RemoteEngine],
) -> None:
    engine = start()
    endless = [engine.submit(request(steps=FOREVER)) for _ in range(2)]
    closers = [Thread(target=engine.close) for _ in range(2)]
    for closer in closers:
        closer.start()
    endless[0].cancel()
    until(lambda: engine.statistics().cancelled == 1)
    engine.close(drain=False)
    for closer in closers:
        closer.join(PATIENCE)
        assert not closer.is_alive()
    with pytest.raises(EngineStoppedError):
        endless[1].result(PATIENCE)


def test_loggers_here_decide_what_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, logger="tests.remote"):
        engine = RemoteEngine(fake, threads=1)
        engine.ready()
        engine.close()
    assert "built with" not in caplog.text
    engine = RemoteEngine(fake, threads=1)
    engine.ready()
    engine.close()
    assert caplog.messages[-1].startswith("built with")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_the_end_of_a_fork_is_not_the_owners(remote: RemoteEngine) -> None:
    if not (fork := os.fork()):
        try:
            remote._at_exit()  # as multiprocessing and the interpreter do
        finally:
            os._exit(0)
    os.waitpid(fork, 0)
    assert words(remote.submit(request(0.4), block=True)) == heard(request(0.4))


def owner(pipe: Connection) -> None:
    """Starts an engine and ends without a word."""
    RemoteEngine.context = get_context("forkserver")  # type: ignore[assignment]  # its own one
    engine = RemoteEngine(fake, threads=1)
    engine.ready()
    pipe.send(engine._process.pid)


def test_an_owner_that_is_such_a_process_itself_ends_and_leaves_none() -> None:
    ours, theirs = Pipe()
    process = get_context("forkserver").Process(target=owner, args=(theirs,))
    process.start()
    engine = ours.recv()
    process.join(PATIENCE)
    assert process.exitcode == 0
    with pytest.raises(ProcessLookupError):
        os.kill(engine, 0)


def test_closing_again_drops_what_the_first_time_waits_for(
    start: Callable[..., RemoteEngine],
) -> None:
    engine = start()
    endless = engine.submit(request(steps=FOREVER))
    patient = Thread(target=engine.close)
    patient.start()
    engine.close(drain=False)
    patient.join(PATIENCE)
    assert not patient.is_alive()
    with pytest.raises(EngineStoppedError):
        endless.result(PATIENCE)


def test_when_the_process_is_killed_nobody_waits_in_vain(
    start: Callable[..., RemoteEngine], caplog: pytest.LogCaptureFixture
) -> None:
    engine = start(max_queue=1)
    for _ in range(5):
        words(engine.submit(request(0.1), block=True))
    open_ones = [engine.submit(request(steps=FOREVER), block=True) for _ in range(3)]
    engine._process.kill()
    assert not wait(open_ones, PATIENCE).not_done
    for future in open_ones:
        with pytest.raises(EngineStoppedError, match="-9"):
            future.result()
    with pytest.raises(EngineStoppedError):
        engine.submit(request())
    now = engine.statistics()
    assert (now.submitted, now.finished, now.failed, now.running) == (8, 5, 3, 0)
    assert "the engine's process ended (exit code -9)" in caplog.text


def test_what_building_raises_is_raised_here() -> None:
    cases = (
        (damaged, CorruptCheckpointError, "truncated"),
        (unsendable, RuntimeError, "UnsendableError: one other"),
        (dead, EngineStoppedError, r"ended \(exit code 7\)"),
    )
    for build, error, message in cases:
        made: list[RemoteEngine] = []

        def start(build: Build = build, made: list[RemoteEngine] = made) -> RemoteEngine:
            made.append(RemoteEngine(build, threads=1))
            return made[-1]

        with pytest.raises(error, match=message):
            started(start, 1)
        assert not made[0]._process.is_alive()


def test_where_one_cannot_be_started_none_is_left() -> None:
    made: list[RemoteEngine] = []

    def start() -> RemoteEngine:
        if made:
            raise BlockingIOError("no more processes")
        made.append(RemoteEngine(fake, threads=1))
        return made[0]

    with pytest.raises(BlockingIOError):
        started(start, 2)
    assert not made[0]._process.is_alive()


def test_what_is_interrupted_while_it_waits_for_room_is_dropped(
    start: Callable[..., RemoteEngine],
) -> None:
    engine = start(max_queue=1, slots=1)
    running = engine.submit(request(steps=FOREVER))
    until(lambda: engine.statistics().running == 1)
    waiting = engine.submit(request(steps=FOREVER))
    number = next(engine._numbers)
    engine._outbox.put(Submit.of(number, request(steps=FOREVER), block=True))
    engine._asked[number], engine._open[number] = Future(), Future()
    engine._outbox.put(Cancel(number))  # as a thread does that Ctrl-C interrupts
    running.cancel()
    waiting.cancel()
    until(lambda: not engine._open)
    idle(engine)
    assert engine.statistics().cancelled == 3


def test_a_stopped_process_is_killed_and_nobody_waits_for_it(
    start: Callable[..., RemoteEngine],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = start()
    words(engine.submit(request(0.1)))
    open_ones = [engine.submit(request(steps=FOREVER)) for _ in range(3)]
    os.kill(engine._process.pid or 0, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as patient:
        untaken = patient.submit(engine.submit, request(seconds=30.0))
        until(lambda: bool(engine._asked))
        now = engine.statistics()  # at once: the process is still stopped
        assert (now.submitted, now.finished, now.failed) == (4, 1, 0)
        assert engine._process.is_alive()
        monkeypatch.setattr("auricle.engine.processes.heartbeat.SILENCE", 2.0)  # be quick
        for future in open_ones:
            with pytest.raises(EngineStoppedError, match="-9"):
                future.result(PATIENCE)
        with pytest.raises(EngineStoppedError, match="-9"):
            untaken.result(PATIENCE)
    engine.close()
    now = engine.statistics()
    assert (now.submitted, now.finished, now.failed, now.running) == (4, 1, 3, 0)
    assert "has not answered" in caplog.text


def test_closing_does_not_wait_for_a_stopped_process(
    start: Callable[..., RemoteEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auricle.engine.processes.heartbeat.SILENCE", 2.0)
    engine = start()
    os.kill(engine._process.pid or 0, signal.SIGSTOP)
    closer = Thread(target=engine.close)
    closer.start()
    closer.join(PATIENCE)
    assert not closer.is_alive()
    assert not engine._process.is_alive()


def test_every_figure_is_the_engines_own(start: Callable[..., RemoteEngine]) -> None:
    engine = start(slots=1)
    endless = engine.submit(request(steps=FOREVER))
    late = engine.submit(request(deadline=time.monotonic() + 0.5))
    unwanted = engine.submit(request())
    until(lambda: engine.statistics().running == 1)
    unwanted.cancel()
    with pytest.raises(DeadlineExceededError):
        late.result(PATIENCE)
    endless.cancel()
    words(engine.submit(request(0.3, steps=2)))
    with pytest.raises(InferenceError):
        engine.submit(request(POISON)).result(PATIENCE)
    engine.close()
    now = engine.statistics()
    assert now == engine._counted  # the last that the process has said
    assert (now.submitted, now.finished, now.failed) == (5, 1, 1)
    assert (now.cancelled, now.expired) == (2, 1)
