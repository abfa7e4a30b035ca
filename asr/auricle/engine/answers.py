"""Answers on a thread of their own, so that nobody's callbacks hold up the device."""

import logging
import threading
from concurrent.futures import Future
from queue import SimpleQueue

from auricle.engine.request import Outcome
from auricle.engine.statistics import Ledger, Statistics
from auricle_types.errors import AuricleError, DeadlineExceededError

logger = logging.getLogger(__name__)

Result = Outcome | AuricleError


class Answers:
    """Completes futures in the order in which their results were given, and counts the endings.

    A callback may do what it likes, but while it waits, the answers behind it wait, too.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._given: SimpleQueue[tuple[Future[Outcome], Result] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="auricle-answers", daemon=True)
        self._thread.start()

    def give(self, future: Future[Outcome], result: Result) -> None:
        """Complete `future` soon; one that was cancelled is told so."""
        self._given.put((future, result))

    def close(self) -> None:
        """No more will be given: end after the last one."""
        self._given.put(None)

    def join(self) -> None:
        """Wait for the end, unless a callback asks, which would wait for itself."""
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _loop(self) -> None:
        while (given := self._given.get()) is not None:
            try:
                self._complete(*given)
            except BaseException:
                logger.exception("a callback of a request failed")  # and the next answer is due

    def _complete(self, future: Future[Outcome], result: Result) -> None:
        """Counts first, so that whoever has an answer finds it counted."""
        if not future.set_running_or_notify_cancel():
            self._ledger.add(Statistics(cancelled=1))
        elif isinstance(result, Outcome):
            self._ledger.add(Statistics(finished=1, tokens=result.receipt.tokens))
            future.set_result(result)
        else:
            late = isinstance(result, DeadlineExceededError)
            self._ledger.add(Statistics(expired=1) if late else Statistics(failed=1))
            future.set_exception(result)
