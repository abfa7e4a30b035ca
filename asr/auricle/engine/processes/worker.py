"""The process around an engine that its owner reaches through a connection."""

import logging
import logging.handlers
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from queue import SimpleQueue

import torch

from auricle.engine.answers import Result
from auricle.engine.failure import as_typed
from auricle.engine.processes.heartbeat import BEAT
from auricle.engine.processes.messages import (
    Answer,
    Cancel,
    Close,
    Closed,
    Count,
    Counted,
    Ready,
    Reply,
    StillLoading,
    Submit,
    Unfit,
)
from auricle.engine.request import Outcome
from auricle.engine.serving import Serving

Build = Callable[[], tuple[Serving, object]]  # an engine, and what to say of it


def work(connection: Connection, build: Build, threads: int, log_level: int) -> None:
    """Build an engine in this process and serve its owner, until one of them ends.

    `build` must be picklable. Records of at least `log_level` go to the owner's loggers. Signals
    are for the owner, whose orders follow them.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(threads)
    line = OwnerConnection(connection)
    logging.basicConfig(
        level=log_level, format="%(message)s", handlers=[OwnerLogHandler(line)], force=True
    )
    try:
        with _signs_of_life(line):
            engine, described = build()
    except Exception as error:  # noqa: BLE001  # it is raised in the owner's process
        line.send(Unfit(_portable(error)))
        return
    line.send(Ready(described))
    Worker(line, engine).run()
    os._exit(0)  # all is said; the interpreter would take half a second, one process after another


class OwnerConnection:
    """Wraps the engine's end of the connection, for many threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, message: object) -> None:
        """Send a message to the owner, if there is still one."""
        try:
            with self._lock:
                self._connection.send(message)
        except OSError:
            pass  # its silence ends this process

    def receive(self) -> object:
        """Wait for the next message; `Close` where the owner is gone."""
        try:
            return self._connection.recv()
        except (EOFError, OSError):
            return Close(drain=False)


class OwnerLogHandler(logging.handlers.QueueHandler):
    """Sends log records to the owner, their messages and tracebacks as text."""

    def __init__(self, line: OwnerConnection) -> None:
        super().__init__(SimpleQueue())  # which stays empty
        self._line = line

    def enqueue(self, record: logging.LogRecord) -> None:
        """Send the record to the owner."""
        self._line.send(record)


@contextmanager
def _signs_of_life(line: OwnerConnection) -> Iterator[None]:
    """Inside, tell the owner again and again that this process is there."""
    loaded = threading.Event()

    def loop() -> None:
        while not loaded.wait(BEAT):
            line.send(StillLoading())

    threading.Thread(target=loop, name="auricle-loading", daemon=True).start()
    try:
        yield
    finally:
        loaded.set()


class Worker:
    """Carries out the owner's orders."""

    def __init__(self, line: OwnerConnection, engine: Serving) -> None:
        self._line = line
        self._engine = engine
        self._lock = threading.Lock()  # of the next two
        self._open: dict[int, Future[Outcome]] = {}
        self._patient: dict[int, bool] = {}  # who wait for room, and whether they are cancelled
        self._closing: Future[bool] = Future()  # whether to drain

    def run(self) -> None:
        """Serve until the owner closes the engine or is gone."""
        threading.Thread(target=self._receive_orders, name="auricle-orders", daemon=True).start()
        self._engine.close(drain=self._closing.result())
        self._line.send(Closed(self._engine.statistics()))

    def _receive_orders(self) -> None:
        """Receive orders until nothing is left to do, also while the engine drains."""
        try:
            while not isinstance(order := self._line.receive(), Close) or order.drain:
                self._handle(order)
        finally:  # whatever an order did
            self._close(drain=False)

    def _handle(self, order: object) -> None:
        match order:
            case Submit(block=True):  # as many as there are threads that wait for the reply
                self._patient[order.number] = False
                threading.Thread(target=self._submit, args=(order,), daemon=True).start()
            case Submit():
                self._submit(order)
            case Cancel(number):
                self._cancel(number)
            case Count():
                self._line.send(Counted(self._engine.statistics()))
            case Close(drain):
                self._close(drain=drain)

    def _close(self, *, drain: bool) -> None:
        """Let the main thread close the engine; a second order may end its draining."""
        if not self._closing.done():
            self._closing.set_result(drain)
        elif not drain:
            self._engine.close(drain=False)

    def _submit(self, order: Submit) -> None:
        try:
            future = self._engine.submit(order.request(), block=order.block)
        except Exception as error:  # noqa: BLE001  # it is raised in the owner's process
            self._patient.pop(order.number, None)
            self._line.send(Reply(order.number, as_typed(error)))
            return
        self._line.send(Reply(order.number))
        self._keep(order.number, future)
        future.add_done_callback(partial(self._answer, order.number))

    def _keep(self, number: int, future: Future[Outcome]) -> None:
        with self._lock:
            self._open[number] = future
            unwanted = self._patient.pop(number, False)
        if unwanted:
            future.cancel()

    def _cancel(self, number: int) -> None:
        with self._lock:
            future = self._open.get(number)
            if number in self._patient:
                self._patient[number] = True
        if future is not None:
            future.cancel()

    def _answer(self, number: int, future: Future[Outcome]) -> None:
        with self._lock:
            del self._open[number]
        self._line.send(Answer(number, _result(future), self._engine.statistics()))


def _result(future: Future[Outcome]) -> Result | None:
    """Return how a future ended; None: by its cancellation."""
    if future.cancelled():
        return None
    error = future.exception()
    return future.result() if error is None else as_typed(error)


def _portable(error: Exception) -> Exception:
    """Return the error, or its text where it cannot be sent."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    except Exception:  # noqa: BLE001  # whatever its class does
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
