"""Ctrl-C and SIGTERM, heard between two steps rather than in the midst of one."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Inside of `with`, the first signal only sets `wanted`; the next one does what it always did.

    Among several processes, where their launcher repeats the terminal's signals, it is ignored.
    Elsewhere than on the main thread nothing is heard.
    """

    def __init__(self, *, repeated: bool = False) -> None:
        self.wanted = False
        self._repeated = repeated
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self.wanted = False
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.signal(each, self._hear) for each in SIGNALS}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.wanted = True
        if not self._repeated:
            self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
