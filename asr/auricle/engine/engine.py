"""The thread that owns the device: schedule, encode, decode a step, finish; again."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import NoReturn

from auricle.engine.answers import Answers
from auricle.engine.execution import Done, Execution
from auricle.engine.failure import as_typed
from auricle.engine.prediction import Prediction
from auricle.engine.request import Job, Outcome, Request
from auricle.engine.scheduler import Scheduler
from auricle.engine.serving import Runner
from auricle.engine.statistics import Ledger, Statistics
from auricle.forks import OwnerProcess
from auricle.freed import return_freed_memory
from auricle_types.errors import (
    AuricleError,
    DeadlineExceededError,
    EngineStoppedError,
    QueueFullError,
)
from auricle_types.options import EngineConfig

SOON = 0.1  # seconds: nobody is told to try again earlier
IDLE_SECONDS = 5.0  # without work, after which freed memory goes back to the system
BUSY_SECONDS = 60.0  # of work, after which it does, too


class Engine:
    """Recognises requests from any thread on one device thread.

    Every submitted request ends: with an outcome, an error, or its cancellation.
    """

    def __init__(
        self,
        runner: Runner,
        config: EngineConfig | None = None,
        *,
        model_id: str = "unnamed",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = OwnerProcess()
        self._runner = runner
        self._config = config or EngineConfig()
        slots = self._config.slots
        self._scheduler = Scheduler(self._config, pads=runner.pads)
        self._prediction = Prediction(slots)
        self._ledger = Ledger()
        self._answers = Answers(self._ledger)
        self._execution = Execution(
            runner, slots, clock, prediction=self._prediction, ledger=self._ledger
        )
        self._model_id = model_id
        self._clock = clock
        self._changed = threading.Condition()
        self._stopping = False
        self._dropping = False
        self._returned = clock()  # when freed memory went back
        self._thread = threading.Thread(target=self._loop, name="auricle-device", daemon=True)
        self._thread.start()

    def submit(self, request: Request, *, block: bool = False) -> Future[Outcome]:
        """Queue a request.

        Args:
            request: what to recognise.
            block: wait for room in a full queue, until the deadline, instead of refusing.

        Returns:
            A future. Its `cancel()` takes the work off the device within one decode step; its
            exception may be DeadlineExceededError, InferenceError or EngineStoppedError. Its
            callbacks run on a thread that completes all futures, so they should not wait for
            another answer. `asyncio.wrap_future` makes it awaitable.

        Raises:
            EmptyAudioError, AudioTooLongError, InvalidOptionError: the runner could never take it.
            DeadlineExceededError: its deadline has passed, already or while it waited for room.
            QueueFullError: too many requests wait, or so many that this one would be too late.
            EngineStoppedError: the engine has been closed, or this process is a fork.
        """
        self._home.check()
        cost = self._runner.check(request)
        self._scheduler.check(cost)
        job = Job(request, self._clock(), cost)
        if job.expired(job.submitted):
            raise DeadlineExceededError("the deadline had passed before the request came")
        with self._changed:
            if block:
                self._wait_for_room(job)
            if self._stopping:
                raise EngineStoppedError("the engine is stopping and takes no new requests")
            self._refuse_in_vain(job)
            self._scheduler.add(job)
            self._ledger.add(Statistics(submitted=1))
            self._changed.notify_all()
        return job.future

    def _wait_for_room(self, job: Job) -> None:
        deadline = job.request.deadline
        patience = None if deadline is None else deadline - job.submitted
        come = self._changed.wait_for(
            lambda: self._stopping or self._scheduler.has_room_for(job), patience
        )
        if not come or job.expired(self._clock()):
            raise DeadlineExceededError("the deadline passed while the request waited for room")

    def _refuse_in_vain(self, job: Job) -> None:
        """Refuse what would find no room, or would be done too late."""
        if not self._scheduler.has_room_for(job):
            for cancelled in self._scheduler.drop_cancelled():
                self._leave(cancelled)
        jobs = self._scheduler.ahead_of(job)
        if not self._scheduler.has_room_for(job):
            waiting = f"{self._config.max_queue} requests are waiting"
            self._refuse(waiting, self._prediction.until_half(jobs))
        late = self._prediction.lateness(jobs, job, self._clock())
        if late > 0:
            self._refuse("with the work ahead the answer would come after the deadline", late)

    def _refuse(self, why: str, retry_after: float) -> NoReturn:
        self._ledger.add(Statistics(refused=1))
        hint = max(retry_after, SOON)
        raise QueueFullError(f"{why}: try again in {hint:.1f} s", retry_after=hint)

    def statistics(self) -> Statistics:
        """What the engine has done so far, and does now. Raises EngineStoppedError in a fork."""
        self._home.check()
        with self._changed:
            waiting, running = self._scheduler.waiting, len(self._scheduler.running)
        return replace(self._ledger.total, waiting=waiting, running=running)

    def close(self, *, drain: bool = True) -> None:
        """Stop: after all work when `drain`, else after the step that is running.

        No future is open afterwards, except where one of their callbacks is the caller. In a fork
        there is nothing to stop.
        """
        if not self._home.is_here:
            return
        with self._changed:
            self._stopping = True
            self._dropping = self._dropping or not drain
            self._changed.notify_all()
        self._thread.join()
        self._answers.join()

    def _loop(self) -> None:
        try:
            while self._wait_for_work():
                try:
                    self.step()
                except Exception as error:  # noqa: BLE001  # the runner broke its contract
                    self._give_up(as_typed(error))
        finally:  # also when the thread itself is to die: nobody waits in vain
            with self._changed:
                self._stopping = True
            self._give_up(EngineStoppedError("the engine stopped before this request was done"))
            self._answers.close()

    def _wait_for_work(self) -> bool:
        idle = not self._work_within(IDLE_SECONDS)
        if idle or self._clock() - self._returned >= BUSY_SECONDS:
            return_freed_memory()
            self._returned = self._clock()
        if idle:
            self._work_within(None)
        with self._changed:
            return self._scheduler.busy

    def _work_within(self, seconds: float | None) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._stopping or self._scheduler.busy, seconds)

    def step(self) -> None:
        """One turn of the device thread."""
        for job in self._unwanted():
            self._leave(job)
        with self._changed:
            joining = self._scheduler.admit(self._runner.room)
            self._changed.notify_all()  # there may be room in the queue
        self._finish(self._execution.join(joining))
        done, suspects = self._execution.step(tuple(self._scheduler.running))
        self._finish(done)
        with self._changed:
            self._scheduler.suspect(suspects)

    def _unwanted(self) -> list[Job]:
        with self._changed:
            if self._dropping:
                return self._scheduler.clear()
            return self._scheduler.drop_unwanted(self._clock())

    def _give_up(self, error: AuricleError) -> None:
        """Fail all jobs, so that nobody waits in vain; the engine goes on with the next ones."""
        with self._changed:
            jobs = self._scheduler.clear()
            self._changed.notify_all()  # there is room in the queue
        for job in jobs:
            self._execution.forget(job)
            self._answers.give(job.future, error)

    def _leave(self, job: Job) -> None:
        self._execution.forget(job)
        job.phase = "finished"
        self._answers.give(job.future, self._reason_to_leave())

    def _reason_to_leave(self) -> AuricleError:
        if self._dropping:
            return EngineStoppedError("the engine was stopped before this request was done")
        return DeadlineExceededError("the deadline passed before the answer was ready")

    def _finish(self, done: Done) -> None:
        for job, result in done:
            with self._changed:
                self._scheduler.finish(job)
            if isinstance(result, AuricleError):
                self._answers.give(job.future, result)
            else:
                receipt = job.receipt(self._model_id, result, self._clock())
                self._answers.give(job.future, Outcome(result, receipt))
