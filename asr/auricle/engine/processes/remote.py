"""An engine in a process of its own, used like one in this process."""

import logging
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from itertools import count
from multiprocessing.util import Finalize
from typing import cast

from auricle.engine.answers import Answers, Result
from auricle.engine.processes.heartbeat import SILENCE, Heartbeat
from auricle.engine.processes.messages import (
    Answer,
    Cancel,
    Close,
    Closed,
    Count,
    Counted,
    Ready,
    Reply,
    Submit,
    Unfit,
)
from auricle.engine.processes.outbox import Outbox
from auricle.engine.processes.worker import Build, work
from auricle.engine.request import Outcome, Request
from auricle.engine.statistics import Ledger, Statistics
from auricle.forks import OwnerProcess
from auricle.threads import wait_passively
from auricle_types.errors import AuricleError, EngineStoppedError

logger = logging.getLogger(__name__)


class RemoteEngine:
    """Runs an `Engine` in a process of its own, which shares no interpreter lock with anybody.

    Each order is one message, each answer another. When the process ends, however that came, what
    was open fails with EngineStoppedError. A process that gives no sign of life is killed; it may
    be silent for longer while it loads its model.

    Attributes:
        context: how multiprocessing starts the process. Never by a fork of this one, whose threads
            and device would not be there.
    """

    context = multiprocessing.get_context("spawn")

    def __init__(self, build: Build, *, threads: int) -> None:
        """Start a process; `ready` waits for it.

        Args:
            build: makes the engine there, so it must be picklable.
            threads: that torch computes with there.
        """
        wait_passively()  # there, before it imports torch
        self._connection, theirs = self.context.Pipe()
        arguments = (theirs, build, threads, logging.getLogger().getEffectiveLevel())
        self._process = self.context.Process(
            target=work, args=arguments, name="auricle-engine", daemon=True
        )
        self._process.start()
        theirs.close()
        self._home = OwnerProcess()
        self._numbers = count()
        self._lock = threading.RLock()  # of the futures; a finaliser may cancel one within it
        self._asked: dict[int, Future[None]] = {}
        self._open: dict[int, Future[Outcome]] = {}
        self._ended = self._closing = False
        self._counted = Statistics()
        self._ready: Future[object] = Future()
        self._ledger = Ledger()
        self._answers = Answers(self._ledger)
        self._outbox = Outbox(self._connection)
        self._heartbeat = Heartbeat(
            ask=partial(self._outbox.put, Count()),
            unread=self._connection.poll,
            give_up=self._process.kill,
        )
        self._reader = threading.Thread(target=self._read, name="auricle-reader", daemon=True)
        self._reader.start()
        self._heartbeat.start()
        # Before multiprocessing joins the process, which ignores its signal; not in a fork.
        self._at_exit = Finalize(None, self._hang_up, exitpriority=10)

    def ready(self) -> object:
        """Wait until the engine runs; returns its builder's description of it.

        Raises:
            Exception: what building it raised.
            EngineStoppedError: its process ended before.
        """
        return self._ready.result()

    def submit(self, request: Request, *, block: bool = False) -> Future[Outcome]:
        """Queue a request as `Engine.submit` does; wait for the other process to say yes or no."""
        self._home.check()
        number, future = next(self._numbers), Future[Outcome]()
        try:
            self._order(Submit.of(number, request, block=block), future)
        except AuricleError:
            self._open.pop(number, None)
            raise
        except BaseException:  # this thread was interrupted
            self._outbox.put(Cancel(number))
            raise
        future.add_done_callback(partial(self._cancel, number))
        return future

    def statistics(self) -> Statistics:
        """Return what the process said last, at most a beat or an answer ago; waits for nobody.

        How requests ended is counted here, so no count falls when the process dies.
        """
        self._home.check()
        with self._lock:
            known = self._counted.at_rest if self._ended else self._counted
        return known.answered(self._ledger.total)

    def close(self, *, drain: bool = True) -> None:
        """Stop as `Engine.close` does; the process has ended afterwards."""
        if not self._home.is_here:
            return
        self._closing = True
        if not self._ready.done():
            self._process.kill()  # nothing is lost: it never took a request
        self._outbox.put(Close(drain))
        self._reader.join()
        self._answers.join()
        self._process.join()
        self._at_exit.cancel()

    def _order(self, order: Submit, outcome: Future[Outcome]) -> None:
        """Send an order and wait for the reply. Raises the error that it holds."""
        reply = Future[None]()
        with self._lock:
            if self._ended:
                raise EngineStoppedError("the engine's process has ended")
            self._asked[order.number], self._open[order.number] = reply, outcome
        self._outbox.put(order)
        reply.result()

    def _cancel(self, number: int, future: Future[Outcome]) -> None:
        if future.cancelled():
            self._outbox.put(Cancel(number))

    def _read(self) -> None:
        broken = True
        try:
            while (message := self._received()) is not None:
                self._heartbeat.note_message()
                self._handle(message)
            broken = False
        except BaseException:
            logger.exception("a message from an engine's process cannot be handled")
        finally:
            self._end(broken=broken)

    def _received(self) -> object | None:
        """Wait for the next message; None where none will come."""
        try:
            return cast(object, self._connection.recv())
        except (EOFError, OSError):
            return None

    def _handle(self, message: object) -> None:
        match message:
            case Answer(number, result, statistics):
                self._counted = statistics
                self._answer(number, result)
            case Reply(number, error):
                self._reply(number, error)
            case Ready(described):
                self._ready.set_result(described)
                self._heartbeat.note_loaded()
            case Unfit(error):
                self._closing = True  # it ends by itself
                self._ready.set_exception(error)
            case Counted(statistics) | Closed(statistics):
                self._counted = statistics
            case logging.LogRecord() as record:
                _log(record)

    def _reply(self, number: int, error: AuricleError | None) -> None:
        reply = self._asked.pop(number)
        if error is not None:
            reply.set_exception(error)
            return
        self._ledger.add(Statistics(submitted=1))
        reply.set_result(None)

    def _answer(self, number: int, result: Result | None) -> None:
        future = self._open.pop(number, None)
        if future is None:  # whoever submitted it was interrupted
            return
        if result is None:
            future.cancel()  # it is, but for such a one
        self._answers.give(future, result or EngineStoppedError("cancelled"))

    def _end(self, *, broken: bool) -> None:
        """Fail all that is open, so that nobody waits in vain.

        What was not taken yet is no failure: whoever submits it may ask another engine.
        """
        with self._lock:
            self._ended = True
            left = [future for number, future in self._open.items() if number not in self._asked]
            asked, self._asked, self._open = list(self._asked.values()), {}, {}
        self._heartbeat.stop()
        self._outbox.close()
        if not broken:
            self._process.join(SILENCE)  # it has nothing left to do but to end
        self._process.kill()
        self._process.join()
        error = EngineStoppedError(
            f"the engine's process ended (exit code {self._process.exitcode})"
        )
        if not self._closing:
            logger.error("%s", error)
        for reply in asked:
            reply.set_exception(error)
        for future in left:
            self._answers.give(future, error)
        if not self._ready.done():
            self._ready.set_exception(error)
        self._answers.close()

    def _hang_up(self) -> None:
        """End the process when the interpreter ends and nobody closed this."""
        self._closing = True
        self._process.kill()


def _log(record: logging.LogRecord) -> None:
    """Log a record as the loggers here are set."""
    named = logging.getLogger(record.name)
    if named.isEnabledFor(record.levelno):
        named.handle(record)


def started(start: Callable[[], RemoteEngine], count: int) -> tuple[list[RemoteEngine], object]:
    """Start `count` engines side by side; return them and the first one's description.

    Where one raises, none is left running.
    """
    engines: list[RemoteEngine] = []
    try:
        for _ in range(count):
            engines.append(start())  # noqa: PERF401  # where the next one fails, it is known
        described = [engine.ready() for engine in engines]
    except BaseException:
        for engine in engines:
            engine.close(drain=False)
        raise
    return engines, described[0]
