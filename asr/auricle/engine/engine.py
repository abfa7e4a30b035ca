"""The thread that owns the device: schedule, run, finish."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from auricle.config import EngineConfig
from auricle.decoding import Hypothesis
from auricle.engine.request import Job, Outcome, Request
from auricle.engine.runner import BatchOutput, Runner
from auricle.engine.scheduler import Scheduler
from auricle.errors import (
    AuricleError,
    DeadlineExceededError,
    EngineStoppedError,
    InferenceError,
)
from auricle.transcript import Receipt

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
        self._thread = threading.Thread(target=self._loop, name="auricle-device", daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> Future[Outcome]:
        """Queue a request; never blocks.

        Returns:
            A future. Its `cancel()` drops the work; its exception may be DeadlineExceededError,
            InferenceError or EngineStoppedError.

        Raises:
            QueueFullError: too many requests wait.
            EngineStoppedError: the engine has been closed.
        """
        job = Job(request, self._clock())
        with self._changed:
            if self._stopping:
                raise EngineStoppedError("the engine is stopping and takes no new requests")
            self._scheduler.add(job)
            self._changed.notify()
        return job.future

    def close(self, *, drain: bool = True) -> None:
        """Stop: after all waiting work when `drain`, else after the batch that is running."""
        with self._changed:
            self._stopping = True
            dropped = [] if drain else self._scheduler.clear()
            self._changed.notify()
        for job in dropped:
            _fail(job, EngineStoppedError("the engine was stopped before this request ran"))
        self._thread.join()

    def _loop(self) -> None:
        while self._wait_for_work():
            self.step()

    def _wait_for_work(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or len(self._scheduler) > 0)
            return len(self._scheduler) > 0

    def step(self) -> None:
        """One turn of the device thread: schedule, run, finish."""
        now = self._clock()
        with self._changed:
            batch, expired = self._scheduler.next_batch(now)
        for job in expired:
            _fail(job, DeadlineExceededError("the deadline passed while the request waited"))
        if batch:
            self._run(batch, now)

    def _run(self, batch: Sequence[Job], started: float) -> None:
        """Run a batch; where it fails, its halves, until the one to blame stands alone."""
        if not self._attempt(batch, started):  # what it held on the device is free again
            half = len(batch) // 2
            self._run(batch[:half], started)
            self._run(batch[half:], started)

    def _attempt(self, batch: Sequence[Job], started: float) -> bool:
        """Run a batch; false where it failed and someone else may be to blame."""
        try:
            output = self._runner.run([job.request for job in batch])
            answers = list(zip(batch, output.hypotheses, strict=True))
        except Exception as error:  # noqa: BLE001  # whatever it is, one request ends with it
            if len(batch) > 1:
                logger.warning("a batch of %d failed, running its halves: %r", len(batch), error)
                return False
            _fail(batch[0], _as_typed(error))
        else:
            self._finish(answers, output, started)
        return True

    def _finish(
        self, answers: Sequence[tuple[Job, Hypothesis]], output: BatchOutput, started: float
    ) -> None:
        for job, hypothesis in answers:
            receipt = self._receipt(job, hypothesis, len(answers), output, started)
            if job.future.set_running_or_notify_cancel():
                job.future.set_result(Outcome(hypothesis, receipt))

    def _receipt(
        self,
        job: Job,
        hypothesis: Hypothesis,
        batch_size: int,
        output: BatchOutput,
        started: float,
    ) -> Receipt:
        return Receipt(
            model_id=self._model_id,
            queue_seconds=started - job.submitted,
            encode_seconds=output.encode_seconds,
            decode_seconds=output.decode_seconds,
            batch_size=batch_size,
            padding_ratio=output.padding_ratio,
            tokens=hypothesis.steps,
        )


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
