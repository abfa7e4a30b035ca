"""Ctrl-C: one line and status 130, even where a library has lost the exception or holds a lock."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from auricle_cli.failure import complain

INTERRUPTED = 130  # what shells expect after Ctrl-C: 128 and the signal's number
CLEANING_SECONDS = 40.0  # for a command to clean up, such as to stop a server, which may take 30


def leave() -> NoReturn:
    """Ends the process without waiting for threads: one may sit in a read for ever."""
    try:
        complain("interrupted")
        sys.stdout.flush()
    finally:  # nobody may read it any more
        os._exit(INTERRUPTED)


@contextmanager
def interruptible() -> Iterator[None]:
    """Inside, Ctrl-C is a KeyboardInterrupt, and the end of the process once that is out of here.

    An interrupt that raises inside gRPC's bookkeeping can leave its lock taken and its clean-up
    waiting, or be swallowed by a destructor. So a timer sees to it that the process ends, and
    any other error that comes out of here after it is that end, too.
    """
    with _timed() as interrupted:
        try:
            yield
        except KeyboardInterrupt:
            leave()
        except BaseException:  # what a library made of it
            if interrupted.is_set():
                leave()
            raise


@contextmanager
def _timed() -> Iterator[threading.Event]:
    """Yields whether Ctrl-C came."""
    interrupted = threading.Event()
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupted  # somebody else's to handle, or ignored as under nohup
        return
    timer = threading.Timer(CLEANING_SECONDS, leave)
    timer.daemon = True

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        with suppress(RuntimeError):  # it counts already
            timer.start()
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        timer.cancel()
