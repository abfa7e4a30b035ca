"""Forked processes: they have a copy of everything but the threads."""

import os

from auricle_types.errors import EngineStoppedError


class OwnerProcess:
    """The process in which something was made that works in threads of its own."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    @property
    def is_here(self) -> bool:
        """Whether this is that process, and no fork of it."""
        return os.getpid() == self._pid

    def check(self) -> None:
        """Raise EngineStoppedError in a fork, where nobody would ever answer."""
        if not self.is_here:
            raise EngineStoppedError(
                "this process was forked from the one that loaded the model, and the engine's "
                "threads did not come along: load the model after the fork"
            )
