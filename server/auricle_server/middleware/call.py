"""The context of one call, whatever protocol it came by."""

import time
from dataclasses import dataclass, field

OK = "OK"
CANCELLED = "CANCELLED"


@dataclass(slots=True)
class Call:
    """One request in progress.

    `deadline` is of this process's `time.monotonic()`, None where the caller set none.
    """

    method: str
    peer: str
    deadline: float | None = None
    started: float = field(default_factory=time.monotonic)
    code: str = OK  # how it ended
    facts: dict[str, object] = field(default_factory=dict)  # for the log line

    @classmethod
    def starting(cls, method: str, peer: str, remaining: float | None) -> "Call":
        """Begin a call that has `remaining` seconds left; None: as many as it needs."""
        deadline = None if remaining is None else time.monotonic() + remaining
        return cls(method, peer, deadline)

    @property
    def host(self) -> str:
        """The client's address without its port."""
        return self.peer.rpartition(":")[0] or self.peer

    @property
    def seconds(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.started

    def fail(self, code: str, reason: str) -> None:
        """Record that it failed, for the log and the metrics."""
        self.code = code
        self.facts["reason"] = reason
