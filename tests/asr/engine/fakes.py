"""A runner that needs no model: a helper for tests, no tests."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from auricle.config import SAMPLE_RATE, DecodingOptions
from auricle.decoding import Hypothesis
from auricle.engine import Request
from auricle.engine.runner import BatchOutput

POISON = -1.0


def request(
    level: float = 0.5,
    seconds: float = 1.0,
    *,
    deadline: float | None = None,
    options: DecodingOptions | None = None,
) -> Request:
    """Audio that is `level` everywhere."""
    samples = np.full(round(seconds * SAMPLE_RATE), level, np.float32)
    return Request(samples, options or DecodingOptions(), deadline)


def heard(request: Request) -> Hypothesis:
    """What the fake hears in a request: its length and its level."""
    return Hypothesis((len(request.samples), round(float(request.samples[0]) * 1000)), -1.0)


@dataclass
class FakeRunner:
    """Hears at once, or when a test opens the gate. Fails where a request is poison."""

    gate: threading.Event = field(default_factory=threading.Event)
    busy: threading.Event = field(default_factory=threading.Event)  # a batch has begun
    batches: list[int] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def run(self, requests: Sequence[Request]) -> BatchOutput:
        self.batches.append(len(requests))
        self.threads.add(threading.current_thread().name)
        self.busy.set()
        assert self.gate.wait(30)
        if any(request.samples[0] == POISON for request in requests):
            raise ValueError("poison")
        return BatchOutput([heard(request) for request in requests], 0.25, 0.5, 0.125)


class ForgetfulRunner:
    """Loses the last request of each batch of several, and whatever is poison."""

    def run(self, requests: Sequence[Request]) -> BatchOutput:
        kept = requests[:-1] if len(requests) > 1 else requests
        found = [heard(request) for request in kept if request.samples[0] != POISON]
        return BatchOutput(found, 0.0, 0.0, 0.0)
