"""A runner that needs no model: a helper for tests, no tests."""

import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from auricle.config import SAMPLE_RATE
from auricle.engine import Engine, Outcome, Request
from auricle.engine.request import Cost, Job, Room
from auricle.hypothesis import Hypothesis
from auricle_types.errors import (
    AudioTooLongError,
    AuricleError,
    InferenceError,
    InvalidOptionError,
)
from auricle_types.options import DecodingOptions

POISON = -1.0  # what makes joining fail
VENOM = -2.0  # joins, and makes every step fail that it is in
NOT_FINITE = -3.0  # fails alone, as the runner says
LOST = -4.0  # the runner never answers it
PATIENCE = 30.0  # seconds that a test waits before it calls a request forgotten
WINDOW_SECONDS = 30.0
FRAMES_PER_SECOND = 25
FRAME_BYTES = 1 << 10  # of cross-attention

MakeEngine = Callable[..., Engine]  # takes the budgets


def request(
    level: float = 0.5,
    seconds: float = 1.0,
    *,
    steps: int = 1,
    beam: int = 1,
    deadline: float | None = None,
) -> Request:
    """Audio that is `level` everywhere and takes the fake so many steps."""
    samples = np.full(round(seconds * SAMPLE_RATE), level, np.float32)
    return Request(samples, DecodingOptions(beam, max_tokens=steps), deadline)


def heard(request: Request) -> Hypothesis:
    """What the fake hears in a request: its length and its level."""
    return Hypothesis((len(request.samples), round(float(request.samples[0]) * 1000)), -1.0)


def level(job: Job) -> float:
    return float(job.request.samples[0])


@dataclass
class Clock:
    """Stands still unless it is moved."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeRunner:
    """Decodes step by step, each when a test allows it. Says who was in which."""

    slots: int = 8
    cache_bytes: int = 1 << 30
    pads: bool = False
    clock: Clock | None = None  # joining takes 2 s of it, a step half a second
    running: dict[Job, int] = field(default_factory=dict)  # and the steps that each still needs
    joins: list[int] = field(default_factory=list)  # how many jobs each was asked to encode
    steps: list[int] = field(default_factory=list)  # how many jobs were in each
    threads: set[str] = field(default_factory=set)
    allowed: float = 0
    turn: threading.Condition = field(default_factory=threading.Condition)

    def allow(self, steps: float = math.inf) -> None:
        """Let so many steps pass; all from now on, if no number is given."""
        with self.turn:
            self.allowed += steps
            self.turn.notify_all()

    def wait_for_step(self, number: int) -> None:
        """Until that step, counted from 1, has begun."""
        with self.turn:
            assert self.turn.wait_for(lambda: len(self.steps) >= number, PATIENCE)

    @property
    def room(self) -> Room:
        taken = sum(job.cost.cache_bytes for job in self.running)
        return Room(self.free_slots, self.cache_bytes - taken)

    @property
    def free_slots(self) -> int:
        return self.slots - sum(job.request.slots for job in self.running)

    def check(self, request: Request) -> Cost:
        if request.seconds > WINDOW_SECONDS:
            raise AudioTooLongError("too long")
        if request.slots > self.slots:
            raise InvalidOptionError("too wide")
        frames = math.ceil(request.seconds * FRAMES_PER_SECOND)
        return Cost(frames, request.slots, frames * FRAME_BYTES)

    def join(self, jobs: Sequence[Job]) -> float:
        self.joins.append(len(jobs))
        self.threads.add(threading.current_thread().name)
        self._pass(2.0)
        if any(level(job) == POISON for job in jobs):
            raise ValueError("poison")
        if sum(job.request.slots for job in jobs) > self.free_slots:
            raise ValueError("no room")
        for job in jobs:
            self.running[job] = job.request.options.max_tokens or 1
        return 0.25

    def step(self) -> list[tuple[Job, Hypothesis | AuricleError]]:
        with self.turn:
            self.steps.append(len(self.running))
            self.turn.notify_all()
            assert self.turn.wait_for(lambda: self.allowed > 0, PATIENCE)
            self.allowed -= 1
        self._pass(0.5)
        if any(level(job) == VENOM for job in self.running):
            raise RuntimeError("venom")
        for job in self.running:
            self.running[job] -= 1
        done = [job for job, left in self.running.items() if left <= 0]
        for job in done:
            del self.running[job]
        return [(job, self._answer(job)) for job in done if level(job) != LOST]

    def leave(self, job: Job) -> None:
        self.running.pop(job, None) if level(job) == LOST else self.running.pop(job)

    def _answer(self, job: Job) -> Hypothesis | AuricleError:
        if level(job) == NOT_FINITE:
            return InferenceError("not finite")
        return heard(job.request)

    def _pass(self, seconds: float) -> None:
        if self.clock is not None:
            self.clock.now += seconds


def occupy(engine: Engine, runner: FakeRunner, steps: int = 1) -> Future[Outcome]:
    """Put a request on the device, so that the next ones wait for its step."""
    first = engine.submit(request(0.001, steps=steps))
    runner.wait_for_step(1)
    return first


def words(future: Future[Outcome]) -> object:
    return future.result(PATIENCE).hypothesis


def assert_nothing_is_lost(engine: Engine, runner: FakeRunner) -> None:
    """Close the engine: every request has ended, every slot and byte is free again."""
    runner.allow()
    engine.close()
    assert runner.running == {}
    assert runner.room == Room(runner.slots, runner.cache_bytes)
    assert_all_ended(engine)


def assert_all_ended(engine: Engine) -> None:
    """The closed engine's figures leave nobody out."""
    now = engine.statistics()
    assert (now.waiting, now.running) == (0, 0)
    assert now.submitted == now.finished + now.failed + now.cancelled + now.expired
