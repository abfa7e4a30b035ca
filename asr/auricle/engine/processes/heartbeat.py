"""Notices when another process does not answer any more."""

import logging
import threading
from collections.abc import Callable

BEAT = 0.5  # seconds between two questions
SILENCE = 6.0  # seconds without a message: no step keeps the orders' thread from its turn so long
LOADING_SILENCE = 120.0  # while it loads: a cold disk may hold all its threads up for long

logger = logging.getLogger(__name__)


class Heartbeat:
    """Asks a process for a sign of life again and again, and gives it up when none comes.

    While the process loads, it is not asked: it says by itself that it is there.

    Silence is counted in questions, not by the clock: where this process was stopped itself, such
    as by Ctrl-Z, the other one has lost one beat.
    """

    def __init__(
        self, ask: Callable[[], None], unread: Callable[[], bool], give_up: Callable[[], None]
    ) -> None:
        """Begin with `start`.

        Args:
            ask: sends a question, without waiting for the answer.
            unread: tells whether something has come that nobody has read: then we are slow.
            give_up: is called once, on the heartbeat's thread.
        """
        self._ask = ask
        self._unread = unread
        self._give_up = give_up
        self._answered = threading.Event()
        self._loaded = threading.Event()
        self._stopped = threading.Event()

    def start(self) -> None:
        """Watch from now on, on a thread of its own."""
        threading.Thread(target=self._loop, name="auricle-heartbeat", daemon=True).start()

    def note_loaded(self) -> None:
        """Note that the process has loaded: ask it from now on, and be less patient."""
        self._loaded.set()

    def note_message(self) -> None:
        """Note that a message has come."""
        self._answered.set()

    def stop(self) -> None:
        """Ask no more: the process has ended."""
        self._stopped.set()

    def _loop(self) -> None:
        missed = 0
        while missed * BEAT < self._patience():
            if self._loaded.is_set():
                self._ask()
            if self._stopped.wait(BEAT):
                return
            missed = 0 if self._answered.is_set() or self._unread() else missed + 1
            self._answered.clear()
        self._give_up()  # before the log, whose reader may hold us up
        silence = missed * BEAT
        logger.error("an engine's process has not answered for %.0f s and was killed", silence)

    def _patience(self) -> float:
        return SILENCE if self._loaded.is_set() else LOADING_SILENCE
