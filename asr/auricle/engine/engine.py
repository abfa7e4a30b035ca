"""The thread that owns the device: schedule, encode, decode a step, finish; again."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from auricle.config import EngineConfig
from auricle.engine.request import Job, Outcome, Request
from auricle.engine.scheduler import Scheduler
from auricle.engine.seam import Runner
from auricle.engine.statistics import Statistics
from auricle.errors import (
    AuricleError,
    DeadlineExceededError,
    EngineStoppedError,
    InferenceError,
)
from auricle.hypothesis import Hypothesis

logger = logging.getLogger(__name__)


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
        self._runner = runner
        self._scheduler = Scheduler(config or EngineConfig())
        self._model_id = model_id
        self._clock = clock
        self._changed = threading.Condition()
        self._stopping = False
        self._dropping = False
        self._thread = threading.Thread(target=self._loop, name="auricle-device", daemon=True)
        self._thread.start()

    def submit(self, request: Request, *, block: bool = False) -> Future[Outcome]:
        """Queue a request.

        Args:
            request: what to recognise.
            block: wait for room in a full queue instead of refusing.

        Returns:
            A future. Its `cancel()` takes the work off the device within one decode step; its
            exception may be DeadlineExceededError, InferenceError or EngineStoppedError.

        Raises:
            EmptyAudioError, AudioTooLongError, InvalidOptionError: the runner could never take it.
            DeadlineExceededError: its deadline has passed already.
            QueueFullError: too many requests wait.
            EngineStoppedError: the engine has been closed.
        """
        job = Job(request, self._clock(), self._runner.check(request))
        if job.expired(job.submitted):
            raise DeadlineExceededError("the deadline had passed before the request came")
        with self._changed:
            if block:
                self._changed.wait_for(lambda: self._stopping or self._scheduler.has_room)
            if self._stopping:
                raise EngineStoppedError("the engine is stopping and takes no new requests")
            self._scheduler.add(job)
            self._changed.notify_all()
        return job.future

    def statistics(self) -> Statistics:
        """What the engine has done so far and does now."""
        with self._changed:
            running = len(self._scheduler.running)
        return Statistics(running=running)

    def close(self, *, drain: bool = True) -> None:
        """Stop: after all work when `drain`, else after the step that is running."""
        with self._changed:
            self._stopping = True
            self._dropping = self._dropping or not drain
            self._changed.notify_all()
        self._thread.join()

    def _loop(self) -> None:
        while self._wait_for_work():
            try:
                self.step()
            except Exception as error:  # noqa: BLE001  # the runner broke its contract
                self._give_up(error)

    def _wait_for_work(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._scheduler.busy)
            return self._scheduler.busy

    def step(self) -> None:
        """One turn of the device thread."""
        for job in self._unwanted():
            self._leave(job)
        with self._changed:
            joining = self._scheduler.admit(self._runner.room)
            self._changed.notify_all()  # there may be room in the queue
        self._join(joining)
        self._decode()

    def _unwanted(self) -> list[Job]:
        with self._changed:
            if self._dropping:
                return self._scheduler.clear()
            return self._scheduler.drop_unwanted(self._clock())

    def _give_up(self, error: Exception) -> None:
        """Fail all jobs, so that nobody waits in vain; the engine goes on with the next ones."""
        with self._changed:
            jobs = self._scheduler.clear()
            self._changed.notify_all()  # there is room in the queue
        for job in jobs:
            self._forget(job)
            _fail(job, _as_typed(error))

    def _forget(self, job: Job) -> None:
        if job.phase == "decoding":
            try:
                self._runner.leave(job)
            except Exception:
                logger.exception("the runner could not forget a request")

    def _leave(self, job: Job) -> None:
        self._forget(job)
        job.phase = "finished"
        if self._dropping:
            _fail(job, EngineStoppedError("the engine was stopped before this request was done"))
        else:
            _fail(job, DeadlineExceededError("the deadline passed before the answer was ready"))

    def _join(self, jobs: Sequence[Job]) -> None:
        """Encode jobs; where that fails, their halves, until the one to blame stands alone."""
        if not jobs:
            return
        started = self._clock()
        try:
            padding_ratio = self._runner.join(jobs)
        except Exception as error:  # noqa: BLE001  # whatever it is, one request ends with it
            if len(jobs) == 1:
                self._finish(jobs[0], _as_typed(error))
                return
            logger.warning("encoding %d requests failed, trying halves: %r", len(jobs), error)
            half = len(jobs) // 2
            self._join(jobs[:half])
            self._join(jobs[half:])
            return
        for job in jobs:
            job.phase, job.padding_ratio = "decoding", padding_ratio
            job.started, job.encoded = started, self._clock()

    def _decode(self) -> None:
        """One token for all; where that fails, everybody begins anew, one at a time."""
        running = list(self._scheduler.running)
        try:
            done = self._runner.step() if running else []
        except Exception as error:  # noqa: BLE001  # as above
            self._begin_anew(running, error)
            return
        for job in running:
            job.steps += 1
            job.companions += len(running)
        for job, result in done:
            self._finish(job, result)

    def _begin_anew(self, jobs: Sequence[Job], error: Exception) -> None:
        """A step failed and did not say for whom: fail the only job, or try each by itself."""
        for job in jobs:
            self._forget(job)
        if len(jobs) == 1:
            self._finish(jobs[0], _as_typed(error))
            return
        logger.warning("a step of %d requests failed, trying each alone: %r", len(jobs), error)
        with self._changed:
            self._scheduler.suspect(jobs)

    def _finish(self, job: Job, result: Hypothesis | AuricleError) -> None:
        with self._changed:
            self._scheduler.finish(job)
        if isinstance(result, AuricleError):
            _fail(job, result)
        elif job.future.set_running_or_notify_cancel():
            receipt = job.receipt(self._model_id, result, self._clock())
            job.future.set_result(Outcome(result, receipt))


def _fail(job: Job, error: AuricleError) -> None:
    if job.future.set_running_or_notify_cancel():
        job.future.set_exception(error)


def _as_typed(error: Exception) -> AuricleError:
    if isinstance(error, AuricleError):
        return error
    logger.error("the model failed on a request", exc_info=error)
    typed = InferenceError(f"the model failed on this request: {error}")
    typed.__cause__ = error
    return typed
