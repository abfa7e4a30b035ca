"""Runs jobs on the runner: measures what they take and finds who is to blame when it fails."""

import logging
from collections.abc import Callable, Sequence

from auricle.engine.failure import as_typed, release
from auricle.engine.prediction import Prediction
from auricle.engine.request import Job
from auricle.engine.serving import Runner
from auricle.engine.statistics import Ledger, Statistics
from auricle.hypothesis import Hypothesis
from auricle_types.errors import AuricleError

logger = logging.getLogger(__name__)

Done = list[tuple[Job, Hypothesis | AuricleError]]


class Execution:
    """The engine's hands. Only the device thread uses it."""

    def __init__(
        self,
        runner: Runner,
        slots: int,
        clock: Callable[[], float],
        *,
        prediction: Prediction,
        ledger: Ledger,
    ) -> None:
        """`slots`: how many the decoder has, for the share that is in use."""
        self._runner = runner
        self._slots = slots
        self._clock = clock
        self._prediction = prediction
        self._ledger = ledger

    def join(self, jobs: Sequence[Job]) -> Done:
        """Encode jobs; where that fails, their halves, until the one to blame stands alone.

        Returns those to blame, with their errors; all others decode.
        """
        error = self._encode(jobs) if jobs else None
        if error is None:
            return []
        if len(jobs) == 1:
            return [(jobs[0], as_typed(error))]
        logger.warning("encoding %d requests failed, trying halves: %r", len(jobs), error)
        half = len(jobs) // 2
        return [*self.join(jobs[:half]), *self.join(jobs[half:])]

    def step(self, running: Sequence[Job]) -> tuple[Done, list[Job]]:
        """One token for all.

        Returns those that are done, and the suspects of a failure that did not say whose it was:
        the runner has forgotten them, and each must begin anew by itself. A single one is to blame.
        """
        if not running:
            return [], []
        started = self._clock()
        try:
            done = self._runner.step()
        except Exception as error:  # noqa: BLE001  # whatever it is, one request ends with it
            release(error)
            return self._suspects(running, error)
        self._count_step(running, self._clock() - started)
        for job, result in done:
            if isinstance(result, Hypothesis) and not job.request.interim:
                self._prediction.finished(job)
        return done, []

    def forget(self, job: Job) -> None:
        """Take a job off the runner, wherever it is."""
        if job.phase == "decoding":
            try:
                self._runner.leave(job)
            except Exception:
                logger.exception("the runner could not forget a request")

    def _encode(self, jobs: Sequence[Job]) -> Exception | None:
        """Returns what went wrong, when nothing of the attempt is held in memory any more."""
        started = self._clock()
        try:
            padding_ratio = self._runner.join(jobs)
        except Exception as error:  # noqa: BLE001  # as above
            release(error)
            self._ledger.add(Statistics(encode_seconds=self._clock() - started))
            return error
        encoded = self._clock()
        for job in jobs:
            job.phase, job.padding_ratio = "decoding", padding_ratio
            job.started, job.encoded = started, encoded
        self._count_encoding(jobs, padding_ratio, encoded - started)
        return None

    def _suspects(self, running: Sequence[Job], error: Exception) -> tuple[Done, list[Job]]:
        for job in running:
            self.forget(job)
        if len(running) == 1:
            return [(running[0], as_typed(error))], []
        logger.warning("a step of %d requests failed, trying each alone: %r", len(running), error)
        return [], list(running)

    def _count_encoding(self, jobs: Sequence[Job], padding_ratio: float, seconds: float) -> None:
        audio = sum(job.request.seconds for job in jobs)
        frames = sum(job.cost.frames for job in jobs)
        self._prediction.encoded(sum(job.seconds for job in jobs), seconds)
        self._ledger.add(
            Statistics(
                frames=frames,
                computed_frames=frames / (1 - min(padding_ratio, 0.999)),
                encode_seconds=seconds,
                audio_seconds=audio,
            )
        )

    def _count_step(self, running: Sequence[Job], seconds: float) -> None:
        for job in running:
            job.steps += 1
            job.companions += len(running)
        rows = sum(job.cost.slots for job in running)
        self._prediction.stepped(seconds)
        self._ledger.add(Statistics(steps=1, rows=rows, slots=self._slots, decode_seconds=seconds))
